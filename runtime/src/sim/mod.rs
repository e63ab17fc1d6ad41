//! A world on the host in which whole updates happen, are cut short, and are looked at.
//!
//! | room | holds |
//! |---|---|
//! | [`nor`] | a word-exact NOR flash with wear, a trace and a power fuse, in RAM or in a file |
//! | [`random`] | the one source of chance: seeded, so that a run repeats exactly |
//!
//! Nothing here runs on a device: the module needs `std` and is behind the feature `sim`.

pub mod nor;
pub mod random;
