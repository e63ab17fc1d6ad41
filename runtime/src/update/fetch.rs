//! Blocks: asked for, received, programmed, marked.

use super::{Action, Area, State, Update};
use crate::{error::Failure, transport::WINDOW_MAX, verify::Verifier};

impl<V: Verifier, const BUFFER: usize> Update<V, BUFFER> {
    pub(super) fn request(&mut self) -> Action<'_, V::Plugin> {
        self.state = State::Request;
        self.pace.asked();
        Action::Request(self.wanted)
    }

    pub(super) fn receive(&mut self) -> Action<'_, V::Plugin> {
        self.state = State::Receive;
        // With the window's last block here, what is missing before it is lost or just behind.
        let last = self.wanted.first + self.terms.window.clamp(1, WINDOW_MAX) - 1;
        let last = last.min(self.geometry.blocks().saturating_sub(1));
        let within_ms = self.pace.patience(!self.wanted.contains(last));
        Action::Receive { wanted: self.wanted, into: &mut self.block.0, within_ms }
    }

    pub(super) fn silence(&mut self) -> Action<'_, V::Plugin> {
        match self.pace.silence() {
            true => self.request(),
            false => self.finish(Err(Failure::NoAnswer)),
        }
    }

    pub(super) fn refused(&mut self, why: Failure) -> Action<'_, V::Plugin> {
        match why {
            Failure::StreamMissing | Failure::StreamVersion | Failure::StreamShort => {
                self.finish(Err(why))
            }
            _ if self.pace.silence() => self.pause(),
            _ => self.finish(Err(why)),
        }
    }

    pub(super) fn pause(&mut self) -> Action<'_, V::Plugin> {
        self.state = State::Pause;
        Action::Wait { ms: self.pace.pause() }
    }

    pub(super) fn program(&mut self, index: u32, len: u32) -> Action<'_, V::Plugin> {
        if !self.wanted.contains(index) || self.geometry.block_len(index) != Some(len) {
            return self.finish(Err(Failure::BadBlock));
        }
        let padded = len.next_multiple_of(self.terms.write.max(1)) as usize;
        let data = self.block.0.get_mut(..padded).unwrap_or_default();
        for byte in data.iter_mut().skip(len as usize) {
            *byte = 0xff;
        }
        self.state = State::Program { index };
        Action::Program { area: Area::Slot, offset: index * self.geometry.block, data }
    }

    pub(super) fn mark(&mut self, index: u32) -> Action<'_, V::Plugin> {
        let write = self.terms.write;
        self.state = State::Mark { index };
        let data = self.block.0.get_mut(..write as usize).unwrap_or_default();
        data.fill(0);
        Action::Program { area: Area::Marks, offset: index * write, data }
    }

    pub(super) fn marked(&mut self, index: u32) -> Action<'_, V::Plugin> {
        if let Some(bit) = index.checked_sub(self.wanted.first) {
            self.wanted.bits &= !1u64.checked_shl(bit).unwrap_or(0);
        }
        let (received, total) = self.progress();
        let every = self.terms.report_every;
        if every != 0 && (received == 1 || received % every == 0) {
            self.state = State::Report;
            return Action::Report { received, total };
        }
        self.next_block()
    }

    pub(super) fn next_block(&mut self) -> Action<'_, V::Plugin> {
        if self.wanted.bits != 0 {
            return self.receive();
        }
        let window = self.terms.window.clamp(1, WINDOW_MAX);
        self.scan(self.wanted.first.saturating_add(window).min(self.geometry.blocks()))
    }
}
