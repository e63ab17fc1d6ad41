//! A value as it stands in a document: bytes, and how they stand for the value. The core decodes.

use crate::{Fault, Record, Span, Tag, numbered};

numbered! {
    /// How a field's bytes stand for its value; the low byte of `x`.
    pub enum Coding: u8, "CODING" {
        /// the bytes are the value
        0 Plain "PLAIN",
        /// standard base64 (RFC 4648, section 4), padded or not
        1 Base64 "BASE64",
        /// hexadecimal, either case
        2 Hex "HEX",
    }
}

/// A value as it stands in a document. `B` is where its bytes are: a [`Span`] for the host, a slice
/// in the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<B> {
    /// The bytes.
    pub raw: B,
    /// What they encode.
    pub coding: Coding,
    /// Whether JSON escapes are to be undone first.
    pub escaped: bool,
}

impl<B> Field<B> {
    /// Set in `x` where JSON escapes (`\/`, `\u0026`) are to be undone before anything else.
    pub const ESCAPED: u16 = 0x100;

    /// What `x` of its record says of it.
    pub const fn x(&self) -> u16 {
        let escaped = if self.escaped { Self::ESCAPED } else { 0 };
        self.coding.number() as u16 | escaped
    }

    /// A field whose bytes are its value.
    pub const fn plain(raw: B) -> Self {
        Field { raw, coding: Coding::Plain, escaped: false }
    }

    /// The same, its bytes elsewhere.
    ///
    /// # Errors
    /// Those of `place`.
    pub fn try_map<C, E>(self, place: impl FnOnce(B) -> Result<C, E>) -> Result<Field<C>, E> {
        Ok(Field { raw: place(self.raw)?, coding: self.coding, escaped: self.escaped })
    }
}

impl Field<Span> {
    /// The record that says `tag` with this field.
    pub const fn record(&self, tag: Tag) -> Record {
        Record { x: self.x(), ..tag.span_record(self.raw) }
    }

    /// The field of a record.
    ///
    /// # Errors
    /// [`Fault::Number`] where its coding is unknown.
    pub const fn read(record: Record) -> Result<Self, Fault> {
        let [coding, flags] = record.x.to_le_bytes();
        match Coding::from_number(coding) {
            Some(coding) if flags <= 1 => {
                Ok(Field { raw: record.span(), coding, escaped: flags == 1 })
            }
            _ => Err(Fault::Number),
        }
    }
}
