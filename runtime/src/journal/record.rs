//! The journal's records as bytes, and back. Offsets are drawn in the [module above](super).

use super::{HEADER_LEN, PROOF_LEN};
use crate::{
    error::Failure,
    job,
    sealed::{Bytes, Taker},
    version::Version,
};
use heapless::String;

/// Bytes of an event.
pub(super) const EVENT_LEN: usize = 16;
const MAGIC: [u8; 4] = *b"COJ1";

/// What is being installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The provider's name of the job.
    pub job: String<{ job::NAME_MAX }>,
    /// SHA-256 over what tells this file from others before its digest is known: its length, and
    /// the digest and signature that the job promises, or else its place. A download is resumed
    /// where this is the same.
    pub fingerprint: [u8; 32],
    /// Length of the file in bytes.
    pub size: u32,
    /// Block size in bytes.
    pub block: u32,
    /// The provider's number of the file.
    pub file: u8,
    /// Downloads of this file so far, from 1.
    pub attempt: u8,
    /// The version that ran when it began.
    pub from: Version,
}

/// What was proved of the image in the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Proof {
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// Its signed version.
    pub version: Version,
    /// Its length in bytes.
    pub size: u32,
}

/// Something that happened to the recorded update and must not be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event {
    /// The bootloader's flags are about to be written.
    Staging,
    /// They are.
    Staged,
    /// The device was reset to have the staged image tried.
    Tried,
    /// The new image runs on trial.
    Testing,
    /// It failed its self-test and is to be left.
    TestFailed(Failure),
    /// It is confirmed.
    Succeeded,
    /// The update ended without it.
    Failed(Failure),
    /// The provider knows how it ended: with that failure, or without.
    Told(Option<Failure>),
}

impl Event {
    const fn to_parts(self) -> (u8, u16) {
        match self {
            Event::Staging => (1, 0),
            Event::Staged => (2, 0),
            Event::Tried => (3, 0),
            Event::Testing => (4, 0),
            Event::TestFailed(why) => (5, why.code()),
            Event::Succeeded => (6, 0),
            Event::Failed(why) => (7, why.code()),
            Event::Told(None) => (8, 0),
            Event::Told(Some(why)) => (8, why.code()),
        }
    }

    fn from_parts(kind: u8, argument: u16) -> Option<Self> {
        // A number of a later release: still a failure, of this device.
        let why = Failure::from_code(argument).unwrap_or(Failure::Misconfigured);
        Some(match kind {
            1 => Event::Staging,
            2 => Event::Staged,
            3 => Event::Tried,
            4 => Event::Testing,
            5 => Event::TestFailed(why),
            6 => Event::Succeeded,
            7 => Event::Failed(why),
            8 if argument == 0 => Event::Told(None),
            8 => Event::Told(Some(why)),
            _ => return None,
        })
    }

    pub(super) fn to_bytes(self, sequence: u32, place: u32) -> [u8; EVENT_LEN] {
        let (kind, argument) = self.to_parts();
        let mut bytes = Bytes::<EVENT_LEN>::new();
        bytes.put(&[kind, 0]);
        bytes.put(&argument.to_le_bytes());
        bytes.put(&sequence.to_le_bytes());
        bytes.sealed(b'E', place)
    }

    pub(super) fn from_bytes(bytes: &[u8; EVENT_LEN], sequence: u32, place: u32) -> Option<Self> {
        let mut from = Taker::opened(bytes, b'E', place)?;
        let [kind, _] = from.take()?;
        let argument = u16::from_le_bytes(from.take()?);
        (u32::from_le_bytes(from.take()?) == sequence).then_some(())?;
        Event::from_parts(kind, argument)
    }
}

impl Proof {
    pub(super) fn to_bytes(self, sequence: u32) -> [u8; PROOF_LEN] {
        let mut bytes = Bytes::<PROOF_LEN>::new();
        bytes.put(&self.digest);
        bytes.put(&self.version.to_bytes());
        bytes.put(&self.size.to_le_bytes());
        bytes.sealed(b'P', sequence)
    }

    pub(super) fn from_bytes(bytes: &[u8; PROOF_LEN], sequence: u32) -> Option<Self> {
        let mut from = Taker::opened(bytes, b'P', sequence)?;
        Some(Proof {
            digest: from.take()?,
            version: Version::from_bytes(from.take()?),
            size: u32::from_le_bytes(from.take()?),
        })
    }
}

impl Record {
    pub(super) fn to_bytes(&self, sequence: u32) -> [u8; HEADER_LEN] {
        let mut bytes = Bytes::<HEADER_LEN>::new();
        bytes.put(&MAGIC);
        bytes.put(&sequence.to_le_bytes());
        bytes.put(&self.size.to_le_bytes());
        bytes.put(&self.block.to_le_bytes());
        bytes.put(&[self.file, 0, 0, 0, self.job.len() as u8, self.attempt, 0, 0]);
        bytes.put(&self.from.to_bytes());
        bytes.put(&self.fingerprint);
        bytes.put(self.job.as_bytes());
        bytes.sealed(b'H', 0)
    }

    /// The sequence and the record, where the header is whole.
    pub(super) fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Option<(u32, Self)> {
        let mut from = Taker::opened(bytes, b'H', 0)?;
        (from.take::<4>()? == MAGIC).then_some(())?;
        let sequence = u32::from_le_bytes(from.take()?);
        let size = u32::from_le_bytes(from.take()?);
        let block = u32::from_le_bytes(from.take()?);
        let [file, _, _, _, job_len, attempt, _, _] = from.take()?;
        let version = Version::from_bytes(from.take()?);
        let fingerprint = from.take()?;
        let job = from.rest().get(..job_len.into())?;
        let job = String::try_from(core::str::from_utf8(job).ok()?).ok()?;
        Some((sequence, Record { job, fingerprint, size, block, file, attempt, from: version }))
    }
}
