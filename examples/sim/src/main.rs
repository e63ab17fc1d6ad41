//! The device as a program of its own. `cargo ota sim-device` is the same.

use clap::Parser;

/// A simulated device that updates itself.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    args: sim_device::Args,
    /// Print one JSON event per line instead of text
    #[arg(long)]
    json: bool,
}

/// Plugins run in arenas of their own.
#[global_allocator]
static ALLOCATOR: coreota_plugins::PluginAlloc<std::alloc::System> =
    coreota_plugins::PluginAlloc(std::alloc::System);

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    sim_device::main(&cli.args, cli.json).into()
}
