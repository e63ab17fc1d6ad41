//! The loader as the bootloader of a simulated device (feature `sim`, needs std).

use crate::{Booted, Loader, Stopped};
use core::convert::Infallible;
use coreota::error::Failure;
use coreota::sim::bootloader::{self, BootError, Bootloader};
use coreota::sim::nor::{NorError, SimNor};
use coreota::verify::{Claim, Next, Proven, Rules, Verified, Verifier};
use coreota::version::Version;
use std::vec::Vec;

/// A loader that asks a closure whether an image may run.
#[derive(Clone, Copy, Debug)]
pub struct Simulated(pub Loader);

impl Bootloader for Simulated {
    fn boot<const W: usize, const E: usize, const R: usize>(
        &self,
        nor: &mut SimNor<W, E, R>,
        authentic: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<bootloader::Booted, BootError> {
        let mut asked = Asked { authentic, image: Vec::new() };
        // In pieces of MCUboot's size, so that a cut can come where it can with MCUboot.
        let booted = self.0.boot(nor, &mut asked, &RULES, &mut [0; 1024]);
        let image = asked.image;
        match booted {
            Ok(Booted { how, .. }) => Ok(bootloader::Booted { image, how }),
            Err(_) if !nor.is_powered() => Err(NorError::PowerLost.into()),
            Err(Stopped::NoImage(_)) => Err(BootError::NoImage),
            Err(Stopped::Failed(failure)) => Err(BootError::Stopped(failure)),
        }
    }
}

/// Of no consequence: the closure decides.
const RULES: Rules = Rules {
    require: &[],
    keys: &[],
    board: "",
    board_required: false,
    running: Version::new(0, 0, 0),
    older_allowed: true,
    counter: 0,
};

/// A verifier that collects the image and shows it whole.
struct Asked<'a> {
    authentic: &'a mut dyn FnMut(&[u8]) -> bool,
    /// The image looked at last: at the end, the one that runs.
    image: Vec<u8>,
}

impl Asked<'_> {
    fn next(&mut self, claim: &Claim, chunk: u32) -> Next<Infallible> {
        let offset = self.image.len() as u32;
        match claim.size - offset {
            0 if (self.authentic)(&self.image) => {
                Next::Verdict(Ok(Proven::Image(Verified::simulated(offset))))
            }
            0 => Next::Verdict(Err(Failure::Signature)),
            left => Next::Read { offset, len: left.min(chunk) },
        }
    }
}

impl Verifier for Asked<'_> {
    type Plugin = Infallible;

    fn start(&mut self, _: &Rules, claim: &Claim, chunk: u32) -> Next<Infallible> {
        self.image.clear();
        self.next(claim, chunk)
    }

    fn feed(&mut self, _: &Rules, claim: &Claim, bytes: &[u8]) -> Next<Infallible> {
        self.image.extend(bytes);
        self.next(claim, bytes.len() as u32)
    }
}
