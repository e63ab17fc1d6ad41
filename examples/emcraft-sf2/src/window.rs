//! The window of external RAM that the bootloader copies the image to, and the way into it.
#![allow(unsafe_code)]

use crate::ota::RUN;
use crate::register::Block::System;
use core::sync::atomic::{AtomicBool, Ordering};

/// Registers of the memory protection unit.
const REGION: u16 = 0xd98;
const BASE: u16 = 0xd9c;
const SIZE: u16 = 0xda0;
const CONTROL: u16 = 0xd94;
/// Full access, normal memory with write-back cache, execution allowed.
const OPEN: u32 = 3 << 24 | 1 << 19 | 1 << 17 | 1 << 16 | 1;
/// Elsewhere as without the unit; in fault handlers too.
const DEFAULT_MAP: u32 = 1 << 2 | 1 << 1 | 1;

unsafe extern "C" {
    static _ram_start: u32;
    static _ram_end: u32;
}

/// The window that `run` in ota.toml describes.
pub struct Window(&'static mut [u8]);

impl Window {
    /// The one there is.
    ///
    /// # Panics
    /// When called twice.
    pub fn take() -> Self {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        assert!(!TAKEN.swap(true, Ordering::Relaxed));
        let start = core::ptr::with_exposed_provenance_mut(RUN.offset as usize);
        // SAFETY: external RAM, into which nothing of this program is linked; lent out once.
        Window(unsafe { core::slice::from_raw_parts_mut(start, RUN.len as usize) })
    }

    /// What is in it.
    pub fn bytes(&mut self) -> &mut [u8] {
        self.0
    }

    /// Enters the program whose vector table is at `start`; returns where there is none.
    pub fn enter(&self, start: u32) {
        let Some(table) = self.0.get(start as usize..).filter(|table| is_program(table)) else {
            return;
        };
        // External RAM is closed to execution until the memory protection unit opens it.
        let size = RUN.len.next_power_of_two().ilog2();
        System.write(REGION, 0);
        System.write(BASE, RUN.offset);
        System.write(SIZE, OPEN | (size - 1) << 1);
        System.write(CONTROL, DEFAULT_MAP);
        cortex_m::asm::dsb();
        cortex_m::asm::isb();
        // SAFETY: the timer's owner is done, and this program ends here.
        let mut core = unsafe { cortex_m::Peripherals::steal() };
        core.SYST.disable_interrupt();
        core.SYST.disable_counter();
        cortex_m::peripheral::SCB::clear_pendst();
        // SAFETY: a vector table is there, as was seen, at a multiple of its size.
        unsafe {
            core.SCB.vtor.write(table.as_ptr().addr() as u32);
            cortex_m::asm::bootload(table.as_ptr().cast())
        }
    }
}

/// Whether it begins as a vector table: a stack in RAM, and a start in the window.
fn is_program(table: &[u8]) -> bool {
    let word = |at: usize| {
        let bytes = table.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    };
    let (Some(stack), Some(start)) = (word(0), word(4)) else { return false };
    let ram = (&raw const _ram_start).addr() as u32 + 1..=(&raw const _ram_end).addr() as u32;
    let inside = start & 1 == 1 && start.wrapping_sub(RUN.offset) < RUN.len;
    stack.is_multiple_of(8) && ram.contains(&stack) && inside
}
