//! embassy-boot: the image is the whole slot, and whether it is authentic was for the firmware to say.

use core::cell::RefCell;

use coreota::boot::How;
use coreota::layout::Region;
use embassy_boot::{BootLoader, BootLoaderConfig, State};
use embassy_embedded_hal::flash::partition::BlockingPartition;
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use emcraft_sf2::nor::Nor;
use emcraft_sf2::ota::{PRIMARY, SECONDARY, STATE};

use crate::Booted;

/// Copied at once: 16 of them are an erase unit.
const CHUNK: usize = 4096;

/// `None` where the flash does not do what it should.
pub(crate) fn boot(nor: &mut Nor) -> Option<Booted> {
    let flash = Mutex::<NoopRawMutex, _>::new(RefCell::new(nor));
    let part = |Region { offset, len }| BlockingPartition::new(&flash, offset, len);
    let (active, dfu, state) = (part(PRIMARY), part(SECONDARY), part(STATE));
    let mut loader = BootLoader::new(BootLoaderConfig { active, dfu, state });
    let mut chunk = [0; CHUNK];
    let before = loader.prepare_boot(&mut chunk).ok()?;
    // It says `Swap` both when it swaps and when it undoes that; the state tells.
    let how = match (before, loader.read_state(&mut chunk).ok()?) {
        (State::Swap, State::Swap) => How::Trial,
        (State::Swap, _) => How::Reverted,
        _ => How::Unchanged,
    };
    Some(Booted { how, start: 0 })
}
