//! Firmware updates over the air for microcontrollers: the device half.
#![no_std]
#![forbid(unsafe_code)]

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
pub mod transport;
pub mod verify;
pub mod version;
pub mod wire;
