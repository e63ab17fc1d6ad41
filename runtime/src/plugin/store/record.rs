//! The store's records as bytes, and back. Offsets are drawn in the [module above](super).

use crate::{
    sealed::{Bytes, Taker},
    version::Version,
};

/// Bytes of a record.
pub(super) const RECORD_LEN: usize = 96;
const KIND: u8 = b'S';

/// What is known of a file that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct File {
    /// Its length in bytes.
    pub size: u32,
    /// Its signed version.
    pub version: Version,
    /// What it was known by before it was here; see
    /// [`Record::fingerprint`](crate::journal::Record::fingerprint).
    pub fingerprint: [u8; 32],
    /// Its SHA-256.
    pub digest: [u8; 32],
}

/// Whether a file is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum State {
    /// It is loaded at boot.
    Active = 1,
    /// It is kept and not loaded.
    Disabled = 2,
    /// It is gone; that it was here is remembered.
    Removed = 3,
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Entry {
    /// Its cell, from 0.
    pub cell: u8,
    /// How many records the slot had before, and one; it wraps.
    pub sequence: u32,
    /// Whether the file is in use.
    pub state: State,
    /// The file.
    pub file: File,
}

impl Entry {
    /// Of two records of a slot: whether this is the later one.
    pub(super) const fn is_newer_than(&self, other: &Entry) -> bool {
        self.sequence.wrapping_sub(other.sequence) as i32 > 0
    }

    /// The record that says so of `slot`, to be written at offset `at` of flash, in a cell of
    /// `len` bytes.
    pub(super) fn to_bytes(self, slot: u8, at: u32, len: u32) -> [u8; RECORD_LEN] {
        let mut bytes = Bytes::<RECORD_LEN>::new();
        bytes.put(&self.sequence.to_le_bytes());
        bytes.put(&self.file.size.to_le_bytes());
        bytes.put(&len.to_le_bytes());
        bytes.put(&[slot, self.state as u8, 0xff, 0xff]);
        bytes.put(&self.file.version.to_bytes());
        bytes.put(&self.file.fingerprint);
        bytes.put(&self.file.digest);
        bytes.sealed(KIND, at)
    }

    /// The slot, the length of a cell and the entry, where the record is whole.
    pub(super) fn from_bytes(
        bytes: &[u8; RECORD_LEN],
        at: u32,
        cell: u8,
    ) -> Option<(u8, u32, Self)> {
        let mut from = Taker::opened(bytes, KIND, at)?;
        let sequence = u32::from_le_bytes(from.take()?);
        let size = u32::from_le_bytes(from.take()?);
        let len = u32::from_le_bytes(from.take()?);
        let [slot, state, _, _] = from.take()?;
        let state = match state {
            1 => State::Active,
            2 => State::Disabled,
            3 => State::Removed,
            _ => return None,
        };
        let version = Version::from_bytes(from.take()?);
        let file = File { size, version, fingerprint: from.take()?, digest: from.take()? };
        Some((slot, len, Entry { cell, sequence, state, file }))
    }
}
