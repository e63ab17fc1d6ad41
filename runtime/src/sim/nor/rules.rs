//! What programming and erasing do, and what they refuse.

use super::unit::{Refusal, Unit};
use super::{NorError, Op, SimNor};
use std::sync::Arc;

/// May a word be programmed again before its unit is erased?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rewrite {
    /// Yes, as long as it only clears bits: plain NOR.
    #[default]
    Free,
    /// No: flash with ECC over each word.
    Once,
    /// Only to all zeros: the ECC of STM32 parts (L4, G4, ...) lets this pass.
    OnceOrZero,
}

impl<const W: usize, const E: usize, const R: usize> SimNor<W, E, R> {
    /// Programs whole words, the first at byte `at`. All or nothing, but for a power cut.
    pub(super) fn program(&mut self, at: u32, data: &[u8]) -> Result<(), NorError> {
        self.powered()?;
        self.within(at, data.len())?;
        aligned(at, data.len(), W)?;
        self.each_unit(at, data).try_for_each(|(unit, offset, part)| {
            let at = (unit * E + offset) as u32;
            self.units[unit].may_program(offset, part, W, self.rewrite).map_err(|refusal| {
                match refusal {
                    Refusal::SetsBit(byte) => NorError::SetsBit { at: at + byte as u32 },
                    Refusal::Rewritten(byte) => NorError::Rewritten { at: at + byte as u32 },
                }
            })
        })?;
        let cut = if data.is_empty() { None } else { self.spend(data.len() / W) };
        let words = cut.map_or(data.len() / W, |(done, _)| done);
        self.and(at, &data[..words * W]);
        if let Some((done, tear)) = cut {
            if let Some(torn) = self.torn_word(&data[done * W..(done + 1) * W], tear) {
                self.and(at + (done * W) as u32, &torn);
            }
        } else {
            self.counts.programs += 1;
            self.counts.words += words as u64;
            if let Some(trace) = &mut self.trace {
                trace.push(Op::Program { at, data: data.to_vec() });
            }
        }
        self.keep(at as usize, data.len())?;
        self.powered()
    }

    /// Erases the units of `from..to`, one operation each.
    pub(super) fn erase_range(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        self.powered()?;
        let Some(len) = to.checked_sub(from) else {
            return Err(NorError::OutOfBounds { at: from, len: 0, size: self.size() });
        };
        self.within(from, len as usize)?;
        aligned(from, len as usize, E)?;
        (from as usize / E..to as usize / E).try_for_each(|unit| self.erase_unit(unit))
    }

    pub(super) fn erase_unit(&mut self, unit: usize) -> Result<(), NorError> {
        self.powered()?;
        self.within((unit * E) as u32, E)?;
        if let Some((_, tear)) = self.spend(1) {
            self.torn_erase(unit, tear)?;
            return Err(NorError::PowerLost);
        }
        self.units[unit] = Arc::new(Unit::erased(E, W));
        self.wear[unit] += 1;
        self.counts.erases += 1;
        if let Some(trace) = &mut self.trace {
            trace.push(Op::Erase { unit: unit as u32 });
        }
        self.keep(unit * E, E)
    }

    pub(super) fn read_into(&mut self, at: u32, into: &mut [u8]) -> Result<(), NorError> {
        self.powered()?;
        self.within(at, into.len())?;
        aligned(at, into.len(), R)?;
        let (mut rest, mut at) = (into, at as usize);
        while !rest.is_empty() {
            let (now, later) = rest.split_at_mut(rest.len().min(E - at % E));
            self.units[at / E].read(at % E, now, &mut self.random);
            at += now.len();
            rest = later;
        }
        Ok(())
    }

    fn powered(&self) -> Result<(), NorError> {
        if self.powered { Ok(()) } else { Err(NorError::PowerLost) }
    }

    /// The parts of `data`, programmed at `at`, that fall into each unit, and where in it.
    fn each_unit<'d>(
        &self,
        at: u32,
        data: &'d [u8],
    ) -> impl Iterator<Item = (usize, usize, &'d [u8])> + use<'d, W, E, R> {
        let (mut at, mut rest) = (at as usize, data);
        core::iter::from_fn(move || {
            let (part, later) = rest.split_at(rest.len().min(E - at % E));
            let place = (at / E, at % E, part);
            (at, rest) = (at + part.len(), later);
            (!part.is_empty()).then_some(place)
        })
    }

    fn and(&mut self, at: u32, data: &[u8]) {
        for (unit, offset, part) in self.each_unit(at, data) {
            Arc::make_mut(&mut self.units[unit]).program(offset, part, W);
        }
    }
}

fn aligned(at: u32, len: usize, to: usize) -> Result<(), NorError> {
    let whole = (at as usize).is_multiple_of(to) && len.is_multiple_of(to);
    if whole { Ok(()) } else { Err(NorError::NotAligned { at, len, to }) }
}
