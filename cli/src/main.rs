//! `cargo ota`: the host side of coreota. Checks, signs, serves and publishes firmware updates.
//!
//! A file per command in [`cmd`]; what they share is beside it: [`out`] (lines, bars, JSON events)
//! and [`error`] (what went wrong, the fix, and the exit code).
//!
//! The update provider: [`provider`] is its state machine, [`serve`] the I/O around it, [`store`]
//! its folder, [`control`] how commands reach it, [`report`] what is told of it.
//!
//! [`mod@bench`] measures coreota itself, for those who work on it.

mod bench;
mod board;
mod cmd;
mod control;
mod demo;
mod error;
mod job_document;
mod keys;
mod ota_toml;
mod out;
mod provider;
mod publishing;
mod report;
mod serve;
mod store;

fn main() -> std::process::ExitCode {
    cmd::main(std::env::args_os().collect())
}
