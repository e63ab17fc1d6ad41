//! Stripes: the smallest spans of a slot made of whole blocks and of whole erase units.

use crate::transport::Geometry;
use core::num::NonZeroU32;

/// How blocks and erase units lie over each other. One divides the other, so a stripe is the
/// larger of the two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stripes {
    /// Blocks of a stripe.
    each: NonZeroU32,
    len: u32,
    blocks: u32,
    /// Behind the last erase unit that the file touches.
    end: u32,
}

impl Stripes {
    pub(super) fn new(geometry: Geometry, erase: u32) -> Self {
        let block = NonZeroU32::new(geometry.block).unwrap_or(NonZeroU32::MIN);
        let len = erase.max(block.get());
        let each = NonZeroU32::new(len / block).unwrap_or(NonZeroU32::MIN);
        let end = geometry.size.checked_next_multiple_of(erase.max(1)).unwrap_or(geometry.size);
        Stripes { each, len, blocks: geometry.blocks(), end }
    }

    /// The stripe of a block.
    pub(super) fn of(&self, block: u32) -> u32 {
        block / self.each
    }

    /// First block of a stripe, and the one behind its last of the file.
    pub(super) fn blocks(&self, stripe: u32) -> (u32, u32) {
        let first = stripe.saturating_mul(self.each.get());
        (first, first.saturating_add(self.each.get()).min(self.blocks))
    }

    /// First byte of a stripe, and the one behind the last to erase.
    pub(super) fn bytes(&self, stripe: u32) -> (u32, u32) {
        let from = stripe.saturating_mul(self.len);
        (from, from.saturating_add(self.len).min(self.end))
    }
}
