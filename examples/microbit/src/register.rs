//! Registers: where the peripherals are, and the only place where they are read and written.
//! Addresses are from the nRF51 series reference manual.
#![allow(unsafe_code)]

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

/// A block of registers, by its address.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Block {
    /// The oscillators.
    Clock = 0x4000_0000,
    /// The UART.
    Uart = 0x4000_2000,
    /// The timer that is the clock.
    Timer = 0x4000_8000,
    /// What programs and erases the flash.
    Nvmc = 0x4001_e000,
    /// The interrupt controller.
    System = 0xe000_e000,
}

impl Block {
    /// Reads the register at that offset.
    #[inline]
    pub fn read(self, offset: u16) -> u32 {
        // SAFETY: within the 4 KiB of a peripheral, aligned; none of them is memory of Rust's.
        unsafe { with_exposed_provenance::<u32>(self.at(offset)).read_volatile() }
    }

    /// Writes the register at that offset. What it makes the flash do is its driver's to answer for.
    #[inline]
    pub fn write(self, offset: u16, value: u32) {
        // SAFETY: as for `read`.
        unsafe { with_exposed_provenance_mut::<u32>(self.at(offset)).write_volatile(value) }
    }

    /// The word that holds the offset.
    const fn at(self, offset: u16) -> usize {
        self as usize + (offset & 0xffc) as usize
    }
}
