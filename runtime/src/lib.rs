//! Firmware updates over the air for microcontrollers: the device half.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "sim")]
extern crate std;

#[cfg(feature = "sim")]
pub mod sim;
