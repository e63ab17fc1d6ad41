//! The power goes at every flash operation of every bootloader adapter, and of the simulated
//! bootloaders themselves, in every tear mode: an authentic image still runs, and what was cut
//! succeeds when it is done again.
#![cfg(feature = "sim")]

mod embassy;
mod mcuboot;
mod world;
