//! Plugins: files that teach a running device a job format or a block protocol it was not built
//! with.
//!
//! A plugin travels, is verified and is reported like an image, but ends in a store of its own
//! instead of the bootloader's slot, and takes effect without a reset. This crate neither runs nor
//! reads what is in it: whoever hosts a slot, a [`Parser`](crate::parser::Parser) or a
//! [`BlockProtocol`](crate::transport::BlockProtocol), is handed the verified file piece by piece
//! through its `plug` method.
//!
//! ```text
//! at boot, and when a plugin was installed:   Begin(facts) ─ Bytes … Bytes ─ Start
//! before the next job is asked for:           Check; one that ended by itself is begun again
//! when it is disabled or removed:             Stop
//! ```

pub(crate) mod order;
pub mod slots;
pub mod store;
mod stored;

pub use slots::{NoPlugins, Plugins};
pub use stored::Stored;

use crate::{error::Failure, version::Version};

/// Longest name of a plugin, in bytes.
pub const NAME_MAX: usize = 32;

/// What a file is, as its signed bytes say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u32)]
pub enum Content {
    /// An image, for the bootloader.
    #[default]
    Image = 0,
    /// A module, for whoever hosts plugins.
    Plugin = 1,
    /// Where the fields of a job document are, for [`parser::table`](crate::parser::table).
    Table = 2,
}

impl Content {
    /// The content of that number.
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Content::Image,
            1 => Content::Plugin,
            2 => Content::Table,
            _ => return None,
        })
    }
}

/// What the signed bytes say of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Facts {
    /// What it is.
    pub content: Content,
    /// Version of the binary interface it was made for.
    pub abi: u16,
    /// What it does: a number of that interface.
    pub kind: u16,
    /// Memory it needs for all its host keeps of it, in bytes.
    pub arena: u32,
    /// Fuel that one call of it may burn.
    pub fuel: u32,
    /// Linear memory it declares, in bytes.
    pub memory: u32,
    /// Length of the module, in bytes.
    pub len: u32,
    /// Its version.
    pub version: Version,
}

/// One step in the life of a plugin, told to its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plug<'a> {
    /// A verified module is coming. One that ran in this slot stops.
    Begin(&'a Facts),
    /// Its next bytes.
    Bytes(&'a [u8]),
    /// That was all of it: it runs from here on.
    Start,
    /// Does what was started run? Refused with the reason where it ended by itself; where nothing was
    /// started, all is well.
    Check,
    /// It stops and is forgotten.
    Stop,
}

/// What a host made of a step; `None`: it hosts other slots.
pub type Plugged = Option<Result<(), Failure>>;
