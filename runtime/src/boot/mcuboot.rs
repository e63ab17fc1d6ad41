//! MCUboot: the trailers at the ends of its two slots.
//!
//! The application's half of MCUboot's protocol: it asks for a swap by a trailer in the secondary
//! slot and confirms by one flag in the primary one. What MCUboot then does, and the images
//! themselves, are not its business. The bytes are those of MCUboot's own `boot_set_pending` and
//! `boot_set_confirmed`, for every write size; see [`trailer`] for where each is.
//!
//! | method | writes | a power cut in it leaves |
//! |---|---|---|
//! | `stage` | secondary: swap type, (permanent: image-ok,) then the magic | nothing staged, until the magic is whole |
//! | `confirm` | primary: image-ok | a trial, or a confirmed image |
//!
//! | trailers | is |
//! |---|---|
//! | secondary: magic | [`Staged`](BootState::Staged) |
//! | primary: magic, copy-done, no image-ok | [`Trial`](BootState::Trial) |
//! | primary: magic, swap type "revert" | [`Reverted`](BootState::Reverted), until the next swap |
//! | anything else, a torn flag included | [`Settled`](BootState::Settled): MCUboot leaves it so |
//!
//! MCUboot goes back from a trial only while the secondary slot has no magic at all. Where a cut
//! tore its own request to go back, the image stays on trial until it is confirmed or replaced;
//! `stage` repairs that trailer too.
//!
//! Unlike MCUboot's own functions it writes the magic last, since that is what asks for the swap,
//! and it erases the units of a trailer before it writes there, so that one that a cut left half
//! written is repaired; unless the image reaches into them, as swap-scratch and overwrite-only
//! allow: then the trailer must be blank.

pub mod trailer;

use super::{Boot, BootState};
use crate::{blocking::FlashBlocking as _, error::Failure, layout::Region, verify::Verified};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;
use trailer::{Field, Flag, Magic, Shape, Trailer, swap};

/// How MCUboot was built to bring a new image in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Mode {
    /// Swaps after moving the primary image up by one erase unit (`MCUBOOT_SWAP_USING_MOVE`).
    SwapMove,
    /// Swaps with an image that was written one erase unit into the secondary slot
    /// (`MCUBOOT_SWAP_USING_OFFSET`).
    SwapOffset,
    /// Swaps through a scratch area (`MCUBOOT_SWAP_USING_SCRATCH`).
    SwapScratch,
    /// Copies the new image over the old one: no trial, no way back (`MCUBOOT_OVERWRITE_ONLY`).
    OverwriteOnly,
}

impl Mode {
    /// Where in the secondary slot a new image begins, in bytes.
    pub const fn image_offset(self, erase_size: u32) -> u32 {
        match self {
            Mode::SwapOffset => erase_size,
            _ => 0,
        }
    }
}

/// The adapter for one pair of slots. Both start and end at erase units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mcuboot {
    primary: Region,
    secondary: Region,
    mode: Mode,
    permanent: bool,
}

#[also_blocking]
impl Mcuboot {
    /// Slots as MCUboot knows them, trailers included.
    pub const fn new(primary: Region, secondary: Region, mode: Mode) -> Self {
        Mcuboot { primary, secondary, mode, permanent: false }
    }

    /// Stages images to stay, without a trial: for devices that cannot test themselves.
    #[must_use]
    pub const fn permanent(self) -> Self {
        Mcuboot { permanent: true, ..self }
    }

    /// What the trailer of a staged image says.
    const fn wanted(&self) -> (u8, Flag) {
        if self.permanent { (swap::PERMANENT, Flag::Set) } else { (swap::TEST, Flag::Unset) }
    }

    /// Writes the request, the magic last: it is the commit.
    async fn request<F: NorFlash>(&self, flash: &mut F, shape: Shape) -> Result<(), Failure> {
        shape.write(flash, self.secondary, Field::SwapInfo, &[self.wanted().0]).await?;
        if self.permanent {
            shape.write(flash, self.secondary, Field::ImageOk, &[trailer::SET]).await?;
        }
        shape.write_magic(flash, self.secondary).await
    }
}

#[also_blocking]
impl Boot for Mcuboot {
    async fn state<F: NorFlash>(&mut self, flash: &mut F) -> Result<BootState, Failure> {
        let shape = Shape::of::<F>()?;
        let secondary = shape.read(flash, self.secondary).await?;
        let primary = shape.read(flash, self.primary).await?;
        Ok(if secondary.magic == Magic::Good && secondary.copy_done != Flag::Set {
            BootState::Staged
        } else if primary.is_trial() {
            BootState::Trial
        } else if primary.magic == Magic::Good && primary.swap == Some(swap::REVERT) {
            BootState::Reverted
        } else {
            BootState::Settled
        })
    }

    #[inline(never)]
    async fn stage<F: NorFlash>(&mut self, flash: &mut F, image: Verified) -> Result<(), Failure> {
        let shape = Shape::of::<F>()?;
        let erase_size = erase_size::<F>()?;
        let (swap, image_ok) = self.wanted();
        let wanted = Trailer {
            magic: Magic::Good,
            swap: Some(swap),
            image_ok,
            copy_done: Flag::Unset,
            blank: false,
        };
        let before = shape.read(flash, self.secondary).await?;
        if before == wanted {
            return Ok(());
        }
        // Erased first wherever the image leaves the units free, even if they look blank: a word
        // that a cut tore may look so and not be.
        let units = shape.units(self.secondary, erase_size).ok_or(Failure::Misconfigured)?;
        let start = self.secondary.offset.checked_add(self.mode.image_offset(erase_size));
        let end = start.and_then(|start| start.checked_add(image.size()));
        if end.is_some_and(|end| end <= units.start) {
            flash.erase(units.start, units.end).await.map_err(|_| Failure::Erase)?;
        } else if !before.blank {
            return Err(Failure::Stage);
        }
        self.request(flash, shape).await?;
        match shape.read(flash, self.secondary).await? {
            written if written == wanted => Ok(()),
            _ => Err(Failure::Stage),
        }
    }

    async fn confirm<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure> {
        let shape = Shape::of::<F>()?;
        let before = shape.read(flash, self.primary).await?;
        // Without a magic there is no trial. A flag that is neither set nor unset (torn by a cut)
        // already stops the way back; setting it is for the reader's sake and may fail.
        if before.magic != Magic::Good || before.image_ok == Flag::Set {
            return Ok(());
        }
        let written = shape.write(flash, self.primary, Field::ImageOk, &[trailer::SET]).await;
        if written.is_err() && before.image_ok == Flag::Unset {
            // A cut left the word torn though it looks erased, and it cannot be programmed again.
            // No trailer at all is confirmed too, where no image can reach into its units.
            if !matches!(self.mode, Mode::SwapMove | Mode::SwapOffset) {
                return Err(Failure::Confirm);
            }
            let units = shape.units(self.primary, erase_size::<F>()?);
            let units = units.ok_or(Failure::Misconfigured)?;
            flash.erase(units.start, units.end).await.map_err(|_| Failure::Erase)?;
        }
        let after = shape.read(flash, self.primary).await?;
        let going_back = after.magic == Magic::Good && after.image_ok == Flag::Unset;
        if going_back { Err(Failure::Confirm) } else { Ok(()) }
    }
}

fn erase_size<F: NorFlash>() -> Result<u32, Failure> {
    u32::try_from(F::ERASE_SIZE).map_err(|_| Failure::Misconfigured)
}
