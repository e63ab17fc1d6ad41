//! Time that passes only when somebody waits.

use core::cell::Cell;
use std::rc::Rc;

/// A clock that jumps; its clones are hands of the same clock. Starts at 0.
#[derive(Clone, Debug, Default)]
pub struct SimClock(Rc<Cell<u64>>);

impl SimClock {
    /// A clock at 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Milliseconds since the world began; does not wrap.
    pub fn elapsed_ms(&self) -> u64 {
        self.0.get()
    }

    /// Lets this much time pass.
    pub fn pass_ms(&self, ms: u32) {
        self.0.set(self.0.get() + u64::from(ms));
    }

    /// Lets time pass until that moment, if it is still to come.
    pub fn pass_until(&self, ms: u64) {
        self.0.set(self.0.get().max(ms));
    }
}

impl crate::link::Clock for SimClock {
    fn now_ms(&mut self) -> u32 {
        // A device's counter wraps, after 49.7 days.
        self.elapsed_ms() as u32
    }

    async fn wait_ms(&mut self, ms: u32) {
        self.pass_ms(ms);
    }
}
