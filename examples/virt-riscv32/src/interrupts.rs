//! The interrupt controller (PLIC): which device ends a sleep, and that it was heard.

use crate::register::Block::Plic;

/// One word for each interrupt.
const PRIORITY: u32 = 0;
/// One bit for each interrupt: those that the first hart hears in machine mode.
const ENABLE: u32 = 0x2000;
const THRESHOLD: u32 = 0x20_0000;
/// Read: takes the next one. Written: that one was answered.
const CLAIM: u32 = 0x20_0004;

/// Lets an interrupt end sleeps.
pub(crate) fn enable(interrupt: u32) {
    Plic.write(PRIORITY + 4 * interrupt, 1);
    let word = ENABLE + interrupt / 32 * 4;
    Plic.write(word, Plic.read(word) | 1 << (interrupt % 32));
    Plic.write(THRESHOLD, 0);
}

/// Answers what is pending: `quiet` makes the device that interrupts stop. To be called before its
/// work is looked for: what comes later interrupts again.
pub(crate) fn answer(mut quiet: impl FnMut(u32)) {
    loop {
        match Plic.read(CLAIM) {
            0 => return,
            interrupt => {
                quiet(interrupt);
                Plic.write(CLAIM, interrupt);
            }
        }
    }
}
