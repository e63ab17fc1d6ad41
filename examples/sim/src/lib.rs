//! A simulated device, for a host: everything but the hardware is what a real one runs.
//!
//! ```text
//! flash file ─► bootloader ─► the image in the primary slot ─► orchestrator ─► reset ─┐
//!     ▲              └──────────────── again, from the file alone ◄───────────────────┘
//!     └── power can be cut at any flash operation; the process ends, the file stays
//! ```
//!
//! | room | holds |
//! |---|---|
//! | [`board`] | what `ota.toml` says of each board, and which bootloader it has |
//! | [`device`] | power on, boot, run, reset |
//! | [`firmware`] | what an image "does": its signed version, and whether its self-test passes |
//! | [`application`] | the firmware's part in an update: the hooks |
//! | [`parts`] | flash with a mains switch and a meter, the clock |
//! | [`tell`] | what it says: lines for people, events for machines |
//!
//! One of its boards hosts plugins: a program that runs it installs `coreota_plugins::PluginAlloc` as
//! its global allocator.
//!
//! It is a library so that `cargo ota` can be the device as well, in a process of its own.

mod application;
mod args;
mod board;
mod device;
mod firmware;
mod parts;
mod tell;

pub use args::{Args, BoardName};
pub use device::{EXIT_POWER_CUT, main};
pub use firmware::{Behaviour, payload};
pub use tell::{Event, How, Phase, Stage};
