//! Where things are in flash: generated from a board's `partitions`.

/// A range of the flash device, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Region {
    /// First byte.
    pub offset: u32,
    /// Length in bytes.
    pub len: u32,
}

impl Region {
    /// A region of `len` bytes at `offset`.
    pub const fn new(offset: u32, len: u32) -> Self {
        Region { offset, len }
    }

    /// First byte behind the region.
    pub const fn end(&self) -> u32 {
        self.offset.saturating_add(self.len)
    }

    /// Absolute offset of `len` bytes at `offset` in this region, or `None` where they leave it.
    pub const fn at(&self, offset: u32, len: u32) -> Option<u32> {
        match offset.checked_add(len) {
            Some(end) if end <= self.len => self.offset.checked_add(offset),
            _ => None,
        }
    }
}

/// The flash of a board as the pipeline uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Layout {
    /// Where the running image is.
    pub base: Region,
    /// Where a downloaded image is written: whole erase units, the first byte of the image first.
    pub slot: Region,
    /// Longest image in bytes: the slot less what the bootloader keeps at its end.
    pub capacity: u32,
    /// The journal: two halves, each of whole erase units.
    pub journal: Region,
    /// Smallest unit of programming, in bytes: 1, 2, 4, 8, 16 or 32.
    pub write: u32,
    /// Unit of erasing, in bytes.
    pub erase: u32,
    /// Whether a programmed word may be programmed again (clearing more bits). Flash with error
    /// correction forbids it.
    pub rewrite: bool,
}
