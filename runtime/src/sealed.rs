//! Sealed records: bytes in flash that are there whole or not at all.
//!
//! The last 8 bytes of a record are its seal: the first of the SHA-256 of its kind, its place and
//! what stands before them. A record that a power cut tore has no seal that holds, nor has one that
//! is read where it was not written.

use crate::{verify::Hash, wire::copy};

const SEAL_LEN: usize = 8;

fn seal(kind: u8, place: u32, bytes: &[u8]) -> [u8; SEAL_LEN] {
    let mut hash = Hash::new();
    hash.update(&[kind]);
    hash.update(&place.to_le_bytes());
    hash.update(bytes);
    hash.so_far().first_chunk().copied().unwrap_or_default()
}

/// A record being written, `ff` where nothing is.
pub(crate) struct Bytes<const LEN: usize> {
    bytes: [u8; LEN],
    used: usize,
}

impl<const LEN: usize> Bytes<LEN> {
    pub(crate) const fn new() -> Self {
        Bytes { bytes: [0xff; LEN], used: 0 }
    }

    pub(crate) fn put(&mut self, what: &[u8]) {
        let end = self.used + what.len();
        if let Some(place) = self.bytes.get_mut(self.used..end) {
            self.used = end;
            let _ = copy(what, place);
        }
    }

    pub(crate) fn sealed(mut self, kind: u8, place: u32) -> [u8; LEN] {
        if let Some((body, end)) = self.bytes.split_last_chunk_mut() {
            *end = seal(kind, place, body);
        }
        self.bytes
    }
}

/// A record being read.
pub(crate) struct Taker<'b>(&'b [u8]);

impl<'b> Taker<'b> {
    /// The record's body, where its seal holds.
    pub(crate) fn opened(bytes: &'b [u8], kind: u8, place: u32) -> Option<Self> {
        let (body, end) = bytes.split_last_chunk()?;
        (seal(kind, place, body) == *end).then_some(Taker(body))
    }

    pub(crate) fn take<const LEN: usize>(&mut self) -> Option<[u8; LEN]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// What was not taken.
    pub(crate) const fn rest(&self) -> &'b [u8] {
        self.0
    }
}
