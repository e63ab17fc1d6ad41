//! One erase unit: its bytes, which of its words were programmed, and its weak bits.

use crate::sim::random::Random;
use core::hash::{Hash, Hasher};
use std::boxed::Box;
use std::vec;

#[derive(Clone, Debug)]
pub(super) struct Unit {
    bytes: Box<[u8]>,
    /// Per word: programmed, or touched by a torn erase, since the last whole erase.
    programmed: Box<[bool]>,
    /// Bits that a torn erase left between 0 and 1; stored as 1 in `bytes`, read at random.
    weak: Option<Box<[u8]>>,
}

/// Bytes and weak bits only: whether a word of ones was programmed is not to be seen on a flash.
impl Hash for Unit {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
        self.weak.hash(state);
    }
}

impl Unit {
    pub(super) fn erased(size: usize, word: usize) -> Self {
        Self {
            bytes: vec![0xff; size].into(),
            programmed: vec![false; size / word].into(),
            weak: None,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_programmed(&self, word: usize) -> bool {
        self.programmed[word]
    }

    pub(super) fn read(&self, at: usize, into: &mut [u8], random: &mut Random) {
        into.copy_from_slice(&self.bytes[at..at + into.len()]);
        if let Some(weak) = &self.weak {
            for (byte, weak) in into.iter_mut().zip(&weak[at..]) {
                *byte &= !weak | random.byte();
            }
        }
    }

    /// Sets bytes without any rule; words that are not all ones count as programmed.
    pub(super) fn place(&mut self, at: usize, bytes: &[u8], word: usize) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        if let Some(weak) = &mut self.weak {
            weak[at..at + bytes.len()].fill(0);
        }
        for (mark, word) in self.programmed.iter_mut().zip(self.bytes.chunks(word)) {
            *mark = word.iter().any(|byte| *byte != 0xff);
        }
    }

    /// Programs one word: AND. A weak bit that is programmed is a solid 0 again.
    pub(super) fn program(&mut self, word: usize, data: &[u8]) {
        let at = word * data.len();
        for (byte, new) in self.bytes[at..].iter_mut().zip(data) {
            *byte &= new;
        }
        if let Some(weak) = &mut self.weak {
            for (weak, new) in weak[at..].iter_mut().zip(data) {
                *weak &= new;
            }
        }
        self.programmed[word] = true;
    }

    /// Erases the first `len` bytes only.
    pub(super) fn erase_prefix(&mut self, len: usize, word: usize) {
        self.bytes[..len].fill(0xff);
        self.programmed[..len / word].fill(false);
    }

    /// Each 0 becomes 1 or stays, by chance; or becomes weak, if `weak`.
    pub(super) fn erase_some_bits(&mut self, weak: bool, random: &mut Random) {
        let mut unsure = vec![0; self.bytes.len()];
        for (byte, unsure) in self.bytes.iter_mut().zip(&mut unsure) {
            let moved = !*byte & random.byte();
            *byte |= moved;
            if weak {
                *unsure = moved & random.byte();
            }
        }
        self.programmed.fill(true);
        if weak {
            self.weak = Some(unsure.into());
        }
    }
}
