//! What the model reads from and writes to flash: trailers, status entries, units, images.

use super::image::{self, Image};
use super::plan::Ground;
use super::{BootError, McubootModel};
use crate::boot::mcuboot::Mode;
use crate::boot::mcuboot::trailer::{Field, SET, Shape, Trailer};
use crate::error::Failure;
use crate::layout::Region;
use crate::sim::nor::{NorError, SimNor};
use crate::sim::run;
use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use std::vec;
use std::vec::Vec;

/// MCUboot copies in pieces of this size, and a cut can come between them.
const PIECE: usize = 1024;

pub(super) struct Disk<'n, const W: usize, const E: usize, const R: usize> {
    nor: &'n mut SimNor<W, E, R>,
    ground: Ground,
    shape: Shape,
}

impl<'n, const W: usize, const E: usize, const R: usize> Disk<'n, W, E, R> {
    pub(super) fn new(
        nor: &'n mut SimNor<W, E, R>,
        model: &McubootModel,
    ) -> Result<Self, BootError> {
        let shape = Shape::of::<SimNor<W, E, R>>().map_err(BootError::Stopped)?;
        let disk = Disk { nor, ground: model.ground::<E>(), shape };
        let whole = |slot: Region| (slot.offset | slot.len).is_multiple_of(E as u32);
        let apart = [model.primary, model.secondary].iter().all(|slot| {
            whole(*slot)
                && slot.len as usize > disk.trailer_len()
                && slot.end() as usize <= disk.nor.capacity()
        });
        if apart { Ok(disk) } else { Err(BootError::Stopped(Failure::Misconfigured)) }
    }

    /// The adapter's trailer code speaks of failures; whether it was the power, the flash knows.
    fn lift<T>(&self, result: Result<T, Failure>) -> Result<T, BootError> {
        result.map_err(|failure| {
            if self.nor.is_powered() {
                BootError::Stopped(failure)
            } else {
                BootError::Flash(NorError::PowerLost)
            }
        })
    }

    pub(super) fn trailer(&mut self, slot: Region) -> Result<Trailer, BootError> {
        let trailer = run(self.shape.read(self.nor, slot));
        self.lift(trailer)
    }

    fn field(&mut self, slot: Region, field: Field, value: &[u8]) -> Result<(), BootError> {
        let written = run(self.shape.write(self.nor, slot, field, value));
        self.lift(written)
    }

    pub(super) fn flag(&mut self, slot: Region, field: Field) -> Result<(), BootError> {
        self.field(slot, field, &[SET])
    }

    pub(super) fn swap_info(&mut self, slot: Region, kind: u8) -> Result<(), BootError> {
        self.field(slot, Field::SwapInfo, &[kind])
    }

    pub(super) fn magic(&mut self, slot: Region) -> Result<(), BootError> {
        let written = run(self.shape.write_magic(self.nor, slot));
        self.lift(written)
    }

    /// Fields below the swap info: in swap-offset the TLV sizes, then always the swap size.
    fn size_field(&self) -> Field {
        Field::Below(if self.ground.mode == Mode::SwapOffset { 2 } else { 1 })
    }

    pub(super) fn sizes(&mut self, slot: Region, size: u32, tlvs: u32) -> Result<(), BootError> {
        self.field(slot, self.size_field(), &size.to_le_bytes())?;
        if self.ground.mode == Mode::SwapOffset {
            self.field(slot, Field::Below(1), &tlvs.to_le_bytes())?;
        }
        Ok(())
    }

    pub(super) fn swap_size(&mut self) -> Result<u32, BootError> {
        let at = self.ground.primary.end() - self.shape.distance(self.size_field()) as u32;
        let mut bytes = [0; 4];
        ReadNorFlash::read(self.nor, at, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn entries(&self) -> usize {
        self.ground.status_units * self.ground.states()
    }

    /// Status and fields, in bytes.
    fn trailer_len(&self) -> usize {
        self.shape.distance(self.size_field()) + self.entries() * W
    }

    fn status_start(&self) -> u32 {
        self.ground.primary.end() - self.trailer_len() as u32
    }

    /// The highest status entry that was written.
    pub(super) fn last_entry(&mut self) -> Result<Option<usize>, BootError> {
        let mut status = vec![0; self.entries() * W];
        ReadNorFlash::read(self.nor, self.status_start(), &mut status)?;
        Ok(status.chunks(W).rposition(|entry| entry.first().is_some_and(|byte| *byte != 0xff)))
    }

    pub(super) fn write_entry(&mut self, entry: usize, state: u8) -> Result<(), BootError> {
        let mut word = [0xff; W];
        word[0] = state;
        let at = self.status_start() + (entry * W) as u32;
        Ok(NorFlash::write(self.nor, at, &word)?)
    }

    /// Where the erase units of the trailer begin, in a slot.
    fn trailer_units(&self, slot: Region) -> u32 {
        (slot.len - self.trailer_len() as u32) / E as u32 * E as u32
    }

    /// Bytes that an image may have in both slots, with what the mode needs beside it.
    pub(super) fn room(&self) -> u32 {
        let Ground { mode, primary, secondary, unit, .. } = self.ground;
        let spare = if mode == Mode::SwapMove { unit } else { 0 };
        let first = self.trailer_units(primary).saturating_sub(spare);
        first.min(self.trailer_units(secondary).saturating_sub(mode.image_offset(unit)))
    }

    pub(super) fn erase_trailer(&mut self, slot: Region) -> Result<(), BootError> {
        let start = slot.offset + self.trailer_units(slot);
        Ok(NorFlash::erase(self.nor, start, slot.end())?)
    }

    /// Erases one unit.
    pub(super) fn erase(&mut self, at: u32) -> Result<(), BootError> {
        Ok(NorFlash::erase(self.nor, at, at + E as u32)?)
    }

    /// Erases the unit at `to` and copies the unit at `from` there.
    pub(super) fn copy_unit(&mut self, from: u32, to: u32) -> Result<(), BootError> {
        self.erase(to)?;
        let mut bytes: Vec<u8> = vec![0; E];
        ReadNorFlash::read(self.nor, from, &mut bytes)?;
        for (index, piece) in bytes.chunks(PIECE).enumerate() {
            NorFlash::write(self.nor, to + (index * PIECE) as u32, piece)?;
        }
        Ok(())
    }

    /// The image that begins at `offset` of a slot.
    pub(super) fn image(&mut self, slot: Region, offset: u32) -> Result<Option<Image>, BootError> {
        let room = slot.len.saturating_sub(offset);
        Ok(image::find(self.nor, slot.offset + offset, room)?)
    }
}
