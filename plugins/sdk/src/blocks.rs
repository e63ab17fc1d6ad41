//! Block protocols: how a file is asked for and its blocks arrive.

use crate::{Draft, Error, Failure, Field, Message, Writer};

/// Which file is downloaded, and in what blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Geometry {
    /// Length of the file in bytes.
    pub size: u32,
    /// Length of every block but the last, in bytes; not 0.
    pub block: u32,
    /// The provider's number of the file.
    pub file: u8,
}

impl Geometry {
    /// The geometry in which nothing has been opened.
    pub const NONE: Geometry = Geometry { size: 0, block: 0, file: 0 };

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
}

/// What a message brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival<'m> {
    /// A block, as it stands in the message. The host checks that it is wanted and of exactly its
    /// length.
    Block {
        /// Its number in the file.
        index: u32,
        /// Its bytes, perhaps still encoded.
        bytes: Field<'m>,
    },
    /// The provider refuses: the file cannot be had, and why.
    Refused(Failure),
}

/// A block protocol. A message with a failure of [`Error::Malformed`] is as if it had not come.
pub trait Blocks: Sized {
    /// The protocol before anything is known.
    const NEW: Self;

    /// Learns the name of the thing, once and first.
    ///
    /// # Errors
    /// [`Failure::BadText`] where the provider would not allow it.
    fn start(&mut self, thing: &[u8]) -> Result<(), Failure>;

    /// Opens a file; `place` is the decoded stream name or URL.
    ///
    /// # Errors
    /// [`Failure::BadText`] where the place cannot be one, [`Failure::Misconfigured`] where the
    /// protocol cannot carry such blocks.
    fn open(&mut self, place: &[u8], geometry: Geometry) -> Result<(), Failure>;

    /// Writes the `index`th topic to subscribe to once opened; `false` after the last.
    fn subscription(&self, index: u32, topic: &mut Writer<'_>) -> bool;

    /// Writes the message that asks for the wanted blocks, or for the first of them.
    fn request(&mut self, wanted: Wanted, draft: &mut Draft<'_>);

    /// Says what a message brings.
    ///
    /// # Errors
    /// [`Error::NotMine`] where it is not of this protocol, [`Error::Malformed`] where it is but
    /// brings nothing: a rule is broken, or it is about another file.
    fn accept<'m>(&mut self, message: Message<'m>, wanted: Wanted) -> Result<Arrival<'m>, Error>;
}
