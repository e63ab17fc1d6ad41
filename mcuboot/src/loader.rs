//! The loader as a board sees it: its slots, and one call at each reset.

use crate::disk::Disk;
use crate::image::{Image, Judge};
use crate::plan::Plan;
use crate::swap;
use coreota::boot::How;
use coreota::boot::mcuboot::Mode;
use coreota::error::Failure;
use coreota::layout::Region;
use coreota::verify::{Rules, Verified, Verifier};
use embedded_storage::nor_flash::NorFlash;

/// The bootloader of one pair of slots, which start and end at erase units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loader {
    pub(crate) primary: Region,
    pub(crate) secondary: Region,
    pub(crate) scratch: Region,
    pub(crate) mode: Mode,
    pub(crate) status_units: u32,
}

/// What is to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booted {
    /// How it came to run.
    pub how: How,
    /// The whole image in flash, from header to last record.
    pub image: Region,
    /// Its code in flash; the vector table is its first byte.
    pub payload: Region,
    /// Where the code wants to be, as the header says; 0 for "where it lies".
    pub load_address: u32,
    /// What was proved of it: its digest and version.
    pub verified: Verified,
}

/// Why nothing is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The flash failed, or the slots do not suit it ([`Failure::Misconfigured`]).
    Failed(Failure),
    /// The primary slot has no image that may run, for this reason. A reset helps where it was on
    /// trial: then the boot after it goes back.
    NoImage(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Stopped::Failed(failure)
    }
}

impl Loader {
    /// Slots as MCUboot knows them, trailers included; status for 128 erase units, its default.
    ///
    /// | mode | wants |
    /// |---|---|
    /// | swap-offset | a secondary slot that is one erase unit longer, or images one unit shorter |
    /// | swap-move | one free erase unit behind the images in the primary slot |
    /// | swap-scratch | a [scratch](Self::scratch) area |
    pub const fn new(primary: Region, secondary: Region, mode: Mode) -> Self {
        let scratch = Region::new(0, 0);
        Loader { primary, secondary, scratch, mode, status_units: 128 }
    }

    /// With this scratch area, of which one erase unit is used: for [`Mode::SwapScratch`].
    #[must_use]
    pub const fn scratch(self, scratch: Region) -> Self {
        Loader { scratch, ..self }
    }

    /// With status for so many erase units: the longest image in units, and MCUboot's
    /// `BOOT_MAX_IMG_SECTORS`, on which the length of the trailer depends.
    #[must_use]
    pub const fn status_units(self, status_units: u32) -> Self {
        Loader { status_units, ..self }
    }

    /// Longest image in bytes that both slots take, on a flash with these units; 0 where the slots
    /// have no room for a trailer.
    pub fn capacity<F: NorFlash>(&self) -> u32 {
        Plan::new::<F>(self).map_or(0, |plan| plan.room())
    }

    /// Boots. May lose its power at any flash operation, and is then called again.
    ///
    /// `buffer` is at least 256 bytes; MCUboot copies in pieces of 1024. The flash reads in words of
    /// at most 8 bytes.
    ///
    /// # Errors
    /// [`Stopped`]: nothing can be started.
    pub fn boot<F: NorFlash, V: Verifier>(
        &self,
        flash: &mut F,
        verifier: &mut V,
        rules: &Rules,
        buffer: &mut [u8],
    ) -> Result<Booted, Stopped> {
        let plan = Plan::new::<F>(self)?;
        let mut disk = Disk::new(flash, plan, buffer)?;
        let mut judge = Judge { verifier, rules };
        let how = swap::run(&mut disk, &mut judge)?;
        let Image { at, header, size, .. } =
            disk.image(self.primary, 0)?.ok_or(Stopped::NoImage(Failure::Format))?;
        let verified = disk.judge(&mut judge, at, size)?.map_err(Stopped::NoImage)?;
        Ok(Booted {
            how,
            image: Region::new(at, size),
            payload: Region::new(at.saturating_add(header.header.into()), header.image),
            load_address: header.load_address,
            verified,
        })
    }
}
