//! What the loader reads from and writes to flash: trailers, status entries, units.

use crate::plan::Plan;
use coreota::blocking::{Ready, block_on};
use coreota::boot::mcuboot::trailer::{Field, SET, Trailer};
use coreota::error::Failure;
use coreota::layout::Region;
use embedded_storage::nor_flash::NorFlash;

/// Largest word of a flash that MCUboot knows.
const WORD_MAX: usize = 32;
/// A flash is read in words of a divisor of this: the trailer's fields and a verifier's reads begin
/// at multiples of 8.
const READ_MAX: usize = 8;
/// Smallest buffer: a verifier wants as much.
const BUFFER_MIN: usize = 256;

pub(crate) struct Disk<'d, F> {
    flash: Ready<&'d mut F>,
    pub(crate) plan: Plan,
    buffer: &'d mut [u8],
}

impl<'d, F: NorFlash> Disk<'d, F> {
    pub(crate) fn new(flash: &'d mut F, plan: Plan, buffer: &'d mut [u8]) -> Result<Self, Failure> {
        let whole = buffer.len() / WORD_MAX * WORD_MAX;
        let buffer = buffer.get_mut(..whole).filter(|buffer| buffer.len() >= BUFFER_MIN);
        let areas = [plan.loader.primary, plan.loader.secondary, plan.loader.scratch];
        let inside = areas.iter().all(|area| area.end() as usize <= flash.capacity());
        match buffer {
            Some(buffer) if inside && READ_MAX.is_multiple_of(F::READ_SIZE) => {
                Ok(Disk { flash: Ready(flash), plan, buffer })
            }
            _ => Err(Failure::Misconfigured),
        }
    }

    /// The most that is read or copied at once.
    pub(crate) const fn chunk(&self) -> u32 {
        self.buffer.len() as u32
    }

    /// Bytes at `at`, which is a multiple of the flash's read size; at most [`Self::chunk`].
    pub(crate) fn read(&mut self, at: u32, len: u32) -> Result<&[u8], Failure> {
        let whole = (len as usize).next_multiple_of(F::READ_SIZE.max(1));
        let buffer = self.buffer.get_mut(..whole).ok_or(Failure::Bounds)?;
        self.flash.0.read(at, buffer).map_err(|_| Failure::Read)?;
        buffer.get(..len as usize).ok_or(Failure::Bounds)
    }

    /// A few bytes from anywhere.
    pub(crate) fn peek<const N: usize>(&mut self, at: u32) -> Result<[u8; N], Failure> {
        let before = at % READ_MAX as u32;
        let window = self.read(at.saturating_sub(before), before.saturating_add(N as u32))?;
        window.last_chunk().copied().ok_or(Failure::Bounds)
    }

    pub(crate) fn trailer(&mut self, slot: Region) -> Result<Trailer, Failure> {
        block_on(self.plan.shape.read(&mut self.flash, slot))
    }

    pub(crate) fn field(
        &mut self,
        slot: Region,
        field: Field,
        value: &[u8],
    ) -> Result<(), Failure> {
        block_on(self.plan.shape.write(&mut self.flash, slot, field, value))
    }

    pub(crate) fn flag(&mut self, slot: Region, field: Field) -> Result<(), Failure> {
        self.field(slot, field, &[SET])
    }

    pub(crate) fn magic(&mut self, slot: Region) -> Result<(), Failure> {
        block_on(self.plan.shape.write_magic(&mut self.flash, slot))
    }

    /// The size of the swap that the primary slot's trailer is about.
    pub(crate) fn swap_size(&mut self) -> Result<u32, Failure> {
        let back = self.plan.shape.distance(self.plan.size_field()) as u32;
        let at = self.plan.loader.primary.end().saturating_sub(back);
        self.peek(at).map(u32::from_le_bytes)
    }

    /// The highest status entry that was written.
    pub(crate) fn last_entry(&mut self) -> Result<Option<u32>, Failure> {
        for entry in (0..self.plan.entries()).rev() {
            if self.peek(self.plan.entry(entry))? != [0xff] {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    pub(crate) fn write_entry(&mut self, entry: u32, state: u8) -> Result<(), Failure> {
        let mut word = [0xff; WORD_MAX];
        let [first, ..] = &mut word;
        *first = state;
        let word = word.get(..F::WRITE_SIZE).ok_or(Failure::Misconfigured)?;
        self.flash.0.write(self.plan.entry(entry), word).map_err(|_| Failure::Program)
    }

    /// Erases the trailer's units, the last one first: with its magic goes what the rest means.
    pub(crate) fn erase_trailer(&mut self, slot: Region) -> Result<(), Failure> {
        let (start, mut at) = (self.plan.trailer_units(slot), slot.end());
        while at > start {
            at = at.saturating_sub(self.plan.unit);
            self.erase(at)?;
        }
        Ok(())
    }

    /// Erases a whole slot, from its first unit to its last.
    pub(crate) fn erase_slot(&mut self, slot: Region) -> Result<(), Failure> {
        let mut at = slot.offset;
        while at < slot.end() {
            self.erase(at)?;
            at = at.saturating_add(self.plan.unit);
        }
        Ok(())
    }

    /// Erases one unit.
    pub(crate) fn erase(&mut self, at: u32) -> Result<(), Failure> {
        let end = at.saturating_add(self.plan.unit);
        self.flash.0.erase(at, end).map_err(|_| Failure::Erase)
    }

    /// Erases the unit at `to` and copies the unit at `from` there.
    pub(crate) fn copy_unit(&mut self, from: u32, to: u32) -> Result<(), Failure> {
        self.erase(to)?;
        let mut done = 0;
        while done < self.plan.unit {
            let len = self.chunk().min(self.plan.unit.saturating_sub(done));
            let piece = self.buffer.get_mut(..len as usize).ok_or(Failure::Bounds)?;
            let flash = &mut *self.flash.0;
            flash.read(from.saturating_add(done), piece).map_err(|_| Failure::Read)?;
            flash.write(to.saturating_add(done), piece).map_err(|_| Failure::Program)?;
            done = done.saturating_add(len);
        }
        Ok(())
    }
}
