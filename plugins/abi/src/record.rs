//! Records: what a plugin answers with.

use crate::{Fault, numbered};

/// Length of a record in memory, in bytes.
pub const RECORD_LEN: u32 = 16;
/// Most records of one answer.
pub const RECORDS_MAX: u32 = 64;

/// One record: `{u16 tag, u16 x, u32 a, u32 b, u32 c}`, little-endian.
///
/// What `x`, `a`, `b` and `c` are is up to the [`Tag`]; what a tag does not use is 0. A record of an
/// unknown tag is skipped: so an old host runs a newer plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Record {
    /// Number of a [`Tag`].
    pub tag: u16,
    /// A small number.
    pub x: u16,
    /// A number, or where a span begins.
    pub a: u32,
    /// A number, or the length of that span.
    pub b: u32,
    /// A number, or where a second span begins.
    pub c: u32,
}

impl Record {
    /// As it stands in memory.
    pub const fn to_bytes(self) -> [u8; RECORD_LEN as usize] {
        let [t0, t1] = self.tag.to_le_bytes();
        let [x0, x1] = self.x.to_le_bytes();
        let [a0, a1, a2, a3] = self.a.to_le_bytes();
        let [b0, b1, b2, b3] = self.b.to_le_bytes();
        let [c0, c1, c2, c3] = self.c.to_le_bytes();
        [t0, t1, x0, x1, a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3]
    }

    /// From memory.
    pub const fn from_bytes(bytes: [u8; RECORD_LEN as usize]) -> Self {
        let [t0, t1, x0, x1, a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3] = bytes;
        Record {
            tag: u16::from_le_bytes([t0, t1]),
            x: u16::from_le_bytes([x0, x1]),
            a: u32::from_le_bytes([a0, a1, a2, a3]),
            b: u32::from_le_bytes([b0, b1, b2, b3]),
            c: u32::from_le_bytes([c0, c1, c2, c3]),
        }
    }

    /// The span that `a` and `b` are.
    pub const fn span(self) -> Span {
        Span { at: self.a, len: self.b }
    }
}

/// A range of the plugin's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Address of its first byte.
    pub at: u32,
    /// How many bytes.
    pub len: u32,
}

impl Span {
    /// Its bytes.
    ///
    /// # Errors
    /// [`Fault::Span`] where it is not within `memory`.
    pub fn of(self, memory: &[u8]) -> Result<&[u8], Fault> {
        let from = usize::try_from(self.at).map_err(|_| Fault::Span)?;
        let len = usize::try_from(self.len).map_err(|_| Fault::Span)?;
        let to = from.checked_add(len).ok_or(Fault::Span)?;
        memory.get(from..to).ok_or(Fault::Span)
    }

    /// Where it begins in `other`, if it lies wholly inside: of the input buffer, the host has the
    /// bytes itself.
    pub const fn within(self, other: Span) -> Option<u32> {
        let Some(offset) = self.at.checked_sub(other.at) else { return None };
        match offset.checked_add(self.len) {
            Some(end) if end <= other.len => Some(offset),
            _ => None,
        }
    }
}

numbered! {
    /// What a record says. A *field* is a span (`a`, `b`) with its coding in `x`, see
    /// [`Field`](crate::Field); a *number* stands in `a`, with `b` 0.
    pub enum Tag: u16, "TAG" {
        /// number: length of the file in bytes, not 0; required
        0x01 Size "SIZE",
        /// number: the provider's number of the file, at most 255; 0 if absent
        0x02 File "FILE",
        /// number: how many files the job has, 1 to 255; 1 if absent
        0x03 Files "FILES",
        /// field: name of the stream that carries the file
        0x04 Stream "STREAM",
        /// field: where to fetch the file by a request
        0x05 Url "URL",
        /// field: SHA-256 of the file, 32 bytes once decoded
        0x06 Sha256 "SHA256",
        /// field, and in c an ALGORITHM: signature over the SHA-256 of the file
        0x07 Signature "SIGNATURE",
        /// field: version of the file, major.minor.revision[+build]
        0x08 Version "VERSION",
        /// field: board the file is for
        0x09 Board "BOARD",
        /// number, a CONTENT: what the file is; an image if absent
        0x0a Content "CONTENT",
        /// field: name of the protocol that carries the file, if not that of MQTT streams
        0x0b Protocol "PROTOCOL",
        /// a, b: topic to subscribe to
        0x40 Subscribe "SUBSCRIBE",
        /// a, b: payload; c, x: address and length of the topic to publish it to
        0x41 Publish "PUBLISH",
        /// field, and in c its number: a block of the file
        0x42 Block "BLOCK",
        /// number, a FAILURE: the provider refuses, this file cannot be had
        0x43 GiveUp "GIVE_UP",
        /// a, b: where to; c: first block, x: how many. Kept for hosts with a request link
        0x44 Request "REQUEST",
        /// number: milliseconds until TIMER. Kept for hosts that keep a plugin's time
        0x45 Wake "WAKE",
        /// x: a HEAR, and in a the FAILURE of a refusal: what the message means
        0x60 Hear "HEAR",
        /// a, b: name of the job offered, 1 to 64 bytes
        0x61 Job "JOB",
        /// a, b: document of the job offered
        0x62 Document "DOCUMENT",
    }
}

impl Tag {
    /// Whether a descriptor says it with a number, not with a field.
    pub const fn is_number(self) -> bool {
        matches!(self, Tag::Size | Tag::File | Tag::Files | Tag::Content)
    }

    /// A record that says this with a number.
    pub const fn number_record(self, number: u32) -> Record {
        Record { tag: self.number(), x: 0, a: number, b: 0, c: 0 }
    }

    /// A record that says this with a span.
    pub const fn span_record(self, span: Span) -> Record {
        Record { tag: self.number(), x: 0, a: span.at, b: span.len, c: 0 }
    }
}
