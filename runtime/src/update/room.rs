//! Room for the blocks of a window: erase units that were not opened yet are erased, and those
//! that a power cut left dirty are begun anew.

use super::{Action, Area, State, Update, stripe::Stripes};
use crate::{transport::Wanted, verify::Verifier};

impl<V: Verifier, const BUFFER: usize> Update<V, BUFFER> {
    pub(super) fn stripes(&self) -> Stripes {
        Stripes::new(self.geometry, self.terms.erase)
    }

    /// Looks at `stripe` and those behind it until the window's last, then requests.
    pub(super) fn stripe(&mut self, stripe: u32) -> Action<'_, V::Plugin> {
        let stripes = self.stripes();
        let last = self.wanted.first + (u64::BITS - 1 - self.wanted.bits.leading_zeros());
        let mut stripe = stripe;
        while stripe <= stripes.of(last) {
            let (first, until) = stripes.blocks(stripe);
            if (first..until).any(|block| self.wanted.contains(block)) {
                if until - first == 1 {
                    // Its only block is missing, so nothing in it is worth keeping.
                    return self.erase(stripe, stripes.bytes(stripe).0);
                }
                self.state = State::Stripe { stripe, at: first };
                return self.read_marks(first, until);
            }
            stripe += 1;
        }
        self.resuming = false;
        self.request()
    }

    pub(super) fn stripe_read(&mut self, stripe: u32, at: u32) -> Action<'_, V::Plugin> {
        let (_, until) = self.stripes().blocks(stripe);
        let read = until.saturating_sub(at).min(self.marks_at_once());
        if (0..read).any(|nth| self.is_marked(nth)) {
            // Opened before: its erased parts are still erased, but for what a cut left behind.
            if self.resuming && !self.terms.rewrite {
                return self.blank(stripe, self.wanted.first);
            }
            return self.stripe(stripe + 1);
        }
        if at + read < until {
            self.state = State::Stripe { stripe, at: at + read };
            return self.read_marks(at + read, until);
        }
        self.erase(stripe, self.stripes().bytes(stripe).0)
    }

    /// Reads the first wanted block of `stripe` from `block` on, to see whether it is blank.
    pub(super) fn blank(&mut self, stripe: u32, block: u32) -> Action<'_, V::Plugin> {
        let (first, until) = self.stripes().blocks(stripe);
        let mut block = block.max(first);
        while block < until && !self.wanted.contains(block) {
            block += 1;
        }
        if block >= until {
            return self.stripe(stripe + 1);
        }
        self.state = State::Blank { stripe, block };
        let offset = block * self.geometry.block;
        let len = self.geometry.block as usize;
        let into = self.block.0.get_mut(..len).unwrap_or_default();
        Action::Read { area: Area::Slot, offset, into }
    }

    pub(super) fn blank_read(&mut self, stripe: u32, block: u32) -> Action<'_, V::Plugin> {
        let mut read = self.block.0.iter().take(self.geometry.block as usize);
        if read.all(|&byte| byte == 0xff) {
            return self.blank(stripe, block + 1);
        }
        self.void(stripe)
    }

    /// Gives up what is in a stripe, to begin it anew.
    pub(super) fn void(&mut self, stripe: u32) -> Action<'_, V::Plugin> {
        let (first, until) = self.stripes().blocks(stripe);
        self.wanted = Wanted::default();
        self.state = State::Void;
        Action::Void { first, count: until.saturating_sub(first) }
    }

    pub(super) fn erase(&mut self, stripe: u32, from: u32) -> Action<'_, V::Plugin> {
        let to = from.saturating_add(self.terms.erase);
        self.state = State::Erase { stripe, from };
        Action::Erase { area: Area::Slot, from, to }
    }

    pub(super) fn erased(&mut self, stripe: u32, from: u32) -> Action<'_, V::Plugin> {
        let next = from.saturating_add(self.terms.erase);
        if next < self.stripes().bytes(stripe).1 {
            return self.erase(stripe, next);
        }
        self.stripe(stripe + 1)
    }
}
