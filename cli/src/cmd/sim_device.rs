//! `cargo ota sim-device`: the simulated device of `examples/sim`, in this process. `demo` starts it
//! so, since what is built need not be built twice.

use clap::Args;

use crate::error::Result;
use crate::out::Out;

/// Run a simulated device that updates itself
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    #[command(flatten)]
    args: sim_device::Args,
}

impl Cmd {
    /// The exit codes are the device's own, as if it were a program of its own.
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        std::process::exit(sim_device::main(&self.args, out.is_json()).into())
    }
}
