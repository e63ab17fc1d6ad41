//! The update: from an opened file to a staged image. One [`Event`] in, one [`Action`] out.
//!
//! At any moment the update waits for exactly one thing, so there is no queue, no poll, no future
//! and no clock inside: whoever drives it does what the action says and answers with the event
//! that came of it. Bytes live in the machine's one block buffer, lent out by
//! [`Action::Read`], [`Action::Receive`] and [`Action::Program`].
//!
//! ```text
//!        ┌──────────────────────────── next window ───────────────────────────┐
//!        ▼                                                                     │
//! Begin ─ Scan ── missing ─► Stripe ─► Erase ─► Request ─► Receive ─► Program ─► Mark
//!          │      blocks    opened?   (not yet   ▲  │  ▲    a block    slot       journal
//!          │                 │ dirty   opened)   │  │  └─ more of this window ──────┘
//!          │                 ▼                   │  └─ silence, refusal, link down ─► Pause
//!          │                Void (ECC flash)     └────────────────────────────────────┘
//!          └─ all there ─► Verify ─► Install ─► Finish
//! ```
//!
//! What a power cut leaves behind, and why resuming from the marks alone is safe, is argued in
//! [`journal`](crate::journal).

mod fetch;
pub(crate) mod pace;
mod room;
mod stripe;
mod window;

use crate::{
    error::Failure,
    pipeline::Retry,
    plugin::Content,
    transport::{Geometry, Wanted},
    verify::{Claim, Proven, Rules, Verifier},
};
use core::convert::Infallible;
use pace::Pace;

/// A part of the flash that an [`Action`] speaks of; offsets are relative to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Area {
    /// Where the image is written.
    Slot,
    /// The marks of the journal's active half: one write unit a block.
    Marks,
}

/// What the driver is to do next. Answered by the [`Event`] named with each.
#[derive(Debug, PartialEq, Eq)]
pub enum Action<'a, P = Infallible> {
    /// Read flash, then [`Event::Done`].
    Read {
        /// Where.
        area: Area,
        /// From here, in bytes.
        offset: u32,
        /// All of it.
        into: &'a mut [u8],
    },
    /// Erase one erase unit, then [`Event::Done`].
    Erase {
        /// Where.
        area: Area,
        /// First byte.
        from: u32,
        /// Behind the last byte.
        to: u32,
    },
    /// Program flash, then [`Event::Done`].
    Program {
        /// Where.
        area: Area,
        /// From here, in bytes.
        offset: u32,
        /// Whole write units.
        data: &'a [u8],
    },
    /// Take back the marks of these blocks in one stroke, then [`Event::Done`].
    Void {
        /// First block.
        first: u32,
        /// How many.
        count: u32,
    },
    /// Ask for these blocks, then [`Event::Done`], or [`Event::Failed`] with a link's failure.
    Request(Wanted),
    /// Wait for a wanted block: [`Event::Block`], [`Event::Silence`], [`Event::Refused`] or
    /// [`Event::Failed`].
    Receive {
        /// What is still missing of what was asked for.
        wanted: Wanted,
        /// At least one whole block.
        into: &'a mut [u8],
        /// Longest wait, in milliseconds.
        within_ms: u32,
    },
    /// Pause, then [`Event::Done`].
    Wait {
        /// Milliseconds.
        ms: u32,
    },
    /// Tell the provider how far the download is, or not: then [`Event::Done`] either way.
    Report {
        /// Blocks in the slot.
        received: u32,
        /// Blocks of the file.
        total: u32,
    },
    /// Hand the image to the bootloader, or the plugin to its store, then [`Event::Done`].
    Install(Proven<P>),
    /// The update is over; no event follows.
    Finish(Result<(), Failure>),
}

/// What came of an [`Action`]. Carries no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event {
    /// Start, or start again: the answer to nothing.
    Begin,
    /// It was done.
    Done,
    /// A wanted block stands at the front of the buffer.
    Block {
        /// Its number.
        index: u32,
        /// Its exact length.
        len: u32,
        /// Milliseconds since the `Receive` was asked for.
        after_ms: u32,
    },
    /// Nothing came in time.
    Silence,
    /// The provider refused the request.
    Refused(Failure),
    /// It could not be done. Failures of the link are waited out; all others end the update.
    Failed(Failure),
}

/// The numbers of a pipeline that an update goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Terms {
    /// Unit of programming, in bytes: divides the block size.
    pub write: u32,
    /// Unit of erasing, in bytes: divides the block size or is divided by it.
    pub erase: u32,
    /// Whether a programmed word may be programmed again with the same data.
    pub rewrite: bool,
    /// Blocks asked for at once: 1..=[`WINDOW_MAX`](crate::transport::WINDOW_MAX).
    pub window: u32,
    /// Progress is reported after the first block and then every so many; 0: never.
    pub report_every: u32,
    /// How requests are repeated.
    pub retry: Retry,
}

/// A cut leaves one torn word behind; a second chance for a second cut.
const MENDS: u8 = 2;

/// What the machine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing: not begun, or over.
    Idle,
    /// Marks from block `at` on, to find the next window.
    Scan { at: u32 },
    /// Marks of a stripe from block `at` on, to see whether it was opened.
    Stripe { stripe: u32, at: u32 },
    /// Bytes of a missing block of an opened stripe, to see whether it is blank.
    Blank { stripe: u32, block: u32 },
    /// Marks of a dirty stripe being taken back.
    Void,
    /// An erase unit of a stripe.
    Erase { stripe: u32, from: u32 },
    /// A request being sent.
    Request,
    /// A block.
    Receive,
    /// A pause before the next request.
    Pause,
    /// A block being programmed.
    Program { index: u32 },
    /// Its mark being programmed.
    Mark { index: u32 },
    /// Progress being told.
    Report,
    /// Bytes for the verifier.
    Verify { len: u32 },
    /// The bootloader, or the plugin store.
    Install,
}

// Some flash drivers want word-aligned buffers.
#[repr(align(8))]
#[derive(Debug)]
struct Block<const LEN: usize>([u8; LEN]);

/// A download, its verification and its staging; `BUFFER` bytes hold at least one block.
// In this order: behind the block nothing is within reach of an instruction's own offset, and what is not
// costs two more wherever it is used.
#[derive(Debug)]
#[repr(C)]
pub struct Update<V, const BUFFER: usize> {
    state: State,
    /// The blocks of the current window that are missing.
    wanted: Wanted,
    geometry: Geometry,
    terms: Terms,
    pace: Pace,
    /// Whether blocks may be half-written by an earlier run that was cut.
    resuming: bool,
    /// How many more stripes may be begun anew because a word could not be programmed: a cut can
    /// leave one that reads as erased and is not, on flash with error correction.
    mends: u8,
    rules: Rules,
    claim: Claim,
    verifier: V,
    block: Block<BUFFER>,
}

impl<V: Verifier, const BUFFER: usize> Update<V, BUFFER> {
    /// An update that has not begun. `seed` varies the jitter between devices.
    pub const fn new(verifier: V, rules: Rules, terms: Terms, seed: u32) -> Self {
        const { assert!(BUFFER >= 256 && BUFFER.is_multiple_of(32), "256 bytes or more, by 32") };
        Update {
            verifier,
            rules,
            terms,
            claim: Claim::image(0),
            geometry: Geometry { size: 0, block: 0, file: 0 },
            state: State::Idle,
            wanted: Wanted { first: 0, bits: 0 },
            resuming: false,
            mends: 0,
            pace: Pace::new(terms.retry, seed),
            block: Block([0; BUFFER]),
        }
    }

    /// Takes up another file; the next event is [`Event::Begin`]. The journal's active half must
    /// be this file's.
    pub fn open(&mut self, claim: Claim, geometry: Geometry) {
        self.claim = claim;
        self.geometry = geometry;
        self.state = State::Idle;
    }

    /// The block buffer, for whoever needs one while no update runs.
    pub fn scratch(&mut self) -> &mut [u8] {
        &mut self.block.0
    }

    /// The verifier, what it goes by, and the block buffer, while no update runs.
    pub(crate) fn verifier(&mut self) -> (&mut V, &Rules, &mut [u8]) {
        (&mut self.verifier, &self.rules, &mut self.block.0)
    }

    /// What the file that was opened is said to be.
    pub(crate) const fn content(&self) -> Content {
        self.claim.content
    }

    /// The file that was opened.
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Blocks that are in the slot, and blocks of the file.
    pub fn progress(&self) -> (u32, u32) {
        let total = self.geometry.blocks();
        let behind = total.saturating_sub(self.wanted.first).min(self.terms.window);
        let missing = self.wanted.count();
        (self.wanted.first.saturating_add(behind).saturating_sub(missing).min(total), total)
    }

    /// Takes an event and says what to do next.
    #[inline(never)]
    pub fn step(&mut self, event: Event) -> Action<'_, V::Plugin> {
        match (self.state, event) {
            (_, Event::Begin) => {
                self.resuming = true;
                self.mends = MENDS;
                self.pace.reset();
                self.wanted = Wanted::default();
                self.scan(0)
            }
            (State::Receive, Event::Block { index, len, after_ms }) => {
                self.pace.heard(after_ms);
                self.program(index, len)
            }
            (State::Receive, Event::Silence) => self.silence(),
            (State::Receive | State::Request, Event::Refused(why)) => self.refused(why),
            (State::Receive | State::Request, Event::Failed(Failure::LinkDown)) => self.pause(),
            (State::Idle, _) => Action::Finish(Err(Failure::Misconfigured)),
            (State::Program { index } | State::Mark { index }, Event::Failed(Failure::Program))
                if self.mends > 0 =>
            {
                self.mends -= 1;
                self.void(self.stripes().of(index))
            }
            (_, Event::Failed(why)) => self.finish(Err(why)),
            (state, Event::Done) => self.done(state),
            // A driver that answers out of turn is a bug; flash stays as it is.
            _ => self.finish(Err(Failure::Misconfigured)),
        }
    }

    fn done(&mut self, state: State) -> Action<'_, V::Plugin> {
        match state {
            State::Scan { at } => self.scanned(at),
            State::Stripe { stripe, at } => self.stripe_read(stripe, at),
            State::Blank { stripe, block } => self.blank_read(stripe, block),
            State::Void => self.scan(0),
            State::Erase { stripe, from } => self.erased(stripe, from),
            State::Request => self.receive(),
            State::Pause => self.request(),
            State::Program { index } => self.mark(index),
            State::Mark { index } => self.marked(index),
            State::Report => self.next_block(),
            State::Verify { len } => {
                let bytes = self.block.0.get(..len as usize).unwrap_or_default();
                let next = self.verifier.feed(&self.rules, &self.claim, bytes);
                self.verify(next)
            }
            State::Install => self.finish(Ok(())),
            State::Idle | State::Receive => self.finish(Err(Failure::Misconfigured)),
        }
    }

    fn finish(&mut self, result: Result<(), Failure>) -> Action<'_, V::Plugin> {
        self.state = State::Idle;
        Action::Finish(result)
    }
}
