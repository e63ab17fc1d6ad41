//! The way from the bootloader into the image, which runs where it is.
#![allow(unsafe_code)]

use crate::ota::PRIMARY;
use core::ptr::with_exposed_provenance;

unsafe extern "C" {
    static _ram_start: u32;
    static _ram_end: u32;
}

/// Enters the program in the primary slot; returns where there is none.
pub fn enter() {
    let table = with_exposed_provenance::<u32>(PRIMARY.offset as usize);
    // SAFETY: the first two words of the slot, which is flash.
    let (stack, start) = unsafe { (table.read_volatile(), table.wrapping_add(1).read_volatile()) };
    let ram = (&raw const _ram_start).addr() as u32 + 1..=(&raw const _ram_end).addr() as u32;
    let inside = start & 1 == 1 && start.wrapping_sub(PRIMARY.offset) < PRIMARY.len;
    if stack.is_multiple_of(8) && ram.contains(&stack) && inside {
        // SAFETY: a vector table is there, as was seen; interrupts are masked, and stay so.
        unsafe { cortex_m::asm::bootload(table) }
    }
}
