//! MCUboot's image trailer: bytes to fields and back. Decides nothing.
//!
//! It ends a slot. Every field has a place of its own that is a multiple of the alignment `A`
//! (8, or the write size where that is larger), so that each can be programmed alone; `M` is the
//! 16 bytes of the magic rounded up to `A`. Counted backwards from the end of the slot:
//!
//! ```text
//!   … ┬───────────┬──────────┬───────────┬───────────┬───────────┬──────────┬─────────────────┐
//!     │ swap size │ TLV sizes│ swap info │ copy done │ image ok  │ ff … ff  │ magic, 16 bytes │
//!   … ┴───────────┴──────────┴───────────┴───────────┴───────────┴──────────┴─────────────────┘
//!       M+5A        M+4A       M+3A        M+2A        M+A         M          16              0
//! ```
//!
//! (The TLV sizes are there in mode swap-offset only; else the swap size is at M+4A. Both, and the
//! swap status below them, are MCUboot's alone.) A field that was never written is `ff`.
//!
//! Source: MCUboot `docs/design.md`, "Image trailer", and `bootutil_public.c`; checked against
//! flash images that MCUboot wrote.

use crate::{blocking::FlashBlocking as _, error::Failure, layout::Region};
use core::ops::Range;
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

/// Values of the swap type, the low half of the swap info byte.
pub mod swap {
    /// Swap, and swap back at the reset after unless confirmed.
    pub const TEST: u8 = 2;
    /// Swap to stay.
    pub const PERMANENT: u8 = 3;
    /// A swap back.
    pub const REVERT: u8 = 4;
}

/// A flag that is set.
pub const SET: u8 = 1;

const ERASED: u8 = 0xff;
const MAGIC_LEN: usize = 16;
const MAGIC_8: [u8; MAGIC_LEN] = [
    0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80,
];
/// For alignments above 8, which stand in its first two bytes.
const MAGIC_WIDE: [u8; MAGIC_LEN] =
    [0, 0, 0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b, 0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f, 0x8a];

/// Largest write size, and so the largest field.
const WORD_MAX: usize = 32;
/// Longest run of fields from swap info to the end: the magic's 32 and three fields of 32.
const FIELDS_MAX: usize = 4 * WORD_MAX;

/// What the last 16 bytes of a slot are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Magic {
    /// MCUboot's magic: the trailer is valid.
    Good,
    /// Erased.
    Unset,
    /// Neither: half written, or something else's.
    Bad,
}

/// A flag of one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// [`SET`].
    Set,
    /// Erased.
    Unset,
    /// Neither: half written.
    Bad,
}

impl Flag {
    const fn of(byte: u8) -> Self {
        match byte {
            SET => Flag::Set,
            ERASED => Flag::Unset,
            _ => Flag::Bad,
        }
    }
}

/// The fields that decide, of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// Whether the others are valid.
    pub magic: Magic,
    /// Confirmed (primary); to stay (secondary).
    pub image_ok: Flag,
    /// The swap that began here is over.
    pub copy_done: Flag,
    /// Which swap it is, one of [`swap`]; `None` if never written.
    pub swap: Option<u8>,
    /// Whether no field was ever written, not even in part.
    pub blank: bool,
}

impl Trailer {
    /// As a primary slot's: the image was swapped in, and is swapped back if it is not confirmed.
    pub fn is_trial(&self) -> bool {
        self.magic == Magic::Good && self.copy_done == Flag::Set && self.image_ok == Flag::Unset
    }
}

/// A field that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A flag: confirmed, or to stay.
    ImageOk,
    /// A flag: the swap is over.
    CopyDone,
    /// One byte: image number in the high half, swap type in the low one.
    SwapInfo,
    /// Counted from 1: the fields below swap info, in which MCUboot keeps sizes during a swap.
    Below(u8),
}

/// Where the fields are for one write size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    write: usize,
    align: usize,
}

#[also_blocking]
impl Shape {
    /// The shape that MCUboot has on this flash.
    ///
    /// # Errors
    /// [`Failure::Misconfigured`] for a write size that MCUboot does not know.
    pub const fn of<F: NorFlash>() -> Result<Self, Failure> {
        match F::WRITE_SIZE {
            write @ (1 | 2 | 4 | 8) => Ok(Shape { write, align: 8 }),
            write @ (16 | WORD_MAX) => Ok(Shape { write, align: write }),
            _ => Err(Failure::Misconfigured),
        }
    }

    /// `A` of the [module](self).
    pub const fn align(self) -> usize {
        self.align
    }

    /// The magic as it is programmed: `M` bytes.
    const fn magic_block(self) -> usize {
        if self.align > MAGIC_LEN { self.align } else { MAGIC_LEN }
    }

    /// From the start of the field to the end of the slot.
    pub const fn distance(self, field: Field) -> usize {
        self.magic_block()
            + self.align
                * match field {
                    Field::ImageOk => 1,
                    Field::CopyDone => 2,
                    Field::SwapInfo => 3,
                    Field::Below(n) => 3 + n as usize,
                }
    }

    /// From swap info to the end.
    const fn fields(self) -> usize {
        self.distance(Field::SwapInfo)
    }

    fn magic(self) -> [u8; MAGIC_LEN] {
        if self.align == 8 {
            return MAGIC_8;
        }
        let mut magic = MAGIC_WIDE;
        if let Some(front) = magic.first_chunk_mut() {
            *front = (self.align as u16).to_le_bytes();
        }
        magic
    }

    /// The erase units that hold the fields of `slot`.
    pub fn units(self, slot: Region, erase_size: u32) -> Option<Range<u32>> {
        let first = slot.end().checked_sub(u32::try_from(self.fields()).ok()?)?;
        let start = first.checked_sub(first.checked_rem(erase_size)?)?;
        (start >= slot.offset).then_some(start..slot.end())
    }

    /// Reads the trailer of `slot`.
    ///
    /// # Errors
    /// [`Failure::Read`]; [`Failure::Misconfigured`] where the slot has no room for one.
    pub async fn read<F: NorFlash>(self, flash: &mut F, slot: Region) -> Result<Trailer, Failure> {
        let mut buffer = [0; FIELDS_MAX];
        let bytes = buffer.get_mut(..self.fields()).ok_or(Failure::Misconfigured)?;
        let at = place(slot, self.fields(), bytes.len())?;
        flash.read(at, bytes).await.map_err(|_| Failure::Read)?;
        let byte = |field| {
            let at = bytes.len().checked_sub(self.distance(field));
            at.and_then(|at| bytes.get(at)).copied().unwrap_or(ERASED)
        };
        let magic = match bytes.last_chunk() {
            Some(magic) if *magic == self.magic() => Magic::Good,
            Some(magic) if *magic == [ERASED; MAGIC_LEN] => Magic::Unset,
            _ => Magic::Bad,
        };
        let swap = Some(byte(Field::SwapInfo)).filter(|info| *info != ERASED);
        Ok(Trailer {
            magic,
            image_ok: Flag::of(byte(Field::ImageOk)),
            copy_done: Flag::of(byte(Field::CopyDone)),
            swap: swap.map(|info| info & 0x0f),
            blank: bytes.iter().all(|byte| *byte == ERASED),
        })
    }

    /// Programs one field, padded with `ff` to whole words.
    ///
    /// # Errors
    /// [`Failure::Program`]; [`Failure::Misconfigured`] where the slot has no room for it.
    pub fn write<F: NorFlash>(
        self,
        flash: &mut F,
        slot: Region,
        field: Field,
        value: &[u8],
    ) -> impl Future<Output = Result<(), Failure>> {
        self.program(flash, slot, self.distance(field), value)
    }

    /// Programs the magic, `ff` before it where its place is longer.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_magic<F: NorFlash>(
        self,
        flash: &mut F,
        slot: Region,
    ) -> Result<(), Failure> {
        let mut block = [ERASED; WORD_MAX];
        let block = block.get_mut(..self.magic_block()).ok_or(Failure::Misconfigured)?;
        if let Some(place) = block.last_chunk_mut() {
            *place = self.magic();
        }
        self.program(flash, slot, block.len(), block).await
    }

    async fn program<F: NorFlash>(
        self,
        flash: &mut F,
        slot: Region,
        distance: usize,
        value: &[u8],
    ) -> Result<(), Failure> {
        let mut words = [ERASED; WORD_MAX];
        let whole = value.len().checked_next_multiple_of(self.write);
        let words = whole.and_then(|len| words.get_mut(..len)).ok_or(Failure::Misconfigured)?;
        words.iter_mut().zip(value).for_each(|(to, byte)| *to = *byte);
        let at = place(slot, distance, words.len())?;
        flash.write(at, words).await.map_err(|_| Failure::Program)
    }
}

/// Where `len` bytes that begin `distance` before the end of `slot` are on the flash.
fn place(slot: Region, distance: usize, len: usize) -> Result<u32, Failure> {
    let at = u32::try_from(distance).ok().and_then(|back| slot.len.checked_sub(back));
    let len = u32::try_from(len).map_err(|_| Failure::Misconfigured)?;
    at.and_then(|at| slot.at(at, len)).ok_or(Failure::Misconfigured)
}
