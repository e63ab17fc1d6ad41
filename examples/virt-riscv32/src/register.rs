//! Registers: where the peripherals are, and the only place where they are read and written.
//! Addresses are from the memory map of QEMU's `virt` machine (hw/riscv/virt.c).
#![allow(unsafe_code)]

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

/// A block of registers, by its address.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Block {
    /// Ends or resets the machine.
    Finisher = 0x0010_0000,
    /// A clock that knows the date.
    Rtc = 0x0010_1000,
    /// The timer of the hart.
    Clint = 0x0200_0000,
    /// The interrupt controller.
    Plic = 0x0c00_0000,
    /// A 16550, its registers bytes.
    Uart = 0x1000_0000,
    /// Eight places for devices, 4 KiB each.
    Virtio = 0x1000_1000,
}

impl Block {
    /// Reads the word at that offset.
    #[inline]
    pub fn read(self, offset: u32) -> u32 {
        // SAFETY: within the peripheral, aligned; none of them is memory of Rust's.
        unsafe { with_exposed_provenance::<u32>(self.at(offset & !3)).read_volatile() }
    }

    /// Writes the word at that offset. What it makes a peripheral do to memory is its driver's to
    /// answer for.
    #[inline]
    pub fn write(self, offset: u32, value: u32) {
        // SAFETY: as for `read`.
        unsafe { with_exposed_provenance_mut::<u32>(self.at(offset & !3)).write_volatile(value) }
    }

    /// Reads the byte at that offset.
    #[inline]
    pub fn read_byte(self, offset: u32) -> u8 {
        // SAFETY: as for `read`.
        unsafe { with_exposed_provenance::<u8>(self.at(offset)).read_volatile() }
    }

    /// Writes the byte at that offset.
    #[inline]
    pub fn write_byte(self, offset: u32, value: u8) {
        // SAFETY: as for `read`.
        unsafe { with_exposed_provenance_mut::<u8>(self.at(offset)).write_volatile(value) }
    }

    const fn at(self, offset: u32) -> usize {
        self as usize + offset as usize
    }
}
