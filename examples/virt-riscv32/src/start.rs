//! The way into an image: it runs where it is, in the primary slot.
#![allow(unsafe_code)]

use crate::ota::{FLASH_ADDRESS, PRIMARY};
use core::ptr::with_exposed_provenance;

/// Enters the image in the primary slot; returns where there is none.
pub fn image() {
    let start = with_exposed_provenance::<u32>((FLASH_ADDRESS + PRIMARY.offset) as usize);
    // SAFETY: a word of the flash.
    let erased = unsafe { start.read_volatile() } == u32::MAX;
    if erased {
        return;
    }
    // SAFETY: an image begins with its first instruction. Interrupts are masked, and it sets up all
    // that it needs; nothing of this program is used any more.
    unsafe {
        riscv::asm::fence_i();
        let enter: extern "C" fn() -> ! = core::mem::transmute(start);
        enter()
    }
}
