//! The bootloader: swaps the slots where a new image waits or failed its trial, copies the image in
//! the primary slot to external RAM, and enters it there.
#![no_std]
#![no_main]

use embedded_storage::nor_flash::ReadNorFlash;
use emcraft_sf2::ota::PRIMARY;
use emcraft_sf2::{console, nor::Nor, window::Window};

/// How the slots were found and left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Unchanged,
    Swapped,
    SwappedBack,
    /// The flash, or what is in it, does not let it go on.
    Stuck,
}

// The bootloader in ota.toml is a module here, with `prepare(&mut Nor) -> How`.
#[cfg(bootloader = "embassy-boot")]
use embassy::prepare;

#[cfg(bootloader = "embassy-boot")]
mod embassy {
    use super::{How, Nor, PRIMARY};
    use core::cell::RefCell;
    use coreota::layout::Region;
    use embassy_boot::{BootLoader, BootLoaderConfig, State};
    use embassy_embedded_hal::flash::partition::BlockingPartition;
    use embassy_sync::blocking_mutex::Mutex;
    use embassy_sync::blocking_mutex::raw::NoopRawMutex;
    use emcraft_sf2::ota::{SECONDARY, STATE};

    /// Copied at once: 16 of them are an erase unit.
    const CHUNK: usize = 4096;

    pub(super) fn prepare(nor: &mut Nor) -> How {
        let flash = Mutex::<NoopRawMutex, _>::new(RefCell::new(nor));
        let part = |Region { offset, len }| BlockingPartition::new(&flash, offset, len);
        let (active, dfu, state) = (part(PRIMARY), part(SECONDARY), part(STATE));
        let mut loader = BootLoader::new(BootLoaderConfig { active, dfu, state });
        let mut chunk = [0; CHUNK];
        let before = loader.prepare_boot(&mut chunk);
        // It says `Swap` both when it swaps and when it undoes that; the state tells.
        match (before, loader.read_state(&mut chunk)) {
            (Ok(State::Swap), Ok(State::Swap)) => How::Swapped,
            (Ok(State::Swap), Ok(_)) => How::SwappedBack,
            (Ok(_), Ok(_)) => How::Unchanged,
            _ => How::Stuck,
        }
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut nor = emcraft_sf2::start();
    let how = prepare(&mut nor);
    console::line(|line| {
        line.text("bootloader ");
        line.text(match how {
            How::Unchanged => "starts the image",
            How::Swapped => "swapped the slots and starts the new image on trial",
            How::SwappedBack => "swapped the slots back and starts the image of before",
            How::Stuck => "cannot go on: the flash does not do what it should",
        });
    });
    let mut window = Window::take();
    let read = ReadNorFlash::read(&mut nor, PRIMARY.offset, window.bytes());
    if how != How::Stuck && read.is_ok() {
        window.enter();
    }
    console::line(|line| line.text("bootloader finds no image that it could start"));
    loop {
        cortex_m::asm::wfi();
    }
}
