//! Block protocols: how a file is asked for and its blocks arrive. Pure: bytes in, values out.

mod either;
pub mod mqtt_stream;

pub use either::Either;

use crate::{
    error::Failure,
    message::{Draft, Message},
    plugin::{Plug, Plugged},
    wire::Writer,
};

/// Most blocks that one request asks for.
pub const WINDOW_MAX: u32 = 64;

/// Which file is downloaded, and in what blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Geometry {
    /// Length of the file in bytes.
    pub size: u32,
    /// Length of every block but the last, in bytes; not 0.
    pub block: u32,
    /// The provider's number of the file.
    pub file: u8,
}

impl Geometry {
    /// How many blocks the file has.
    pub const fn blocks(&self) -> u32 {
        match self.block {
            0 => 0,
            block => self.size.div_ceil(block),
        }
    }

    /// Exact length of block `index`, or `None` outside the file.
    pub const fn block_len(&self, index: u32) -> Option<u32> {
        match index.checked_mul(self.block) {
            Some(from) if from < self.size => {
                let rest = self.size - from;
                Some(if rest < self.block { rest } else { self.block })
            }
            _ => None,
        }
    }
}

/// The blocks wanted now: bit `k` of `bits` stands for block `first + k`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Wanted {
    /// Block of bit 0.
    pub first: u32,
    /// One bit a block, set while it is missing.
    pub bits: u64,
}

impl Wanted {
    /// Whether block `index` is wanted.
    pub const fn contains(&self, index: u32) -> bool {
        match index.checked_sub(self.first) {
            Some(bit) if bit < u64::BITS => self.bits >> bit & 1 == 1,
            _ => false,
        }
    }

    /// How many blocks are wanted.
    pub const fn count(&self) -> u32 {
        self.bits.count_ones()
    }
}

/// What an incoming message is to a transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Arrival {
    /// A wanted block of exactly the right length now stands at the front of the buffer.
    Block {
        /// Its number in the file.
        index: u32,
        /// Its length in bytes.
        len: u32,
    },
    /// The provider refused the request.
    Refused(Failure),
    /// A message of this transport that brings nothing: a duplicate, another file's block, or
    /// one that breaks a rule (which).
    Ignored(Failure),
    /// Not a message of this transport.
    NotMine,
}

/// A block protocol, pure.
pub trait BlockProtocol: Sized {
    /// The protocol of the device of that name.
    ///
    /// # Errors
    /// [`Failure::BadText`] where the provider would not allow the name.
    fn new(thing: &str) -> Result<Self, Failure>;

    /// Whether it is the protocol of this name; the empty name is of the one that MQTT streams are
    /// fetched by. Asked before each [`open`](Self::open).
    fn choose(&mut self, protocol: &str) -> bool {
        protocol.is_empty()
    }

    /// Opens the file that `descriptor` points to, of which `geometry` is known to hold.
    /// `place` is the decoded stream name or URL.
    ///
    /// # Errors
    /// [`Failure::BadText`] where the place cannot be one.
    fn open(&mut self, place: &str, geometry: Geometry) -> Result<(), Failure>;

    /// Writes the `index`th topic to subscribe to once opened; `false` after the last.
    fn subscription(&self, index: usize, topic: &mut Writer<'_>) -> bool;

    /// Writes the message that asks for exactly the wanted blocks.
    ///
    /// # Errors
    /// [`Failure::MessageTooLong`] where `draft` is too small.
    fn request(&mut self, wanted: Wanted, draft: &mut Draft<'_>) -> Result<(), Failure>;

    /// Says what a message is; a block is written to `into`, which holds at least a whole block.
    /// A block that is not wanted, or not of exactly its length, leaves `into` as it was or with
    /// bytes nobody counts.
    fn accept(&mut self, message: Message<'_>, wanted: Wanted, into: &mut [u8]) -> Arrival;

    /// Takes a step with the plugin in `slot`, where this protocol is hosted there.
    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
        let _ = (slot, step);
        None
    }
}
