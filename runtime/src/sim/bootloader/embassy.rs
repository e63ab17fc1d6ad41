//! embassy-boot, the real one, over a simulated flash. It checks no signatures; `authentic` is
//! asked about the image it chose, so that a test notices when that is none.

use super::{BootError, Booted, Bootloader, How};
use crate::error::Failure;
use crate::layout::Region;
use crate::sim::nor::{NorError, Part, SimNor};
use core::cell::RefCell;
use embassy_boot::{BootLoader, BootLoaderConfig, State};
use embedded_storage::nor_flash::ReadNorFlash;
use std::vec;

/// embassy-boot with its three partitions on one flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbassyLoader {
    active: Region,
    dfu: Region,
    state: Region,
}

impl EmbassyLoader {
    /// The partitions, by embassy-boot's names: `dfu` is at least one erase unit larger than
    /// `active`; `state` has two words and four more for each erase unit of `active`.
    pub const fn new(active: Region, dfu: Region, state: Region) -> Self {
        EmbassyLoader { active, dfu, state }
    }
}

impl Bootloader for EmbassyLoader {
    fn boot<const W: usize, const E: usize, const R: usize>(
        &self,
        nor: &mut SimNor<W, E, R>,
        authentic: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<Booted, BootError> {
        let shared = RefCell::new(&mut *nor);
        let part = |region: Region| Part::new(&shared, region.offset, region.len);
        let (active, dfu, state) = (part(self.active), part(self.dfu), part(self.state));
        let mut loader = BootLoader::new(BootLoaderConfig { active, dfu, state });
        let mut page = vec![0; E];
        // Before and after, since `prepare_boot` says `Swap` both when it swaps and when it undoes.
        let prepared = loader.prepare_boot(&mut page).and_then(|before| {
            let after = loader.read_state(&mut page)?;
            Ok((before, after))
        });
        if !nor.is_powered() {
            return Err(NorError::PowerLost.into());
        }
        let how = match prepared {
            Ok((State::Swap, State::Swap)) => How::Trial,
            Ok((State::Swap, _)) => How::Reverted,
            Ok(_) => How::Unchanged,
            Err(_) => return Err(BootError::Stopped(Failure::Program)),
        };
        let mut image = vec![0; self.active.len as usize];
        ReadNorFlash::read(nor, self.active.offset, &mut image)?;
        if authentic(&image) { Ok(Booted { image, how }) } else { Err(BootError::NoImage) }
    }
}
