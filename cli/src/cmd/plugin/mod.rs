//! `cargo ota plugin`: for those who write plugins. A file per command, as above.

mod build;
mod check;
mod new;
mod order;
mod publish;
mod sign;
mod test;

use clap::{Args, Subcommand};

use crate::error::Result;
use crate::out::Out;

/// Make plugins: new job formats and protocols for devices that are in the field
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Cmd),
    Build(build::Cmd),
    Test(test::Cmd),
    Check(check::Cmd),
    Sign(sign::Cmd),
    Publish(publish::Cmd),
    Order(order::Cmd),
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        match self.command {
            Command::New(cmd) => cmd.run(out),
            Command::Build(cmd) => cmd.run(out),
            Command::Test(cmd) => cmd.run(out),
            Command::Check(cmd) => cmd.run(out),
            Command::Sign(cmd) => cmd.run(out),
            Command::Publish(cmd) => cmd.run(out),
            Command::Order(cmd) => cmd.run(out),
        }
    }
}
