//! Simulated bootloaders: what happens between a reset and the first instruction of an image.
//!
//! Both work on the flash formats of the originals, can lose power at any operation and go on at
//! the next [`boot`](Bootloader::boot):
//!
//! - [`EmbassyLoader`] is embassy-boot's own `BootLoader`, run over a [`SimNor`];
//! - the `Loader` of the crate `coreota-mcuboot`, with its feature `sim`, is the bootloader that
//!   boards have, run over one too.

mod embassy;

pub use crate::boot::How;
pub use embassy::EmbassyLoader;

use super::nor::{NorError, SimNor};
use crate::error::Failure;
use std::vec::Vec;

/// Decides what runs after a reset.
pub trait Bootloader {
    /// Boots: finishes, begins or undoes a swap, as the flash says, and gives the image to run.
    ///
    /// `authentic` stands for the keys in the bootloader: whether these bytes, an image with all
    /// its signatures, may run.
    ///
    /// # Errors
    /// [`BootError::Flash`] with [`NorError::PowerLost`] when the fuse blew: power on, boot again.
    fn boot<const W: usize, const E: usize, const R: usize>(
        &self,
        nor: &mut SimNor<W, E, R>,
        authentic: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Booted, BootError>;
}

/// The image that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booted {
    /// Its bytes: for MCUboot from header to last signature, for embassy-boot the whole slot.
    pub image: Vec<u8>,
    /// How it came to run.
    pub how: How,
}

/// Why nothing runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootError {
    /// The flash failed; after a power cut a further boot goes on.
    Flash(NorError),
    /// There is no authentic image to run: the device is a brick.
    NoImage,
    /// The bootloader does not get on: slots that do not fit the flash, or an operation that the
    /// flash refuses.
    Stopped(Failure),
}

impl From<NorError> for BootError {
    fn from(error: NorError) -> Self {
        BootError::Flash(error)
    }
}
