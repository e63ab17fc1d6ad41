//! The command line: the list of commands, and how a run begins and ends.
//!
//! To add a command, write `cmd/NAME.rs` with a `Cmd` (clap `Args`; its doc comment is the help) and
//! `fn run(self, out: &Out) -> Result<()>`, then add its two lines below.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::{EXIT_CODES, Result};
use crate::out::Out;

mod bench;
mod bridge;
mod build;
mod cancel;
mod check;
mod demo;
mod expand;
mod inspect;
mod keygen;
mod new;
mod pki;
mod plugin;
mod provision;
mod publish;
mod run;
mod schema;
mod serve;
mod sign;
mod sim_device;
mod status;

/// The commands, in the order `--help` shows them.
macro_rules! commands {
    ($($module:ident :: $Variant:ident,)*) => {
        #[derive(Subcommand)]
        enum Command {
            $($Variant($module::Cmd),)*
        }

        impl Command {
            fn run(self, out: &Out) -> Result<()> {
                match self {
                    $(Self::$Variant(cmd) => cmd.run(out),)*
                }
            }
        }
    };
}

commands! {
    demo::Demo,
    new::New,
    check::Check,
    expand::Expand,
    schema::Schema,
    build::Build,
    provision::Provision,
    run::Run,
    bridge::Bridge,
    keygen::Keygen,
    pki::Pki,
    sign::Sign,
    inspect::Inspect,
    serve::Serve,
    publish::Publish,
    plugin::Plugin,
    status::Status,
    cancel::Cancel,
    sim_device::SimDevice,
    bench::Bench,
}

/// Firmware updates over the air: check, sign, serve, publish, demonstrate.
#[derive(Parser)]
#[command(name = "cargo ota", bin_name = "cargo ota", version, after_help = EXIT_CODES)]
struct Cli {
    /// Print one JSON event per line instead of text and progress bars
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// Runs the tool with these arguments and gives the exit code (see [`EXIT_CODES`]).
pub(crate) fn main(args: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(as_subcommand(args)) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let out = Out::new(cli.json);
    match cli.command.run(&out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out.error(&error);
            ExitCode::from(error.exit as u8)
        }
    }
}

/// `cargo ota X` starts us as `cargo-ota ota X`; typed directly it is `cargo-ota X`. Both are `X`.
fn as_subcommand(mut args: Vec<OsString>) -> Vec<OsString> {
    if args.get(1).is_some_and(|first| first == "ota") {
        args.remove(1);
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn both_spellings_reach_the_same_command() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(as_subcommand(words("cargo-ota ota x --json")), words("cargo-ota x --json"));
        assert_eq!(as_subcommand(words("cargo-ota x")), words("cargo-ota x"));
    }
}
