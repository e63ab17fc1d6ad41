//! Which blocks are missing, from the journal's marks; and when none is, verify and stage.

use super::{Action, Area, State, Update};
use crate::{
    transport::WINDOW_MAX,
    verify::{Next, Verifier},
};

impl<V: Verifier, const BUFFER: usize> Update<V, BUFFER> {
    /// How many marks fit the block buffer.
    pub(super) fn marks_at_once(&self) -> u32 {
        BUFFER as u32 / self.terms.write.max(1)
    }

    pub(super) fn read_marks(&mut self, at: u32, until: u32) -> Action<'_, V::Plugin> {
        let write = self.terms.write;
        let count = until.saturating_sub(at).min(self.marks_at_once());
        let into = self.block.0.get_mut(..(count * write) as usize).unwrap_or_default();
        Action::Read { area: Area::Marks, offset: at * write, into }
    }

    /// Whether mark `nth` of those just read is there: any bit of it was programmed, which happens
    /// only after its block was.
    pub(super) fn is_marked(&self, nth: u32) -> bool {
        let write = self.terms.write as usize;
        let from = nth as usize * write;
        self.block.0.get(from..from + write).is_some_and(|mark| mark.iter().any(|&b| b != 0xff))
    }

    pub(super) fn scan(&mut self, at: u32) -> Action<'_, V::Plugin> {
        let total = self.geometry.blocks();
        let wanted = self.wanted;
        let window = self.terms.window.clamp(1, WINDOW_MAX);
        let full = wanted.bits != 0 && at.saturating_sub(wanted.first) >= window;
        if at < total && !full {
            self.state = State::Scan { at };
            return self.read_marks(at, total);
        }
        if wanted.bits == 0 {
            self.wanted.first = total;
            let next = self.verifier.start(&self.rules, &self.claim, BUFFER as u32);
            return self.verify(next);
        }
        let first = self.stripes().of(wanted.first);
        self.stripe(first)
    }

    pub(super) fn scanned(&mut self, at: u32) -> Action<'_, V::Plugin> {
        let window = self.terms.window.clamp(1, WINDOW_MAX);
        let read = self.geometry.blocks().saturating_sub(at).min(self.marks_at_once());
        for nth in 0..read {
            let index = at + nth;
            if self.is_marked(nth) {
                continue;
            }
            if self.wanted.bits == 0 {
                self.wanted.first = index;
            }
            let bit = index - self.wanted.first;
            if bit >= window {
                break;
            }
            self.wanted.bits |= 1 << bit;
        }
        self.scan(at + read)
    }

    pub(super) fn verify(&mut self, next: Next<V::Plugin>) -> Action<'_, V::Plugin> {
        match next {
            Next::Read { offset, len } => {
                self.state = State::Verify { len };
                // Flash is read in words: up to 7 bytes behind the file may come along.
                let len = (len as usize).next_multiple_of(8).min(BUFFER);
                let into = self.block.0.get_mut(..len).unwrap_or_default();
                Action::Read { area: Area::Slot, offset, into }
            }
            Next::Verdict(Ok(proven)) => {
                self.state = State::Install;
                Action::Install(proven)
            }
            Next::Verdict(Err(why)) => self.finish(Err(why)),
        }
    }
}
