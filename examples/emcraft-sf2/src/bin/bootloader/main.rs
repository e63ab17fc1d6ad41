//! The bootloader: swaps the slots where a new image waits or failed its trial, copies the image in
//! the primary slot to external RAM, and enters it there.
#![no_std]
#![no_main]

// What ota.toml chose for the board that is built.
#[cfg_attr(bootloader = "embassy-boot", path = "embassy.rs")]
#[cfg_attr(bootloader = "mcuboot", path = "mcuboot.rs")]
mod loader;

use coreota::boot::How;
use coreota::say;
use embedded_storage::nor_flash::ReadNorFlash;
use emcraft_sf2::ota::PRIMARY;
use emcraft_sf2::{console, window::Window};

/// What a loader leaves in the primary slot.
pub(crate) struct Booted {
    how: How,
    /// Where in the slot the vector table is.
    start: u32,
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut nor = emcraft_sf2::start();
    let mut window = Window::take();
    if let Some(Booted { how, start }) = loader::boot(&mut nor) {
        console::line(|line| say::loaded(line, how));
        if ReadNorFlash::read(&mut nor, PRIMARY.offset, window.bytes()).is_ok() {
            window.enter(start);
        }
    }
    console::line(|line| line.text("bootloader finds no image that it could start"));
    loop {
        cortex_m::asm::wfi();
    }
}
