//! A NOR flash that is exact to the word, and to the power cut.
//!
//! [`SimNor`] holds what a real part holds and refuses what a real part refuses:
//!
//! - programming only clears bits; asking for 0 → 1 is an error, as is a second program of a word
//!   where the part's [`Rewrite`] rule forbids it (flash with ECC);
//! - programs are whole words of `W` bytes, erases whole units of `E` bytes, and every unit counts
//!   its wear;
//! - a [`Fuse`] takes the power away in the middle of a chosen operation and leaves there what
//!   [`Tear`] says; from then on every call is [`NorError::PowerLost`] until [`SimNor::power_on`].
//!
//! A clone is a fork: units are shared until one side changes them, so that a test can branch off
//! before every operation of a run. With [`SimNor::open`] the same bytes live in a file and
//! outlast the process.
//!
//! It implements the `embedded_storage` traits in their blocking and their async form; the async
//! form can be told to really wait once in each operation ([`SimNor::pend`]).

mod error;
mod file;
mod fuse;
mod rules;
mod traits;
mod unit;
mod view;

pub use error::NorError;
pub use fuse::{Count, Fuse, Tear};
pub use rules::Rewrite;
pub use view::{Multiwrite, Part};

use super::random::Random;
use core::hash::{Hash, Hasher};
use file::Backing;
use std::collections::hash_map::DefaultHasher;
use std::sync::Arc;
use std::vec;
use std::vec::Vec;
use unit::Unit;

/// A NOR flash: programs of `W` bytes, erases of `E` bytes, reads of `R` bytes.
#[derive(Debug)]
pub struct SimNor<const W: usize, const E: usize, const R: usize = 1> {
    units: Vec<Arc<Unit>>,
    wear: Vec<u32>,
    counts: Counts,
    rewrite: Rewrite,
    random: Random,
    powered: bool,
    fuse: Option<Fuse>,
    pends: bool,
    trace: Option<Vec<Op>>,
    file: Option<Backing>,
}

/// How much was done to a flash since it was made. Operations that the rules refused do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls to program.
    pub programs: u64,
    /// Words programmed by these calls.
    pub words: u64,
    /// Units erased.
    pub erases: u64,
}

impl Counts {
    /// How many operations a [`Fuse`] that counts so has seen.
    pub const fn operations(&self, count: Count) -> u64 {
        match count {
            Count::Calls => self.programs + self.erases,
            Count::Words => self.words + self.erases,
        }
    }
}

/// One operation that changed a flash, as [`SimNor::trace`] tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// `data` was programmed at byte `at`.
    Program {
        /// Where, in bytes from the start of the flash.
        at: u32,
        /// Whole words.
        data: Vec<u8>,
    },
    /// The erase unit of this number was erased.
    Erase {
        /// Counted from 0 at the start of the flash.
        unit: u32,
    },
}

impl<const W: usize, const E: usize, const R: usize> SimNor<W, E, R> {
    const GEOMETRY: () = assert!(
        W >= 1 && W <= 32 && W.is_power_of_two() && E >= 128 && E.is_power_of_two() && R >= 1,
        "a write size of 1..=32, an erase size of 128 or more, both powers of two"
    );

    /// An erased flash in RAM. `capacity` is rounded down to whole erase units.
    pub fn new(capacity: usize) -> Self {
        let () = Self::GEOMETRY;
        let units = capacity / E;
        // One unit shared by all until they differ.
        let erased = Arc::new(Unit::erased(E, W));
        Self {
            units: vec![erased; units],
            wear: vec![0; units],
            counts: Counts::default(),
            rewrite: Rewrite::Free,
            random: Random::new(0),
            powered: true,
            fuse: None,
            pends: false,
            trace: None,
            file: None,
        }
    }

    /// The same flash under another rule for words that are programmed again.
    pub fn with_rewrite(mut self, rewrite: Rewrite) -> Self {
        self.rewrite = rewrite;
        self
    }

    /// The same flash with its own sequence of chance for what a [`Tear`] leaves behind.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.random = Random::new(seed);
        self
    }

    /// Makes every async operation wait once before it begins (or no longer).
    pub fn pend(&mut self, pends: bool) {
        self.pends = pends;
    }

    /// Arms a fuse, counted from now; `None` takes it out.
    pub fn arm(&mut self, fuse: Option<Fuse>) {
        self.fuse = fuse;
    }

    /// Brings the power back after a cut. What the cut left on the flash stays.
    pub fn power_on(&mut self) {
        self.powered = true;
    }

    /// Takes the power away between two operations.
    pub fn power_off(&mut self) {
        self.powered = false;
    }

    /// Whether there is power: false after a fuse has blown.
    pub const fn is_powered(&self) -> bool {
        self.powered
    }

    /// Erases of each unit since the flash was made.
    pub fn wear(&self) -> &[u32] {
        &self.wear
    }

    /// What was done since the flash was made.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Begins a new, empty trace.
    pub fn record(&mut self) {
        self.trace = Some(Vec::new());
    }

    /// The operations completed since [`record`](Self::record); empty if nothing is recorded.
    pub fn trace(&self) -> &[Op] {
        self.trace.as_deref().unwrap_or_default()
    }

    /// Does these operations again, under this flash's rules and fuse.
    pub fn replay(&mut self, ops: &[Op]) -> Result<(), NorError> {
        ops.iter().try_for_each(|op| match op {
            Op::Program { at, data } => self.program(*at, data),
            Op::Erase { unit } => self.erase_unit(*unit as usize),
        })
    }

    /// Puts `bytes` at `at` as if they had been there before the world began: no rule, no wear,
    /// no operation. Their erase units become those of a flash that was programmed once.
    pub fn place(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorError> {
        self.within(at, bytes.len())?;
        let start = at as usize;
        let (mut rest, mut at) = (bytes, start);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(E - at % E));
            Arc::make_mut(&mut self.units[at / E]).place(at % E, now, W);
            (rest, at) = (later, at + now.len());
        }
        self.keep(start, bytes.len())
    }

    /// All bytes, weak bits as they were left (1).
    pub fn contents(&self) -> Vec<u8> {
        self.units.iter().flat_map(|unit| unit.bytes().iter().copied()).collect()
    }

    /// Tells two flashes apart by what is on them (weak bits included), not by how it came there.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for unit in &self.units {
            unit.hash(&mut hasher);
        }
        hasher.finish()
    }

    fn size(&self) -> usize {
        self.units.len() * E
    }

    fn within(&self, at: u32, len: usize) -> Result<(), NorError> {
        let fits = (at as usize).checked_add(len).is_some_and(|end| end <= self.size());
        if fits { Ok(()) } else { Err(NorError::OutOfBounds { at, len, size: self.size() }) }
    }

    /// Writes what changed in `len` bytes at `at` through to the file, if there is one.
    fn keep(&mut self, at: usize, len: usize) -> Result<(), NorError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let (mut at, end) = (at, at + len);
        while at < end {
            let upto = end.min((at / E + 1) * E);
            let unit = self.units[at / E].bytes();
            file.write(at, &unit[at % E..at % E + (upto - at)])?;
            at = upto;
        }
        Ok(())
    }
}

/// A fork: the same content, counts, rules and sequence of chance; in RAM, whatever the original.
impl<const W: usize, const E: usize, const R: usize> Clone for SimNor<W, E, R> {
    fn clone(&self) -> Self {
        Self {
            units: self.units.clone(),
            wear: self.wear.clone(),
            counts: self.counts,
            rewrite: self.rewrite,
            random: self.random.clone(),
            powered: self.powered,
            fuse: self.fuse,
            pends: self.pends,
            trace: self.trace.clone(),
            file: None,
        }
    }
}
