//! The bootloader: swaps the slots where a new image waits or failed its trial, and enters the image in
//! the primary slot. It is embassy-boot: whether an image is authentic was for the firmware to say.
#![no_std]
#![no_main]

use core::cell::RefCell;

use coreota::boot::How;
use coreota::layout::Region;
use coreota::say;
use embassy_boot::{BootLoader, BootLoaderConfig, State};
use embassy_embedded_hal::flash::partition::BlockingPartition;
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use virt_riscv32::nor::Nor;
use virt_riscv32::ota::{PRIMARY, SECONDARY, STATE};
use virt_riscv32::{console, start};

/// Copied at once.
const CHUNK: usize = 4096;

#[riscv_rt::entry]
fn main() -> ! {
    let mut nor = virt_riscv32::start();
    if let Some(how) = boot(&mut nor) {
        console::line(|line| say::loaded(line, how));
        start::image();
    }
    console::line(|line| line.text("bootloader finds no image that it could start"));
    loop {
        riscv::asm::wfi();
    }
}

/// `None` where the flash does not do what it should.
fn boot(nor: &mut Nor) -> Option<How> {
    let flash = Mutex::<NoopRawMutex, _>::new(RefCell::new(nor));
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
