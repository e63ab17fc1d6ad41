//! A chip that one thread changes and others look at.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::Duration;

use crate::Chip;

/// A chip that an emulator changes.
#[derive(Clone, Debug)]
pub struct Held(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    chip: Mutex<Chip>,
    /// Told whenever the power goes.
    cut: Condvar,
}

/// A chip that may be gone.
pub(crate) struct Perhaps(Weak<Shared>);

impl Perhaps {
    pub(crate) fn held(&self) -> Option<Held> {
        self.0.upgrade().map(Held)
    }
}

impl Held {
    pub(crate) fn new(chip: Chip) -> Self {
        Held(Arc::new(Shared { chip: Mutex::new(chip), cut: Condvar::new() }))
    }

    pub(crate) fn perhaps(&self) -> Perhaps {
        Perhaps(Arc::downgrade(&self.0))
    }

    /// The chip; who changes it waits while it is held.
    pub fn chip(&self) -> MutexGuard<'_, Chip> {
        self.0.chip.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Changes the chip; tells where that took its power.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Chip) -> T) -> T {
        let mut chip = self.chip();
        let done = change(&mut chip);
        if !chip.powered() {
            self.0.cut.notify_all();
        }
        done
    }

    /// Waits until the power is gone; `false` where it still is there after `within`.
    pub fn wait_for_cut(&self, within: Duration) -> bool {
        let powered = |chip: &mut Chip| chip.powered();
        let waited = self.0.cut.wait_timeout_while(self.chip(), within, powered);
        let (chip, _) = waited.unwrap_or_else(|poisoned| poisoned.into_inner());
        !chip.powered()
    }

    /// Whether somebody else has it too.
    #[cfg(test)]
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}
