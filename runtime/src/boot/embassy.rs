//! embassy-boot.
