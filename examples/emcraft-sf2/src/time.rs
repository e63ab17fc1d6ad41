//! Time: the SysTick timer, a thousand times a second, as the clock of embassy-time.

use core::cell::{Cell, RefCell};
use core::task::Waker;
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::exception;
use critical_section::{CriticalSection, Mutex};
use embassy_time_driver::{Driver, TICK_HZ};
use embassy_time_queue_utils::Queue;

/// The processor's clock, as the board sets it.
const CLOCK_HZ: u32 = 142_000_000;

struct Ticks {
    now: Mutex<Cell<u64>>,
    /// When the next timer is due.
    alarm: Mutex<Cell<u64>>,
    queue: Mutex<RefCell<Queue>>,
}

embassy_time_driver::time_driver_impl!(static TICKS: Ticks = Ticks {
    now: Mutex::new(Cell::new(0)),
    alarm: Mutex::new(Cell::new(u64::MAX)),
    queue: Mutex::new(RefCell::new(Queue::new())),
});

impl Ticks {
    fn wake(&self, cs: CriticalSection<'_>) {
        let now = self.now.borrow(cs).get();
        let next = self.queue.borrow_ref_mut(cs).next_expiration(now);
        self.alarm.borrow(cs).set(next);
    }
}

impl Driver for Ticks {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.now.borrow(cs).get())
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            if self.queue.borrow_ref_mut(cs).schedule_wake(at, waker) {
                self.wake(cs);
            }
        });
    }
}

pub(crate) fn start(mut timer: SYST) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(CLOCK_HZ / TICK_HZ as u32 - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

#[exception]
fn SysTick() {
    critical_section::with(|cs| {
        let now = TICKS.now.borrow(cs).get() + 1;
        TICKS.now.borrow(cs).set(now);
        if now >= TICKS.alarm.borrow(cs).get() {
            TICKS.wake(cs);
        }
    });
}

/// Sleeps for at least so many milliseconds, for code without an executor.
pub fn sleep_ms(ms: u32) {
    let until = TICKS.now() + u64::from(ms) + 1;
    while TICKS.now() < until {
        cortex_m::asm::wfi();
    }
}

/// The processor's cycles within the millisecond: noise, where it is read at an odd time.
pub fn jitter() -> u32 {
    SYST::get_current()
}
