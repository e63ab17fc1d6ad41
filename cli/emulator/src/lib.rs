//! The flash of an emulated board, kept outside of the emulator.
//!
//! An emulator that is killed leaves its flash as it was at some moment nobody chose. Here the
//! bytes are kept by a [`Chip`] in the test's own process, and the emulator reaches them as a
//! network block device ([`serve`]): every change is counted and judged by the rules of NOR flash,
//! and at the operation that a [`Cut`] names, the power goes: what [`Tear`] says is left of it,
//! and no byte of any later one. The firmware is unmodified and knows nothing of it.
//!
//! ```text
//! emulator ── write ──► nbd ──► Chip ── rules, count, cut ──► bytes
//!    ▲                                       │
//!    └────────── killed by the owner ◄───────┘ the fuse blew
//! ```
//!
//! Where the emulator writes back later than the firmware wrote, the exact operations are those it traces:
//! [`follow`].
//!
//! The emulator itself is a [`Machine`]: its console by the line, started again where a reset of the
//! board ends it.
#![cfg_attr(not(unix), allow(unused))]

mod chip;
mod held;
mod machine;
#[cfg(unix)]
mod nbd;
mod trace;

pub use chip::{Change, Chip, Cut, Operations, Tear};
pub use held::Held;
pub use machine::{Line, Machine, command, leashed, resets_end_it};
#[cfg(unix)]
pub use nbd::{Server, serve};
pub use trace::{follow, traced, writes_back_later};
