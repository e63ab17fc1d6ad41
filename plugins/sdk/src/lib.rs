//! For authors of plugins: a job format or a protocol as one function or one `impl`, and a line
//! that makes a plugin of it.
//!
//! ```
//! // In a crate of yours; the wasm has no standard library, your tests have.
//! // #![cfg_attr(target_family = "wasm", no_std)]
//! use coreota_plugin::{Descriptor, Error, Failure, Field, Json, Member, Tag, is};
//!
//! const PKG: [Member; 2] = [Member::new("bytes", Tag::Size), Member::new("channel", Tag::Stream)];
//!
//! /// Reads `{"pkg": {"bytes": 647324, "channel": "fw-7"}}`.
//! fn parse<'a>(document: &'a [u8], index: u8, file: &mut Descriptor<'a>) -> Result<(), Error> {
//!     let mut json = Json::new(document);
//!     json.object();
//!     while let Some(key) = json.key() {
//!         if is(key, "pkg") {
//!             json.object();
//!             while let Some(key) = json.key() {
//!                 if !json.member(key, &PKG, file) {
//!                     json.skip();
//!                 }
//!             }
//!         } else {
//!             json.skip();
//!         }
//!     }
//!     json.end().map_err(Error::NotMine)?;
//!     match (file.has(Tag::Size), index) {
//!         (true, 0) => Ok(()),
//!         (true, _) => Err(Error::Malformed(Failure::NoSuchFile)),
//!         (false, _) => Err(Error::NotMine(Failure::NoSuchKey)),
//!     }
//! }
//! coreota_plugin::parser!(parse);
//!
//! let mut file = Descriptor::new();
//! parse(br#"{"pkg":{"bytes":9,"channel":"fw"}}"#, 0, &mut file)?;
//! assert_eq!(file.number(Tag::Size), Some(9));
//! assert_eq!(file.field(Tag::Stream), Some(Field::plain(b"fw")));
//! # Ok::<(), Error>(())
//! ```
//!
//! A block protocol is an `impl` of [`Blocks`] and [`blocks!`], a job protocol one of [`Jobs`] and
//! [`jobs!`]. The lines do nothing but on wasm, so that all of it is tested as plain Rust. With the
//! feature `native` the same source goes into firmware without wasm: see `native`.
//!
//! | room | holds |
//! |---|---|
//! | [`Json`], [`Cbor`] | readers over borrowed bytes, made to be small |
//! | [`Writer`] | what a protocol writes its topics and payloads with |
//! | [`abi`] | the numbers and records, for those who need them |
//!
//! Texts are bytes here: checking UTF-8 is the host's business and costs a plugin half a kilobyte.

#![no_std]

mod blocks;
mod cbor;
mod descriptor;
#[cfg(target_family = "wasm")]
mod guest;
mod jobs;
mod json;
mod macros;
mod member;
#[cfg(feature = "native")]
pub mod native;
mod protocol;
mod writer;

pub use coreota_plugin_abi as abi;
pub use coreota_plugin_abi::{Algorithm, Ask, Coding, Content, Failure, Tag};

pub use blocks::{Arrival, Blocks, Geometry, Wanted};
pub use cbor::{Cbor, Left};
pub use descriptor::Descriptor;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use guest::{Parsing, Plugin, Talking};
pub use jobs::{Heard, Jobs, Offer, Reason, Status};
pub use json::Json;
pub use member::Member;
pub use protocol::Message;
#[doc(hidden)]
pub use protocol::{Blocking, Jobbing, Protocols};
pub use writer::{Draft, Writer};

/// A value as it stands in the document; the core undoes its coding.
pub type Field<'a> = abi::Field<&'a [u8]>;

/// What [`parser!`] makes a plugin of. The descriptor is empty, and it is filled rather than returned
/// because moving it would be a tenth of a small plugin.
pub type Parse = for<'a> fn(&'a [u8], u8, &mut Descriptor<'a>) -> Result<(), Error>;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The document or message is somebody else's; others are asked.
    NotMine(Failure),
    /// It is this plugin's and breaks a rule: nobody else is asked.
    Malformed(Failure),
}

/// What goes wrong once a document is known to be one's own.
impl From<Failure> for Error {
    fn from(why: Failure) -> Self {
        Error::Malformed(why)
    }
}

/// Whether `bytes` are `word`. A `match` on byte strings compares each byte in place, at ten bytes
/// of code apiece.
#[inline(always)]
pub fn is(bytes: &[u8], word: &str) -> bool {
    // Calls are what costs an interpreter most, and most words differ in length.
    bytes.len() == word.len() && begins(bytes, word.as_bytes())
}

/// What `word` means: where it is the nth of `words`, the nth of `meanings`.
#[inline(always)]
pub fn find<T: Copy>(word: &[u8], words: &[&str], meanings: &[T]) -> Option<T> {
    meanings.get(place(word, words)).copied()
}

/// Which of `words` it is; their number where it is none.
#[inline(never)]
fn place(word: &[u8], words: &[&str]) -> usize {
    words.iter().position(|other| is(word, other)).unwrap_or(words.len())
}

/// Whether `bytes` are `front`, as far as both go.
#[inline(never)]
fn begins(bytes: &[u8], front: &[u8]) -> bool {
    // Not `==`, which is a call of a function that compares in order.
    bytes.iter().zip(front).all(|(a, b)| a == b)
}

/// What stands behind `front`, where `bytes` begin so.
pub fn behind<'a>(bytes: &'a [u8], front: &[u8]) -> Option<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(front.len())?;
    // Four bytes at a time: topics are long, and loads are what interpreters do slowest.
    let (mut head, mut front) = (head, front);
    while let (Some((a, rest)), Some((b, left))) =
        (head.split_first_chunk::<4>(), front.split_first_chunk::<4>())
    {
        if a != b {
            return None;
        }
        (head, front) = (rest, left);
    }
    begins(head, front).then_some(tail)
}

/// Whether `name` has 1 to `longest` ASCII letters, digits and bytes of `also`: names go into topics,
/// where a `/`, `+` or `#` would mean something.
pub fn is_name(name: &[u8], longest: usize, also: &str) -> bool {
    (1..=longest).contains(&name.len())
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || also.bytes().any(|one| one == *byte))
}
