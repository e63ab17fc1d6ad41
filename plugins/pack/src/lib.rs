//! From a plugin's source to the smallest module that a device takes.
//!
//! | room | does |
//! |---|---|
//! | [`build()`] | a folder of Rust or C becomes a module |
//! | [`shrink()`] | a module as linkers make it becomes one of a few KiB |
//! | [`inspect()`] | what a module is, and whether a device takes it |
//! | [`documents`] | test documents of a parser, and what is expected of them |
//! | [`events`] | test events of a protocol, and what is expected of them |
//!
//! `cargo ota plugin build` and the test that rebuilds the samples are both this crate.

mod build;
pub mod documents;
mod error;
pub mod events;
mod facts;
mod samples;
mod shrink;

pub use build::{Language, Tools, build, language, toolchain};
pub use error::Error;
pub use facts::{Export, Facts, check, inspect};
pub use samples::{Sample, samples, samples_folder};
pub use shrink::shrink;

/// Room for a plugin's stack, in bytes, where its author says nothing else. It lies below everything else, so that a stack too deep is a
/// trap and not somebody else's data.
pub const STACK: u32 = 1024;
