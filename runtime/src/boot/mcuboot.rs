//! MCUboot.
