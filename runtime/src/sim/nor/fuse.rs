//! The power fuse: at which operation the power goes, and what it leaves half done.

use super::{NorError, SimNor, unit::Unit};
use std::sync::Arc;
use std::vec::Vec;

/// What a [`Fuse`] counts as one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Each call to program, and each unit erased. A torn program loses the call's words from one
    /// on that chance picks.
    Calls,
    /// Each word programmed, and each unit erased: the power can go between any two words.
    Words,
}

/// What a cut leaves of the operation that it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// Nothing: it never began.
    Clean,
    /// Its first bytes are done, the others are as before.
    Prefix,
    /// Of the word or unit it was at, every bit that was to change did so or not, by chance.
    Bits,
    /// As [`Bits`](Self::Bits); and of an interrupted erase some bits are in between, and are read
    /// as 0 or 1 by chance, each time anew, until the unit is erased again.
    Weak,
}

impl Tear {
    /// All of them, for loops.
    pub const ALL: [Self; 4] = [Self::Clean, Self::Prefix, Self::Bits, Self::Weak];
}

/// Takes the power away in the middle of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuse {
    /// How many operations succeed before it: 0 hits the next.
    pub after: u64,
    /// What is one operation.
    pub count: Count,
    /// What is left of the operation that it hits.
    pub tear: Tear,
}

impl<const W: usize, const E: usize, const R: usize> SimNor<W, E, R> {
    /// Counts `words` words of one program call (or one erase as 1) against the fuse: how many of
    /// them still happen, and how the next one tears, if the power goes here.
    pub(super) fn spend(&mut self, words: usize) -> Option<(usize, Tear)> {
        let fuse = self.fuse.as_mut()?;
        let cost = match fuse.count {
            Count::Calls => 1,
            Count::Words => words as u64,
        };
        if let Some(left) = fuse.after.checked_sub(cost) {
            fuse.after = left;
            return None;
        }
        let Fuse { after, count, tear } = *fuse;
        self.fuse = None;
        self.powered = false;
        let done = match (count, tear) {
            (Count::Words, _) => after as usize,
            (Count::Calls, Tear::Clean) => 0,
            (Count::Calls, _) => self.random.below(words as u64) as usize,
        };
        Some((done, tear))
    }

    /// What becomes of the word that a cut hits: which part of `new` was programmed.
    pub(super) fn torn_word(&mut self, new: &[u8], tear: Tear) -> Option<Vec<u8>> {
        let mut word = new.to_vec();
        match tear {
            Tear::Clean => return None,
            Tear::Prefix => {
                let done = self.random.below(word.len() as u64) as usize;
                word.iter_mut().skip(done).for_each(|byte| *byte = 0xff);
            }
            Tear::Bits | Tear::Weak => {
                word.iter_mut().for_each(|byte| *byte |= self.random.byte());
            }
        }
        Some(word)
    }

    /// Leaves unit number `unit` as an erase that was interrupted.
    pub(super) fn torn_erase(&mut self, unit: usize, tear: Tear) -> Result<(), NorError> {
        let content: &mut Unit = Arc::make_mut(&mut self.units[unit]);
        match tear {
            Tear::Clean => return Ok(()),
            Tear::Prefix => content.erase_prefix(self.random.below(E as u64) as usize, W),
            Tear::Bits => content.erase_some_bits(false, &mut self.random),
            Tear::Weak => content.erase_some_bits(true, &mut self.random),
        }
        self.wear[unit] += 1;
        self.keep(unit * E, E)
    }
}
