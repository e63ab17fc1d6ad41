//! Firmware updates over the air for microcontrollers: the device half.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "sim")]
extern crate std;

pub mod boot;
pub mod descriptor;
pub mod error;
pub mod field;
pub mod hooks;
pub mod job;
pub mod layout;
pub mod link;
pub mod message;
pub mod parser;
pub mod pipeline;
#[cfg(feature = "sim")]
pub mod sim;
pub mod transport;
pub mod verify;
pub mod version;
pub mod wire;
