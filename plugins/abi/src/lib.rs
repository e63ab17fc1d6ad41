//! What a plugin and its host say to each other: numbers and record layouts, shared by both.
//!
//! `docs/plugin-abi.md` is the same in words, for those who write a plugin or a host in another
//! language; `coreota_plugin.h`, beside this crate, is the same in C and is generated from it.
//!
//! A plugin is a wasm module that imports nothing. It exports its memory and three functions, of
//! which it has the first two and the one of its [`Kind`]:
//!
//! | export | is |
//! |---|---|
//! | [`MEMORY`] | the memory, the only one |
//! | [`ABI`] `() -> i32` | [`Kind::word`]: which kind of plugin, for which version of this page |
//! | [`IO`] `() -> i32` | address of the [`Io`] block: where input goes and records stand |
//! | [`PARSE`] `(len, index) -> i32` | a parser reads a document, see [`Descriptor`] |
//! | [`EVENT`] `(event, len) -> i32` | a protocol hears an [`Event`], see [`Action`] |
//!
//! The host writes input into the plugin's input buffer, calls, and reads the [`Answer`]: how many
//! [`Record`]s stand in the output buffer, or a refusal. Records hold numbers and [`Span`]s, and a
//! span may lie anywhere in the plugin's memory, the input included: a payload is pointed at, not
//! copied. Nothing here allocates, and every read is checked: the bytes come from somebody else.

#![no_std]

mod action;
mod answer;
mod descriptor;
mod event;
mod facts;
mod failure;
mod field;
pub mod header;
mod io;
mod numbered;
mod record;

pub use action::{Action, Ask, Hear, Report};
pub use answer::Answer;
pub use descriptor::{Algorithm, Content, Descriptor};
pub use event::{Event, INPUT_HEADER, Input};
pub use facts::{FACTS_LEN, Facts, NAME_LEN_MAX, RECORD_FACTS, RECORD_NAME};
pub use failure::Failure;
pub use field::{Coding, Field};
pub use io::{IO_LEN, Io};
pub use record::{RECORD_LEN, RECORDS_MAX, Record, Span, Tag};

use numbered::numbered;

/// Version of the ABI: the low byte of what [`ABI`] returns.
pub const VERSION: u8 = 1;
/// The two high bytes of what [`ABI`] returns: "OT".
pub const MAGIC: u16 = 0x4f54;

/// Name of the exported memory.
pub const MEMORY: &str = "memory";
/// Name of the function that says kind and version.
pub const ABI: &str = "ota_abi";
/// Name of the function that says where the [`Io`] block is.
pub const IO: &str = "ota_io";
/// Name of a parser's function.
pub const PARSE: &str = "ota_parse";
/// Name of a protocol's function.
pub const EVENT: &str = "ota_event";

numbered! {
    /// What a plugin is.
    pub enum Kind: u8, "KIND" {
        /// makes a descriptor of a job document: exports ota_parse
        1 Parser "PARSER",
        /// asks for the blocks of a file and recognises them: exports ota_event
        2 Blocks "BLOCKS",
        /// hears of jobs and reports on them: exports ota_event
        3 Jobs "JOBS",
    }
}

impl Kind {
    /// What [`ABI`] of a plugin of this kind returns.
    pub const fn word(self) -> i32 {
        (MAGIC as i32) << 16 | (self as i32) << 8 | VERSION as i32
    }

    /// The kind that `word` names.
    ///
    /// # Errors
    /// [`Fault::Abi`] where it is of another version, or of no kind known.
    pub const fn from_word(word: i32) -> Result<Kind, Fault> {
        let [version, kind, low, high] = word.to_le_bytes();
        match Kind::from_number(kind) {
            Some(kind) if u16::from_le_bytes([low, high]) == MAGIC && version == VERSION => {
                Ok(kind)
            }
            _ => Err(Fault::Abi),
        }
    }

    /// Name of the function that a plugin of this kind exports besides the common ones.
    pub const fn export(self) -> &'static str {
        match self {
            Kind::Parser => PARSE,
            Kind::Blocks | Kind::Jobs => EVENT,
        }
    }
}

/// How a plugin can break the rules of this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// [`ABI`] returned another magic, version or kind.
    Abi,
    /// The [`Io`] block or a buffer it names is outside the memory, or not aligned.
    Io,
    /// A negative result names no verdict or no failure of this page.
    Result,
    /// More records than the output buffer holds, or than [`RECORDS_MAX`].
    Count,
    /// A span is outside the memory.
    Span,
    /// A record of a known tag has a number that is out of its range.
    Number,
    /// A record that may stand once stands twice.
    Twice,
    /// A record that must be there is not.
    Missing,
}

impl Fault {
    /// The fault in words: ASCII, at most 60 characters.
    pub const fn text(self) -> &'static str {
        match self {
            Fault::Abi => "another ABI version, or no plugin",
            Fault::Io => "the io block is outside the memory",
            Fault::Result => "a result that means nothing",
            Fault::Count => "more records than fit",
            Fault::Span => "a span is outside the memory",
            Fault::Number => "a number is out of range",
            Fault::Twice => "a record stands twice",
            Fault::Missing => "a record is missing",
        }
    }
}
