//! The journal: what is being installed, which blocks are in the slot, what became of it.
//!
//! # What it promises
//! After a power cut at any flash operation, torn or clean:
//! 1. [`Journal::open`] finds the newest record whose header was written whole;
//! 2. a block it calls received is in the slot, whole;
//! 3. no block that is whole and marked is asked for again, but on flash that must not be
//!    programmed twice, where the erase unit with the torn block in it is taken back;
//! 4. what was decided (staged, failed and why, succeeded, told to the provider) stays decided.
//!
//! # Definitions
//! Two halves of whole erase units. `W` is the write unit (1 to 32 bytes), `E = max(16, W)`:
//! ```text
//! half   0        192      256                256 + 16·E            len / 2
//!        ├────────┼────────┼──────────────────┼─────────────────────┤
//!        │ header │ proof  │ log: 16 events   │ marks: W per block  │
//!        └────────┴────────┴──────────────────┴─────────────────────┘
//!
//! header 0  "COJ1"           12 block size    20 job length    24 version before (8)
//!        4  sequence         16 file          21 attempt       32 fingerprint (32)
//!        8  file size        17 unused (3)    22 unused (2)    64 job (64)
//!        128 unused, ff (56)                                   184 seal (8)
//!
//! proof  0 digest (32)   32 version (8)   40 size   44 ff (12)   56 seal (8)
//! event  0 kind   1 unused   2 argument u16   4 sequence u32   8 seal (8)   16.. ff to E
//! mark   all ff: not received; any bit 0: received
//! ```
//! Numbers are little-endian. A seal is the first 8 bytes of the SHA-256 of what stands before it
//! in its record, prefixed by the record's kind and, for events, its place.
//!
//! # Implementation
//! - The half with a sealed header and the higher sequence is active; the other is spare.
//! - [`Journal::begin`] erases the spare, then programs a header with the next sequence: the
//!   header's last word is the commit.
//! - A mark is programmed after its block. Events and the proof are appended, never changed; an
//!   event that was torn has no seal and its place is passed over.
//! - [`Journal::void`] takes marks back, which flash cannot: it erases the spare, programs the
//!   marks, events and proof that stay, and then the header, which commits.
//!
//! # Why it holds
//! Every word is programmed once per erase, so flash with error correction will do. A cut before a
//! header is sealed leaves the other half active and unchanged: the old truth. A cut after it: the
//! new truth, for everything a header vouches for was programmed before it. A torn mark reads as
//! received or not; both are true, since its block is whole by then. A torn block has no mark. A
//! torn event is no event: its cause is found again (see [`orchestrator`](mod@crate::orchestrator)).

mod record;
mod store;

pub use record::{Event, Proof, Record};
pub use store::Journal;

/// Bytes of the header.
pub(crate) const HEADER_LEN: usize = 192;
/// Bytes of the proof.
pub(crate) const PROOF_LEN: usize = 64;
/// Events that a half has room for.
pub const EVENTS: u32 = 16;

/// Bytes from one event to the next.
pub(crate) const fn event_stride(write: u32) -> u32 {
    if write > record::EVENT_LEN as u32 { write } else { record::EVENT_LEN as u32 }
}

/// Offset of the log in a half.
pub(crate) const LOG: u32 = (HEADER_LEN + PROOF_LEN) as u32;

/// Offset of the marks in a half.
pub(crate) const fn marks(write: u32) -> u32 {
    LOG + EVENTS * event_stride(write)
}

/// Bytes a half needs for a file of so many blocks.
pub const fn half_len(write: u32, blocks: u32) -> u32 {
    marks(write).saturating_add(blocks.saturating_mul(write))
}
