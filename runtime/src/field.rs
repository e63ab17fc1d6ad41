//! A value inside a document, as it stands there: found by a parser, decoded by the core.
//!
//! A parser neither copies nor allocates; it points. A plugin can return the same records, since
//! the coding is a number and the bytes are a range.

use crate::{error::Failure, wire};

/// How a [`Field`]'s bytes stand for its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Coding {
    /// The bytes are the value.
    #[default]
    Plain = 0,
    /// Standard base64 (RFC 4648, section 4), padded or not.
    Base64 = 1,
    /// Hexadecimal, either case.
    Hex = 2,
}

/// A value as it stands in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Field<'a> {
    /// The bytes between the quotes.
    pub raw: &'a [u8],
    /// What they encode.
    pub coding: Coding,
    /// Whether JSON escapes (`\/`, `\u0026`) are to be undone first.
    pub escaped: bool,
}

impl<'a> Field<'a> {
    /// A field whose bytes are its value.
    pub const fn plain(raw: &'a [u8]) -> Self {
        Field { raw, coding: Coding::Plain, escaped: false }
    }

    /// How many bytes [`Field::decode`] will write, if that can be told from the length alone.
    pub const fn decoded_len(&self) -> Option<usize> {
        match (self.coding, self.escaped, self.raw) {
            (_, true, _) => None,
            (Coding::Plain, _, raw) => Some(raw.len()),
            (Coding::Hex, _, raw) => Some(raw.len() / 2),
            (Coding::Base64, _, [bare @ .., b'=', b'='] | [bare @ .., b'='] | bare) => {
                wire::base64::decoded_len(bare.len())
            }
        }
    }

    /// Decodes into the front of `into` and returns what was written.
    ///
    /// # Errors
    /// [`Failure::BadText`] where `into` is too small or an escape is wrong, and
    /// [`Failure::BadEncoding`] where base64 or hex does not decode.
    pub fn decode<'b>(&self, into: &'b mut [u8]) -> Result<&'b [u8], Failure> {
        let len = wire::decode(self, into)?;
        into.get(..len).ok_or(Failure::BadText)
    }
}
