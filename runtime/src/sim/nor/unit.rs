//! One erase unit: its bytes, which of its words were programmed, and its weak bits.

use super::Rewrite;
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

/// Why a program is refused, and at which byte of its data.
pub(super) enum Refusal {
    SetsBit(usize),
    Rewritten(usize),
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

    /// Whether whole words of `word` bytes may be programmed at `at`, by bits and by `rewrite`.
    pub(super) fn may_program(
        &self,
        at: usize,
        data: &[u8],
        word: usize,
        rewrite: Rewrite,
    ) -> Result<(), Refusal> {
        let sets = self.bytes[at..].iter().zip(data).position(|(old, new)| new & !old != 0);
        if let Some(byte) = sets {
            return Err(Refusal::SetsBit(byte));
        }
        if rewrite == Rewrite::Free {
            return Ok(());
        }
        let again = |(programmed, new): (&bool, &[u8])| match rewrite {
            Rewrite::Free => false,
            Rewrite::Once => *programmed,
            Rewrite::OnceOrZero => *programmed && new.iter().any(|byte| *byte != 0),
        };
        let programmed = self.programmed[at / word..].iter();
        match programmed.zip(data.chunks(word)).position(again) {
            Some(index) => Err(Refusal::Rewritten(index * word)),
            None => Ok(()),
        }
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

    /// Programs whole words of `word` bytes: AND. A weak bit that is programmed is a solid 0 again.
    pub(super) fn program(&mut self, at: usize, data: &[u8], word: usize) {
        for (byte, new) in self.bytes[at..].iter_mut().zip(data) {
            *byte &= new;
        }
        if let Some(weak) = &mut self.weak {
            for (weak, new) in weak[at..].iter_mut().zip(data) {
                *weak &= new;
            }
        }
        self.programmed[at / word..(at + data.len()) / word].fill(true);
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
