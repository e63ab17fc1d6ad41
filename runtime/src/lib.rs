//! Firmware updates over the air for microcontrollers: the device half.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "image")]
extern crate alloc;
#[cfg(feature = "sim")]
extern crate std;

pub mod blocking;
pub mod boot;
pub mod descriptor;
pub mod error;
pub mod field;
mod flash;
pub mod hooks;
#[cfg(feature = "image")]
pub mod image;
pub mod job;
pub mod journal;
pub mod layout;
pub mod link;
pub mod message;
pub mod orchestrator;
pub mod parser;
pub mod pipeline;
#[cfg(feature = "sim")]
pub mod sim;
pub mod transport;
pub mod update;
pub mod verify;
pub mod version;
pub mod wire;

pub use coreota_macros::orchestrator;
pub use hooks::{Decision, Hooks, SelfTest};
pub use layout::{Layout, Region};
pub use orchestrator::{End, Orchestrator, Parts};
pub use pipeline::{Accept, Pipeline, Policy, Retry};
pub use version::Version;
