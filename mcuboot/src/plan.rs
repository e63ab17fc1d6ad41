//! Pure: what is where in the slots, and the steps of a swap in each mode: which unit is copied
//! where, and which status entry says that it is done.
//!
//! A step may be done twice as long as no later one was begun; that makes a swap resumable.
//!
//! ```text
//! primary   │ image …                │ free units │ (free) status entries │ fields, magic │
//! secondary │ image …, or one unit up│ free units │ (free)                │ fields, magic │
//!                                                 └─ trailer: whole erase units
//! ```

use crate::loader::Loader;
use coreota::blocking::Ready;
use coreota::boot::mcuboot::Mode;
use coreota::boot::mcuboot::trailer::{Field, Shape};
use coreota::error::Failure;
use coreota::layout::Region;
use embedded_storage::nor_flash::NorFlash;

/// Erase the unit at `to`, copy the unit at `from` there, then write `state` as `entry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// Counted in words from the start of the status; ascending from step to step.
    pub(crate) entry: u32,
    /// MCUboot's name of the state that is over, counted from 1 in each unit.
    pub(crate) state: u8,
}

/// A loader over a flash with certain units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) loader: Loader,
    pub(crate) shape: Shape,
    /// Bytes of an erase unit.
    pub(crate) unit: u32,
    /// Bytes of a word.
    pub(crate) word: u32,
    /// Bytes of a trailer: status and fields.
    trailer: u32,
}

impl Plan {
    /// Refuses slots that overlap, leave no room for a trailer, or are not of whole units.
    pub(crate) fn new<F: NorFlash>(loader: &Loader) -> Result<Self, Failure> {
        let number = |size| u32::try_from(size).map_err(|_| Failure::Misconfigured);
        let (unit, word) = (number(F::ERASE_SIZE)?, number(F::WRITE_SIZE)?);
        let shape = Shape::of::<Ready<F>>()?;
        let fields = number(shape.distance(size_field(loader.mode)))?;
        let entries = loader.status_units.checked_mul(states(loader.mode));
        let status = entries.and_then(|entries| entries.checked_mul(word));
        let trailer = status.and_then(|status| status.checked_add(fields));
        let trailer = trailer.ok_or(Failure::Misconfigured)?;
        let plan = Plan { loader: *loader, shape, unit, word, trailer };
        if plan.fits() { Ok(plan) } else { Err(Failure::Misconfigured) }
    }

    fn fits(&self) -> bool {
        let Loader { primary, secondary, scratch, mode, .. } = self.loader;
        let whole = |area: Region| {
            let bounds = (area.offset | area.len).checked_rem(self.unit) == Some(0);
            bounds && area.offset.checked_add(area.len).is_some()
        };
        let slot = |area: Region| whole(area) && area.len > self.trailer;
        let apart = |a: Region, b: Region| a.end() <= b.offset || b.end() <= a.offset;
        let scratch_fits = mode != Mode::SwapScratch
            || whole(scratch)
                && scratch.len >= self.unit
                && apart(primary, scratch)
                && apart(secondary, scratch);
        slot(primary) && slot(secondary) && apart(primary, secondary) && scratch_fits
    }

    /// The fields below the swap info: in swap-offset the sizes of the records, then always the
    /// size of the swap.
    pub(crate) const fn size_field(&self) -> Field {
        size_field(self.loader.mode)
    }

    /// Where the status begins on the flash.
    pub(crate) const fn status(&self) -> u32 {
        self.loader.primary.end().saturating_sub(self.trailer)
    }

    /// Entries of the status.
    pub(crate) const fn entries(&self) -> u32 {
        self.loader.status_units.saturating_mul(states(self.loader.mode))
    }

    /// Where an entry is on the flash.
    pub(crate) const fn entry(&self, entry: u32) -> u32 {
        self.status().saturating_add(entry.saturating_mul(self.word))
    }

    /// Where the erase units of the trailer begin on the flash.
    pub(crate) fn trailer_units(&self, slot: Region) -> u32 {
        let start = slot.end().saturating_sub(self.trailer);
        start.saturating_sub(start.checked_rem(self.unit).unwrap_or(0))
    }

    /// Where a staged image begins in the secondary slot.
    pub(crate) const fn staged(&self) -> u32 {
        self.loader.mode.image_offset(self.unit)
    }

    /// Bytes that an image may have in both slots, with what the mode needs beside it.
    pub(crate) fn room(&self) -> u32 {
        let Loader { primary, secondary, mode, status_units, .. } = self.loader;
        let spare = if mode == Mode::SwapMove { self.unit } else { 0 };
        let free = |slot: Region| self.trailer_units(slot).saturating_sub(slot.offset);
        let room = free(primary).saturating_sub(spare);
        let room = room.min(free(secondary).saturating_sub(self.staged()));
        room.min(status_units.saturating_mul(self.unit))
    }

    /// Units that `size` bytes reach into.
    pub(crate) fn units(&self, size: u32) -> u32 {
        size.div_ceil(self.unit.max(1))
    }

    /// Step `turn` of swapping the first `units` units, `None` behind the last; `back` for undoing
    /// such a swap.
    pub(crate) fn step(&self, turn: u32, units: u32, back: bool) -> Option<Step> {
        let Loader { primary, secondary, scratch, mode, status_units } = self.loader;
        let at =
            |area: Region, unit: u32| area.offset.saturating_add(unit.saturating_mul(self.unit));
        let last = units.checked_sub(1)?;
        match mode {
            // The old image goes to the same unit of the secondary slot, the new one comes from the
            // unit above. Back: the other way round, from the last unit to the first.
            Mode::SwapOffset => {
                let index = turn / 2;
                let unit = if back { last.checked_sub(index)? } else { index };
                let above = unit.checked_add(1)?;
                let (out, new) = if back { (above, unit) } else { (unit, above) };
                let (from, to) = match turn % 2 {
                    0 => (at(primary, unit), at(secondary, out)),
                    _ => (at(secondary, new), at(primary, unit)),
                };
                let step = Step { from, to, entry: turn, state: 1 + (turn % 2) as u8 };
                (index < units).then_some(step)
            }
            // First the old image moves up by one unit, the last unit first; then each new unit
            // comes in below it. Back is the same.
            Mode::SwapMove => {
                let Some(swapped) = turn.checked_sub(units) else {
                    let unit = last.checked_sub(turn)?;
                    let (from, to) = (at(primary, unit), at(primary, unit.checked_add(1)?));
                    return Some(Step { from, to, entry: turn, state: 1 });
                };
                let unit = swapped / 2;
                let (from, to) = match swapped % 2 {
                    0 => (at(secondary, unit), at(primary, unit)),
                    _ => (at(primary, unit.checked_add(1)?), at(secondary, unit)),
                };
                let entry = status_units.checked_add(swapped)?;
                let step = Step { from, to, entry, state: 1 + (swapped % 2) as u8 };
                (unit < units).then_some(step)
            }
            // Unit by unit through the scratch area, the last unit first. Back is the same.
            Mode::SwapScratch => {
                let unit = last.checked_sub(turn / 3)?;
                let (from, to) = match turn % 3 {
                    0 => (at(secondary, unit), scratch.offset),
                    1 => (at(primary, unit), at(secondary, unit)),
                    _ => (scratch.offset, at(primary, unit)),
                };
                Some(Step { from, to, entry: turn, state: 1 + (turn % 3) as u8 })
            }
            Mode::OverwriteOnly => {
                let (from, to) = (at(secondary, turn), at(primary, turn));
                (turn < units).then_some(Step { from, to, entry: 0, state: 0 })
            }
        }
    }
}

const fn size_field(mode: Mode) -> Field {
    Field::Below(if matches!(mode, Mode::SwapOffset) { 2 } else { 1 })
}

/// States of one unit's swap, and so the status entries it has.
const fn states(mode: Mode) -> u32 {
    match mode {
        Mode::SwapOffset => 2,
        _ => 3,
    }
}
