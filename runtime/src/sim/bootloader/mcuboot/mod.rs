//! A model of MCUboot: the same decisions, the same steps, the same bytes in flash.
//!
//! Checked against flash images that MCUboot wrote, in every state and in the middle of swaps:
//! swap-offset and swap-move do the same flash operations in the same order; swap-scratch and
//! overwrite-only come to the same end, and begin in a simpler order.
//! It models one pair of slots on one flash, without encryption, and refuses images that reach
//! into the erase units of a trailer.

mod disk;
mod image;
mod plan;

use super::{BootError, Booted, Bootloader, How};
use crate::boot::mcuboot::Mode;
use crate::boot::mcuboot::trailer::{Field, Flag, Magic, Trailer, swap};
use crate::layout::Region;
use crate::sim::nor::SimNor;
use disk::Disk;
use image::Image;
use plan::Ground;

/// MCUboot with its slots, as it was built.
#[derive(Clone, Copy, Debug)]
pub struct McubootModel {
    mode: Mode,
    primary: Region,
    secondary: Region,
    scratch: Region,
    status_units: usize,
}

impl McubootModel {
    /// Slots as MCUboot knows them, trailers included; 128 units of status, its default.
    pub const fn new(primary: Region, secondary: Region, mode: Mode) -> Self {
        McubootModel { mode, primary, secondary, scratch: Region::new(0, 0), status_units: 128 }
    }

    /// With this scratch area, for [`Mode::SwapScratch`].
    #[must_use]
    pub const fn scratch(self, scratch: Region) -> Self {
        McubootModel { scratch, ..self }
    }

    /// With status for so many erase units (MCUboot's `BOOT_MAX_IMG_SECTORS`).
    #[must_use]
    pub const fn status_units(self, status_units: usize) -> Self {
        McubootModel { status_units, ..self }
    }

    fn ground<const E: usize>(&self) -> Ground {
        let McubootModel { mode, primary, secondary, scratch, status_units } = *self;
        Ground { mode, primary, secondary, scratch, unit: E as u32, status_units }
    }
}

/// What swap the trailers ask for: MCUboot's table, the first row that fits.
fn decide(mode: Mode, primary: &Trailer, secondary: &Trailer) -> Option<u8> {
    let staged = secondary.magic == Magic::Good;
    if staged && secondary.image_ok == Flag::Unset {
        // In swap-offset a copy-done there marks a way back that has just begun.
        let back = mode == Mode::SwapOffset && secondary.copy_done == Flag::Set;
        Some(if back { swap::REVERT } else { swap::TEST })
    } else if staged && secondary.image_ok == Flag::Set {
        Some(swap::PERMANENT)
    } else if secondary.magic == Magic::Unset && primary.is_trial() {
        Some(swap::REVERT)
    } else {
        None
    }
}

impl Bootloader for McubootModel {
    fn boot<const W: usize, const E: usize, const R: usize>(
        &self,
        nor: &mut SimNor<W, E, R>,
        authentic: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Booted, BootError> {
        let mut run = Run { ground: self.ground::<E>(), disk: Disk::new(nor, self)? };
        let how = run.swap(authentic)?;
        let image = run.disk.image(self.primary, 0)?.filter(|image| authentic(&image.bytes));
        image.map(|Image { bytes, .. }| Booted { image: bytes, how }).ok_or(BootError::NoImage)
    }
}

/// One boot.
struct Run<'n, const W: usize, const E: usize, const R: usize> {
    ground: Ground,
    disk: Disk<'n, W, E, R>,
}

/// A swap that is to be done, or to be gone on with.
struct Swap {
    kind: u8,
    /// Bytes of the larger image.
    size: u32,
    /// Lengths of the unprotected TLVs, primary in the low half.
    tlvs: u32,
}

impl<const W: usize, const E: usize, const R: usize> Run<'_, W, E, R> {
    fn swap(&mut self, authentic: &mut dyn FnMut(&[u8]) -> bool) -> Result<How, BootError> {
        let Ground { mode, primary, secondary, .. } = self.ground;
        let (first, second) = (self.disk.trailer(primary)?, self.disk.trailer(secondary)?);
        // The status is valid from the primary's magic on, and rules once the request is erased.
        let begun = mode != Mode::OverwriteOnly
            && first.magic == Magic::Good
            && first.copy_done == Flag::Unset
            && second.magic != Magic::Good;
        let done = if begun { self.disk.last_entry()? } else { None };
        let recorded = first.swap.filter(|_| begun);
        let Some(kind) = recorded.or_else(|| decide(mode, &first, &second)) else {
            return Ok(How::Unchanged);
        };
        let swap = if done.is_some() {
            let size = self.disk.swap_size()?;
            Swap { kind, size, tlvs: 0 }
        } else {
            let Some(swap) = self.admit(kind, authentic)? else {
                return Ok(How::Refused);
            };
            swap
        };
        if mode == Mode::OverwriteOnly {
            self.overwrite(&swap)?;
            return Ok(How::Permanent);
        }
        if done.is_none() {
            self.begin(&swap, begun, &second)?;
        }
        let back = kind == swap::REVERT;
        for step in self.ground.steps(swap.size.div_ceil(E as u32), back) {
            if done.is_none_or(|done| step.entry > done) {
                self.disk.copy_unit(step.from, step.to)?;
                self.disk.write_entry(step.entry, step.state)?;
            }
        }
        self.finish(kind)
    }

    /// Looks at the images before anything is moved. A staged image that may not run is wiped out.
    fn admit(
        &mut self,
        kind: u8,
        authentic: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Option<Swap>, BootError> {
        let Ground { mode, primary, secondary, .. } = self.ground;
        let back = kind == swap::REVERT;
        let offset = if back { 0 } else { mode.image_offset(E as u32) };
        let old = self.disk.image(primary, 0)?;
        let new = self.disk.image(secondary, offset)?.filter(|image| authentic(&image.bytes));
        let (old_size, old_tlvs) = old.map_or((0, 0), |old| (old.bytes.len(), old.unprotected));
        let size = new.as_ref().map_or(0, |new| new.bytes.len()).max(old_size) as u32;
        match new {
            Some(new) if size <= self.disk.room() => {
                let tlvs = u32::from(old_tlvs) | u32::from(new.unprotected) << 16;
                Ok(Some(Swap { kind, size, tlvs }))
            }
            _ => {
                if !back {
                    self.disk.erase(secondary.offset + offset)?;
                    self.disk.erase_trailer(secondary)?;
                }
                Ok(None)
            }
        }
    }

    /// Moves the request from the secondary trailer into the primary one, with the status.
    fn begin(&mut self, swap: &Swap, begun: bool, second: &Trailer) -> Result<(), BootError> {
        let Ground { mode, primary, secondary, .. } = self.ground;
        if swap.kind == swap::REVERT && second.magic == Magic::Unset && !begun {
            // A way back has no request: write one, lest a cut below leaves no trace of it.
            self.disk.erase_trailer(secondary)?;
            if mode == Mode::SwapOffset {
                self.disk.flag(secondary, Field::CopyDone)?;
                self.record(secondary, swap)?;
            } else {
                self.disk.flag(secondary, Field::ImageOk)?;
                self.disk.sizes(secondary, swap.size, swap.tlvs)?;
                self.disk.magic(secondary)?;
            }
        }
        if !begun {
            self.disk.erase_trailer(primary)?;
            self.record(primary, swap)?;
        }
        self.disk.erase_trailer(secondary)
    }

    fn record(&mut self, slot: Region, swap: &Swap) -> Result<(), BootError> {
        self.disk.swap_info(slot, swap.kind)?;
        if self.disk.trailer(self.ground.secondary)?.image_ok == Flag::Set {
            self.disk.flag(slot, Field::ImageOk)?;
        }
        self.disk.sizes(slot, swap.size, swap.tlvs)?;
        self.disk.magic(slot)
    }

    fn finish(&mut self, kind: u8) -> Result<How, BootError> {
        let Ground { mode, primary, secondary, .. } = self.ground;
        if kind == swap::REVERT && mode == Mode::SwapOffset {
            // The unit above which the refused image lies again holds a copy of nothing useful.
            self.disk.erase(secondary.offset)?;
            self.disk.erase_trailer(secondary)?;
        }
        let to_stay = matches!(kind, swap::REVERT | swap::PERMANENT);
        if to_stay && self.disk.trailer(primary)?.image_ok == Flag::Unset {
            self.disk.flag(primary, Field::ImageOk)?;
        }
        self.disk.flag(primary, Field::CopyDone)?;
        Ok(match kind {
            swap::REVERT => How::Reverted,
            swap::PERMANENT => How::Permanent,
            _ => How::Trial,
        })
    }

    /// The request is erased last, so that a cut begins it all again.
    fn overwrite(&mut self, swap: &Swap) -> Result<(), BootError> {
        let Ground { primary, secondary, unit, .. } = self.ground;
        self.disk.erase_trailer(primary)?;
        for index in 0..swap.size.div_ceil(unit) {
            let at = index * unit;
            self.disk.copy_unit(secondary.offset + at, primary.offset + at)?;
        }
        self.disk.magic(primary)?;
        self.disk.erase_trailer(secondary)?;
        self.disk.erase(secondary.offset)
    }
}
