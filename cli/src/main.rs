//! `cargo ota`: the host side of coreota. Checks, signs, serves and publishes firmware updates.
//!
//! A file per command in [`cmd`]; what they share is beside it: [`out`] (lines, bars, JSON events)
//! and [`error`] (what went wrong, the fix, and the exit code).
//!
//! The update provider: [`provider`] is its state machine, [`serve`] the I/O around it, [`store`]
//! its folder, [`control`] how commands reach it, [`report`] what is told of it.
//!
//! Real firmware: [`mod@build`] makes its images, [`provisioning`] what a device is told when it is
//! made, [`certificates`] of it for TLS, [`pki`] makes some; [`emulator`] boots it all. [`bridge`] is the other end of the line of a device without a network.
//!
//! [`project`] makes projects of users' own out of the example boards.
//!
//! [`plugin`] is what the commands for authors of plugins share.
//!
//! [`mod@bench`] measures coreota itself, for those who work on it.

mod bench;
mod board;
mod bridge;
mod build;
mod certificates;
mod cmd;
mod control;
mod demo;
mod descriptor;
mod emulator;
mod error;
mod job_document;
mod keys;
mod ota_toml;
mod out;
mod pki;
mod plugin;
mod project;
mod provider;
mod provisioning;
mod publishing;
mod report;
mod serve;
mod store;

/// This program hosts plugins as a device does: to measure and to test them, and to be a device.
#[global_allocator]
static ALLOCATOR: coreota_plugins::PluginAlloc<std::alloc::System> =
    coreota_plugins::PluginAlloc(std::alloc::System);

fn main() -> std::process::ExitCode {
    cmd::main(std::env::args_os().collect())
}
