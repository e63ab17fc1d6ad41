//! What the emcraft-sf2 board is made of: the drivers that its firmware and its bootloader share.
//!
//! A SmartFusion2 M2S010: a Cortex-M3 with 64 KiB of RAM, code in 256 KiB of flash of its own, 64 MiB
//! of external RAM, 16 MiB of SPI flash, Ethernet and a UART. `qemu-system-arm -M emcraft-sf2` is
//! one. Nothing here polls without sleeping: what waits, waits for an interrupt, if only that of the
//! next millisecond.
//!
//! | room | what is there |
//! |---|---|
//! | [`register`] | where the peripherals are; the only reads and writes of registers |
//! | [`console`] | lines of text out of the UART |
//! | [`spi`], [`nor`] | the SPI controller, and the flash chip on it as `NorFlash`, blocking and async |
//! | [`emac`] | the Ethernet MAC as a driver of embassy-net |
//! | [`executor`] | the loop that runs tasks and sleeps |
//! | [`time`] | the SysTick timer as the clock of embassy-time |
//! | [`memory`] | the heap of the MQTT client, the depth of the stack |
//! | [`window`] | the external RAM that the image is copied to, and the way into it |
//!
//! The binaries: `firmware` is what is updated, `bootloader` boots it.
#![no_std]

pub mod console;
pub mod emac;
pub mod executor;
pub mod memory;
pub mod nor;
pub mod register;
pub mod spi;
pub mod time;
pub mod window;

coreota::orchestrator!("../../ota.toml");

/// Starts what everything else needs: the clock and the pins of the flash.
///
/// # Panics
/// When called twice.
pub fn start() -> nor::Nor {
    let core = cortex_m::Peripherals::take().expect("started once");
    time::start(core.SYST);
    nor::Nor::new(spi::Spi::new())
}

/// Resets the processor into the bootloader.
pub fn reset() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

/// Without words: they would bring the formatting machinery along. The next boot goes on from flash.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    console::line(|line| line.text("panic"));
    reset()
}
