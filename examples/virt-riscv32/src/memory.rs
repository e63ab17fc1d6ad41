//! Memory: the heap of the MQTT client, and how deep the stack went.
#![allow(unsafe_code)]

use core::arch::asm;
use embedded_alloc::LlffHeap;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

/// For the messages that the MQTT client holds: some of the largest.
const HEAP_BYTES: usize = 14 * 1024;

/// Gives the allocator its memory. To be called once.
pub fn start_heap() {
    // SAFETY: the firmware calls it once, before anything allocates; the memory is nobody else's.
    unsafe {
        embedded_alloc::init!(HEAP, HEAP_BYTES);
    }
}

/// Bytes of heap in use, and free.
pub fn heap() -> (usize, usize) {
    (HEAP.used(), HEAP.free())
}

unsafe extern "C" {
    static __estack: u32;
    static _stack_start: u32;
}

const PAINT: u32 = 0xcccc_cccc;

/// Paints the stack below the caller.
#[inline(never)]
pub(crate) fn paint_stack() {
    // SAFETY: from the linker's symbol at the lower end of the stack to the stack pointer, nothing of
    // which is in use: the loop has no variables but in registers.
    unsafe {
        asm!(
            "1: bgeu {at}, sp, 2f",
            "   sw   {paint}, 0({at})",
            "   addi {at}, {at}, 4",
            "   j    1b",
            "2:",
            at = inout(reg) &raw const __estack => _,
            paint = in(reg) PAINT,
            options(nostack),
        );
    }
}

/// Bytes of stack that were ever used, and that there are: what was painted at the start and nothing
/// has written over was never used.
pub fn stack() -> (usize, usize) {
    let (mut word, top) = (&raw const __estack, &raw const _stack_start);
    let room = top.addr() - word.addr();
    // SAFETY: both are symbols of the linker, at words, with readable memory between them.
    while word < top && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    (top.addr() - word.addr(), room)
}
