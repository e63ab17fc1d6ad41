//! `cargo ota`: the host side of coreota. Checks, signs, serves and publishes firmware updates.
//!
//! A file per command in [`cmd`]; what they share is beside it: [`out`] (lines, bars, JSON events)
//! and [`error`] (what went wrong, the fix, and the exit code).

#![allow(dead_code, unused_variables, reason = "the frame stands before its first command")]

mod cmd;
mod error;
mod out;

fn main() -> std::process::ExitCode {
    cmd::main(std::env::args_os().collect())
}
