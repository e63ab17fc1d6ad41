//! Where a plugin lives: what `ota.toml` says of it, as the generated code tells this crate.

use crate::{ArenaHandle, Limits, StackHandle};

/// Where a plugin lives, and within what bounds.
#[derive(Clone, Copy)]
pub struct Home {
    /// The name `ota.toml` gives it.
    pub name: &'static str,
    /// Its slot in the plugin store, where it has one.
    pub slot: Option<u8>,
    /// The module that is compiled in, where one is: used in place, and in force while none came
    /// into the slot.
    pub module: Option<&'static [u8]>,
    /// What it may use.
    pub limits: Limits,
    /// Its memory.
    pub arena: fn() -> ArenaHandle,
    /// The native stack it runs on.
    pub stack: fn() -> StackHandle,
}

/// A [`Home`] that a type knows: protocols are made from the type alone.
pub trait Hosted {
    /// Where the plugin lives.
    const HOME: Home;
}
