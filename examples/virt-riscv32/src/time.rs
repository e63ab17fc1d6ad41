//! Time: the hart's timer, which counts from power on, and sleep until it or a device interrupts.
//!
//! Interrupts stay masked for good. One that is pending ends a `wfi` all the same, and one that came
//! before the `wfi` makes it end at once: nothing is missed between a look and the sleep, there are no
//! handlers, and nothing here is shared with any.

use crate::register::Block::{Clint, Rtc};
use riscv::register::mie;

/// Low and high word of when the timer interrupts.
pub(crate) const COMPARE: u32 = 0x4000;
/// Low and high word of the count.
pub(crate) const COUNT: u32 = 0xbff8;
/// Counts a millisecond.
pub(crate) const PER_MS: u32 = 10_000;

/// Nanoseconds, the low word.
const RTC_NOW: u32 = 0;

#[allow(unsafe_code)]
pub(crate) fn start() {
    // SAFETY: they are masked as a whole, so that these only end a `wfi`.
    unsafe {
        riscv::interrupt::disable();
        mie::set_mtimer();
        mie::set_mext();
    }
}

fn count() -> u64 {
    loop {
        let (high, low) = (Clint.read(COUNT + 4), Clint.read(COUNT));
        if Clint.read(COUNT + 4) == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// Milliseconds since power on.
pub fn now_ms() -> u64 {
    count() / u64::from(PER_MS)
}

/// Sleeps until that millisecond or an interrupt of a device, whichever comes first.
pub fn doze_until(ms: u64) {
    let at = ms.saturating_mul(u64::from(PER_MS));
    // Never early on the way: first far, then the low word.
    Clint.write(COMPARE + 4, u32::MAX);
    Clint.write(COMPARE, at as u32);
    Clint.write(COMPARE + 4, (at >> 32) as u32);
    riscv::asm::wfi();
}

/// Sleeps for at least so many milliseconds, whatever the devices do.
#[allow(unsafe_code)]
pub fn sleep_ms(ms: u32) {
    let until = now_ms() + u64::from(ms) + 1;
    // SAFETY: as for `start`.
    unsafe { mie::clear_mext() };
    while now_ms() < until {
        doze_until(until);
    }
    // SAFETY: as for `start`.
    unsafe { mie::set_mext() };
}

/// The nanoseconds of the second: noise, that differs from boot to boot. Nothing asks for the date.
pub fn noise() -> u32 {
    Rtc.read(RTC_NOW)
}
