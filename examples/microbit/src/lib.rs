//! What the microbit board is made of: the drivers that its firmware and its bootloader share.
//!
//! A nRF51822: a Cortex-M0 with 16 KiB of RAM and 256 KiB of flash that the code runs in, while
//! other pages of it are programmed. One UART is all its way out: the console and the broker are
//! both at the other end of it. `qemu-system-arm -M microbit` is one.
//!
//! A Cortex-M0 cannot move its vector table, so what interrupts would go to is the bootloader's.
//! Nobody takes any: interrupts stay masked, and only end the sleep of who waits for them.
//!
//! | room | what is there |
//! |---|---|
//! | [`register`] | where the peripherals are; the only reads and writes of registers |
//! | [`uart`] | the serial line, and lines of text on it |
//! | [`nvmc`] | the flash as `NorFlash` |
//! | [`time`] | a timer as the clock; sleep until something happens |
//! | [`memory`] | the depth of the stack |
//! | [`jump`] | the way from the bootloader into the image |
//!
//! The binaries: `firmware` is what is updated, `bootloader` boots it.
#![no_std]

pub mod jump;
pub mod memory;
pub mod nvmc;
pub mod register;
pub mod time;
pub mod uart;

coreota::orchestrator!("../../ota.toml");

/// Starts what everything else needs: the clock and the serial line. Masks interrupts for good.
pub fn start() {
    cortex_m::interrupt::disable();
    time::start();
    uart::start();
}

/// Resets the processor into the bootloader.
pub fn reset() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

/// Without words: they would bring the formatting machinery along. The next boot goes on from flash.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    uart::line(|line| line.text("panic"));
    reset()
}

/// That of the bootloader is for the firmware's faults as well.
#[allow(unsafe_code)]
#[cortex_m_rt::exception]
unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
    uart::line(|line| line.text("fault"));
    reset()
}
