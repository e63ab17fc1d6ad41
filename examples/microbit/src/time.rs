//! Time: timer 0, a million times a second, as the clock; and the sleep of who waits.

use crate::register::Block::{Clock, System, Timer};
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use coreota::blocking;

const START_CRYSTAL: u16 = 0x000;
const START: u16 = 0x000;
const STOP: u16 = 0x004;
const CLEAR: u16 = 0x00c;
const CAPTURE_NOW: u16 = 0x040;
const ALARM_CAME: u16 = 0x144;
const ENABLE_INTERRUPT: u16 = 0x304;
const WIDTH: u16 = 0x508;
const PRESCALER: u16 = 0x510;
const NOW: u16 = 0x540;
const ALARM: u16 = 0x544;

const BITS_32: u32 = 3;
/// 16 MHz through 2^4.
const MICROSECONDS: u32 = 4;
const ON_ALARM: u32 = 1 << 17;

/// Of the interrupt controller.
const UNMASK: u16 = 0x100;
const UNPEND: u16 = 0x280;
/// The interrupts that end a sleep: of the UART and of the timer.
const WAKING: u32 = 1 << 2 | 1 << 8;

/// Microseconds at which whole milliseconds were counted last, and those milliseconds.
static COUNTED: AtomicU32 = AtomicU32::new(0);
static MILLISECONDS: AtomicU32 = AtomicU32::new(0);

pub(crate) fn start() {
    // The UART's rate wants the crystal; the timer goes on while it starts.
    Clock.write(START_CRYSTAL, 1);
    // The bootloader may have started it.
    Timer.write(STOP, 1);
    Timer.write(CLEAR, 1);
    Timer.write(WIDTH, BITS_32);
    Timer.write(PRESCALER, MICROSECONDS);
    Timer.write(ENABLE_INTERRUPT, ON_ALARM);
    Timer.write(START, 1);
    System.write(UNMASK, WAKING);
}

fn microseconds() -> u32 {
    Timer.write(CAPTURE_NOW, 1);
    Timer.read(NOW)
}

/// Milliseconds since the start; wraps. To be asked at least once an hour, which who waits does.
pub fn now_ms() -> u32 {
    let counted = COUNTED.load(Relaxed);
    let more = microseconds().wrapping_sub(counted) / 1000;
    COUNTED.store(counted.wrapping_add(more * 1000), Relaxed);
    let ms = MILLISECONDS.load(Relaxed).wrapping_add(more);
    MILLISECONDS.store(ms, Relaxed);
    ms
}

/// Sleeps until something came on the line or a part of these milliseconds is over: to be called
/// in a loop that looks for what it waits for, with the time that is left.
pub fn sleep(ms: u32) {
    // A minute at most: the sum stays within half of the timer's turn.
    let us = ms.clamp(1, 60_000) * 1000;
    let began = microseconds();
    Timer.write(ALARM, began.wrapping_add(us));
    Timer.write(ALARM_CAME, 0);
    System.write(UNPEND, WAKING);
    // An alarm that came before it could be cleared would not come again.
    if microseconds().wrapping_sub(began) < us {
        cortex_m::asm::wfi();
    }
}

/// The clock of the orchestrator.
#[derive(Clone, Copy)]
pub struct Time;

impl blocking::Clock for Time {
    fn now_ms(&mut self) -> u32 {
        now_ms()
    }

    fn wait_ms(&mut self, ms: u32) {
        let began = now_ms();
        loop {
            let over = now_ms().wrapping_sub(began);
            if over >= ms {
                return;
            }
            crate::uart::ignore();
            sleep(ms - over);
        }
    }
}
