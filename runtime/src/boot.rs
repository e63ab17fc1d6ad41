//! Bootloader adapters: stage an image, learn what runs, confirm it.
//!
//! An adapter writes the bootloader's own flags, in its own format, and nothing else. It does not
//! decide whether an update succeeded: that is the journal's word against the digest of what runs.

pub mod embassy;
pub mod mcuboot;

use crate::{error::Failure, verify::Verified};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

/// What the bootloader's flags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum BootState {
    /// Nothing is going on: the running image is confirmed.
    Settled,
    /// An image is staged; the next reset tries it.
    Staged,
    /// The running image is on trial: without [`Boot::confirm`] the next reset goes back.
    Trial,
    /// The bootloader went back to the image that runs now.
    Reverted,
}

/// What a bootloader did before it gave control away; its adapters learn of it by [`BootState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum How {
    /// Nothing: the image that ran before runs again.
    Unchanged,
    /// A new image was brought in, on trial.
    Trial,
    /// A new image was brought in, to stay.
    Permanent,
    /// The image before it was brought back, since the one on trial was not confirmed.
    Reverted,
    /// The staged image was not authentic; the image that ran before runs again.
    Refused,
}

/// A bootloader adapter. Write your own by giving these three; a reset while the state is
/// [`BootState::Trial`] must bring the previous image back.
///
/// Every method may be cut by a power loss at any flash operation and is then called again.
#[also_blocking]
#[allow(async_fn_in_trait)] // device executors are single-threaded: futures need not be Send
pub trait Boot {
    /// Reads the bootloader's flags; writes nothing.
    ///
    /// # Errors
    /// [`Failure::BootState`] or [`Failure::Read`].
    async fn state<F: NorFlash>(&mut self, flash: &mut F) -> Result<BootState, Failure>;

    /// Makes the bootloader try the image in the slot at the next reset.
    ///
    /// # Errors
    /// [`Failure::Stage`], or what the flash said.
    async fn stage<F: NorFlash>(&mut self, flash: &mut F, image: Verified) -> Result<(), Failure>;

    /// Makes the running image permanent. Without effect where it already is.
    ///
    /// # Errors
    /// [`Failure::Confirm`], or what the flash said.
    async fn confirm<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure>;
}
