//! The bytes of a NOR flash, the rules they change by, and the cut.
//!
//! A block device says what bytes are to be, not what was done to get there. What was done can be
//! told all the same: a write that makes whole erase units blank is an erase of each of them, any
//! other write that changes something programs one page. Writes that change nothing are not
//! operations: emulators write back more than was changed.

use coreota::sim::random::Random;
use std::ops::Range;

/// What a cut leaves of the operation that it hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tear {
    /// Nothing: it never began.
    Clean,
    /// The first half of its bytes is done.
    Half,
    /// Every bit that was to change did so or not, by chance.
    Bits,
}

impl Tear {
    /// All of them, for loops.
    pub const ALL: [Self; 3] = [Self::Clean, Self::Half, Self::Bits];
}

/// When the power goes, and what is left then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// How many operations succeed before it: 0 hits the next.
    pub after: u64,
    /// What is left of the operation that it hits.
    pub tear: Tear,
    /// Decides the bits of [`Tear::Bits`].
    pub seed: u64,
}

/// How much was done to a chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Writes that programmed something.
    pub programs: u64,
    /// Units erased.
    pub erases: u64,
    /// Writes that asked for bits to go from 0 to 1 without an erase. They take effect all the
    /// same: an emulator may write a page back before the erase that came before it.
    pub violations: u64,
}

impl Operations {
    /// All that a [`Cut`] counts.
    pub const fn count(&self) -> u64 {
        self.programs + self.erases
    }
}

/// What an operation made of the flash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Address of the first byte.
    pub at: u64,
    /// The bytes from there on.
    pub data: Vec<u8>,
}

/// A NOR flash.
#[derive(Clone, Debug)]
pub struct Chip {
    bytes: Vec<u8>,
    erase: usize,
    operations: Operations,
    /// Every operation since it was asked for.
    record: Option<Vec<Change>>,
    cut: Option<Cut>,
    powered: bool,
}

impl Chip {
    /// A blank chip of `size` bytes that is erased by units of `erase` bytes.
    ///
    /// # Panics
    /// Where the size is not a multiple of the unit, or the unit is 0.
    pub fn blank(size: usize, erase: usize) -> Self {
        Chip::holding(vec![0xff; size], erase)
    }

    /// A chip that holds these bytes.
    ///
    /// # Panics
    /// Where the length is not a multiple of the unit, or the unit is 0.
    pub fn holding(bytes: Vec<u8>, erase: usize) -> Self {
        assert!(erase > 0 && bytes.len().is_multiple_of(erase), "a chip has whole erase units");
        let operations = Operations::default();
        Chip { bytes, erase, operations, record: None, cut: None, powered: true }
    }

    /// Keeps every operation from now on, for [`Chip::recorded`].
    pub fn record(&mut self) {
        self.record = Some(Vec::new());
    }

    /// The operations since [`Chip::record`], in their order. Written to a chip that holds what this one
    /// held then, one after the other, they make it what this one was after each of them.
    pub fn recorded(&self) -> &[Change] {
        self.record.as_deref().unwrap_or_default()
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes that are erased at once.
    pub const fn erase_unit_size(&self) -> usize {
        self.erase
    }

    /// What was done to it so far.
    pub const fn operations(&self) -> Operations {
        self.operations
    }

    /// Lets the power go at an operation from now.
    pub const fn arm(&mut self, cut: Cut) {
        self.cut = Some(cut);
    }

    /// Gives it power again after a cut, and disarms it.
    pub const fn power_on(&mut self) {
        self.powered = true;
        self.cut = None;
    }

    /// Whether it has power.
    pub const fn powered(&self) -> bool {
        self.powered
    }

    /// The bytes of a range; `None` without power or outside the chip.
    pub fn read(&self, at: u64, len: usize) -> Option<&[u8]> {
        let range = self.range(at, len)?;
        self.powered.then(|| &self.bytes[range])
    }

    /// Makes the bytes at `at` be `data`. `None` without power, outside the chip, or where the
    /// power goes meanwhile.
    #[must_use]
    pub fn write(&mut self, at: u64, data: &[u8]) -> Option<()> {
        let range = self.range(at, data.len())?;
        if !self.powered {
            return None;
        }
        let blank = data.iter().all(|byte| *byte == 0xff);
        let units = range.start.is_multiple_of(self.erase) && data.len().is_multiple_of(self.erase);
        if blank && units {
            let mut units = range.step_by(self.erase);
            return units.try_for_each(|start| self.erase_unit(start));
        }
        if self.bytes[range.clone()].iter().zip(data).any(|(old, new)| !old & new != 0) {
            self.operations.violations += 1;
        }
        self.program_page(range, data)
    }

    /// One program operation, where it changes anything.
    fn program_page(&mut self, range: Range<usize>, data: &[u8]) -> Option<()> {
        if self.bytes[range.clone()] == *data {
            return Some(());
        }
        self.change(range, data)?;
        self.operations.programs += 1;
        Some(())
    }

    /// Programs bytes as NOR flash does: a bit that is 0 stays 0. `None` as for [`Chip::write`].
    #[must_use]
    pub fn program(&mut self, at: u64, data: &[u8]) -> Option<()> {
        let range = self.range(at, data.len()).filter(|_| self.powered)?;
        let old = &self.bytes[range.clone()];
        let now: Vec<u8> = old.iter().zip(data).map(|(old, new)| old & new).collect();
        // A byte of ones leaves what is there: that is how one is left out.
        let mut bytes = now.iter().zip(data);
        if bytes.any(|(now, asked)| now != asked && *asked != 0xff) {
            self.operations.violations += 1;
        }
        self.program_page(range, &now)
    }

    fn erase_unit(&mut self, start: usize) -> Option<()> {
        let range = start..start + self.erase;
        if self.bytes[range.clone()].iter().all(|byte| *byte == 0xff) {
            return Some(());
        }
        self.change(range, &vec![0xff; self.erase])?;
        self.operations.erases += 1;
        Some(())
    }

    /// One operation, or what a cut leaves of it.
    fn change(&mut self, range: Range<usize>, data: &[u8]) -> Option<()> {
        let at = range.start as u64;
        let bytes = &mut self.bytes[range];
        match &mut self.cut {
            Some(Cut { after: 0, tear, seed }) => {
                tear_apart(bytes, data, *tear, *seed);
                self.powered = false;
                return None;
            }
            Some(cut) => cut.after -= 1,
            None => {}
        }
        bytes.copy_from_slice(data);
        if let Some(record) = &mut self.record {
            record.push(Change { at, data: data.to_vec() });
        }
        Some(())
    }

    fn range(&self, at: u64, len: usize) -> Option<Range<usize>> {
        let start = usize::try_from(at).ok()?;
        let end = start.checked_add(len)?;
        (end <= self.bytes.len()).then_some(start..end)
    }
}

fn tear_apart(bytes: &mut [u8], data: &[u8], tear: Tear, seed: u64) {
    match tear {
        Tear::Clean => {}
        Tear::Half => {
            let half = data.len() / 2;
            bytes[..half].copy_from_slice(&data[..half]);
        }
        Tear::Bits => {
            let mut random = Random::new(seed);
            for (old, new) in bytes.iter_mut().zip(data) {
                *old ^= (*old ^ new) & random.byte();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Chip {
        let mut chip = Chip::blank(64, 16);
        chip.write(16, &[0x0f; 16]).expect("power");
        chip
    }

    #[test]
    fn operations_are_told_from_what_changes() {
        let mut chip = written();
        chip.write(16, &[0x0f; 16]).expect("power");
        assert_eq!(chip.operations(), Operations { programs: 1, ..Operations::default() });
        // Three units, of which one has something to erase.
        chip.write(0, &[0xff; 48]).expect("power");
        assert_eq!(chip.operations(), Operations { programs: 1, erases: 1, violations: 0 });
        chip.write(3, &[0xf0]).expect("power");
        chip.write(3, &[0xf1]).expect("power");
        assert_eq!(chip.operations(), Operations { programs: 3, erases: 1, violations: 1 });
        assert_eq!(chip.write(60, &[0; 5]), None, "outside");
        assert_eq!(chip.read(u64::MAX, 1), None, "far outside");
    }

    #[test]
    fn what_was_recorded_makes_the_same_of_another_chip() {
        let mut chip = written();
        let mut other = chip.clone();
        chip.record();
        chip.write(0, &[0x55; 3]).expect("power");
        chip.write(0, &[0x55; 3]).expect("power");
        chip.write(0, &[0xff; 32]).expect("power");
        let lengths = chip.recorded().iter().map(|change| change.data.len());
        assert_eq!(lengths.collect::<Vec<_>>(), [3, 16, 16], "only what changes something");
        for Change { at, data } in chip.recorded() {
            other.write(*at, data).expect("power");
        }
        assert_eq!(other.bytes(), chip.bytes());
    }

    #[test]
    fn a_cut_leaves_what_it_says_and_takes_the_power() {
        for tear in Tear::ALL {
            let mut chip = written();
            chip.arm(Cut { after: 1, tear, seed: 1 });
            chip.write(0, &[0x55]).expect("the one before");
            assert_eq!(chip.write(16, &[0xff; 16]), None);
            assert!(!chip.powered());
            assert_eq!((chip.write(0, &[0]), chip.read(0, 1)), (None, None));
            chip.power_on();
            let unit = chip.read(16, 16).expect("power");
            match tear {
                Tear::Clean => assert_eq!(unit, [0x0f; 16]),
                Tear::Half => assert_eq!(unit, [[0xff; 8], [0x0f; 8]].concat()),
                Tear::Bits => {
                    assert!(unit.iter().all(|byte| byte & 0x0f == 0x0f));
                    assert!(unit != [0xff; 16] && unit != [0x0f; 16]);
                }
            }
        }
    }
}
