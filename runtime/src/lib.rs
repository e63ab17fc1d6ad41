//! Firmware updates over the air for microcontrollers: the device half.
#![no_std]
#![forbid(unsafe_code)]
