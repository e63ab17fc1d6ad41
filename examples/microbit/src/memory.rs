//! Memory: how deep the stack went.
#![allow(unsafe_code)]

use cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    static _stack_end: u32;
    static _stack_start: u32;
}

/// Bytes of stack that were ever used, and that there are: what start-up painted and nothing has
/// written over was never used.
pub fn stack() -> (usize, usize) {
    let (mut word, top) = (&raw const _stack_end, &raw const _stack_start);
    let room = top.addr() - word.addr();
    // SAFETY: both are symbols of the linker, at words, with readable memory between them.
    while word < top && unsafe { word.read_volatile() } == STACK_PAINT_VALUE {
        word = word.wrapping_add(1);
    }
    (top.addr() - word.addr(), room)
}
