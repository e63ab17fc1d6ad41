//! What a [`SimNor`](super::SimNor) refuses, and why.

use core::fmt;
use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};
use std::string::String;

/// Why an operation was not (wholly) done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NorError {
    /// The power is gone: cut by a fuse in this call or before it.
    PowerLost,
    /// The range leaves the flash.
    OutOfBounds {
        /// Where it starts.
        at: u32,
        /// Its length in bytes.
        len: usize,
        /// Bytes of flash there are.
        size: usize,
    },
    /// Start or length are not whole words or units.
    NotAligned {
        /// Where the range starts.
        at: u32,
        /// Its length in bytes.
        len: usize,
        /// Both must be multiples of this.
        to: usize,
    },
    /// A program asks for a 1 where the flash holds a 0.
    SetsBit {
        /// The first such byte.
        at: u32,
    },
    /// A program of a word that must be erased first, by this flash's [`Rewrite`](super::Rewrite).
    Rewritten {
        /// The first such word.
        at: u32,
    },
    /// The file behind the flash failed; which, how, and what would help.
    File(String),
}

impl fmt::Display for NorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowerLost => f.write_str("the power is gone"),
            Self::OutOfBounds { at, len, size } => {
                write!(f, "{len} bytes at {at:#x} leave the flash of {size:#x} bytes")
            }
            Self::NotAligned { at, len, to } => {
                write!(f, "{len} bytes at {at:#x} are not whole units of {to}")
            }
            Self::SetsBit { at } => {
                write!(f, "a program cannot set the bits at {at:#x} from 0 to 1: erase first")
            }
            Self::Rewritten { at } => {
                write!(f, "the word at {at:#x} was programmed since its last erase")
            }
            Self::File(why) => f.write_str(why),
        }
    }
}

impl core::error::Error for NorError {}

impl NorFlashError for NorError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::OutOfBounds { .. } => NorFlashErrorKind::OutOfBounds,
            Self::NotAligned { .. } => NorFlashErrorKind::NotAligned,
            _ => NorFlashErrorKind::Other,
        }
    }
}
