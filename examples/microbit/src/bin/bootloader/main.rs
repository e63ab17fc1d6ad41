//! The bootloader, on embassy-boot: swaps the slots where a new image waits, or one failed its
//! trial, and enters the image in the primary slot.
#![no_std]
#![no_main]

use core::cell::RefCell;
use coreota::boot::How;
use coreota::{Region, say};
use embassy_boot::{BootLoader, BootLoaderConfig, State};
use embassy_embedded_hal::flash::partition::BlockingPartition;
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use microbit::nvmc::Flash;
use microbit::ota::{PRIMARY, SECONDARY, STATE};
use microbit::{jump, time, uart};

/// Copied at once: an erase unit.
const CHUNK: usize = 1024;

#[cortex_m_rt::entry]
fn main() -> ! {
    microbit::start();
    if let Some(how) = boot() {
        uart::line(|line| say::loaded(line, how));
        jump::enter();
    }
    uart::line(|line| line.text("bootloader finds no image that it could start"));
    loop {
        time::sleep(u32::MAX);
    }
}

/// What was done; `None` where the flash does not do what it should.
fn boot() -> Option<How> {
    let flash = Mutex::<NoopRawMutex, _>::new(RefCell::new(Flash));
    let part = |Region { offset, len }| BlockingPartition::new(&flash, offset, len);
    let (active, dfu, state) = (part(PRIMARY), part(SECONDARY), part(STATE));
    let mut loader = BootLoader::new(BootLoaderConfig { active, dfu, state });
    let mut chunk = [0; CHUNK];
    let before = loader.prepare_boot(&mut chunk).ok()?;
    // It says `Swap` both when it swaps and when it undoes that; the state tells.
    Some(match (before, loader.read_state(&mut chunk).ok()?) {
        (State::Swap, State::Swap) => How::Trial,
        (State::Swap, _) => How::Reverted,
        _ => How::Unchanged,
    })
}
