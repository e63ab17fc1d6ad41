//! What the virt-riscv32 board is made of: the drivers that its firmware and its bootloader share.
//!
//! A single RV32IMAC hart with RAM, 32 MiB of NOR flash that code runs in, Ethernet and a UART.
//! `qemu-system-riscv32 -M virt` is one. There is no executor and no interrupt handler: what
//! waits looks, sleeps until a device or the timer interrupts, and looks again.
//!
//! | room | what is there |
//! |---|---|
//! | [`register`] | where the peripherals are; the only reads and writes of registers |
//! | [`console`] | lines of text out of the UART |
//! | [`time`], [`interrupts`] | the timer, sleep, and which devices end it |
//! | [`nor`] | the flash as `NorFlash`, changed from RAM while code runs in it |
//! | [`ethernet`] | the virtio network device as a device of smoltcp |
//! | [`memory`] | the heap of the MQTT client, the depth of the stack |
//! | [`start`](mod@start) | how an image is entered |
//!
//! The binaries: `firmware` is what is updated, `bootloader` boots it.
#![no_std]

pub mod console;
pub mod ethernet;
pub mod interrupts;
pub mod memory;
pub mod nor;
pub mod register;
pub mod start;
pub mod time;

use register::Block::Finisher;

coreota::orchestrator!("../../ota.toml");

/// Resets the machine.
const RESET: u32 = 0x7777;

/// Starts what everything else needs: the clock and the console. To be called once.
pub fn start() -> nor::Nor {
    memory::paint_stack();
    time::start();
    console::start();
    nor::Nor::new()
}

/// Resets the machine into the bootloader.
pub fn reset() -> ! {
    Finisher.write(0, RESET);
    loop {
        riscv::asm::wfi();
    }
}

/// Without words: they would bring the formatting machinery along. The next boot goes on from flash.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    console::line(|line| line.text("panic"));
    reset()
}

/// What the processor cannot go on after.
#[allow(unsafe_code)]
#[unsafe(export_name = "ExceptionHandler")]
fn exception(_: &riscv_rt::TrapFrame) -> ! {
    console::line(|line| {
        line.text("exception ");
        line.hex(riscv::register::mcause::read().code() as u32, 2);
        line.text(" at ");
        line.hex(riscv::register::mepc::read() as u32, 8);
    });
    reset()
}
