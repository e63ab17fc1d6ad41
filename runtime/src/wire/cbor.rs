//! A pull reader for CBOR (RFC 8949) over borrowed bytes, and the little that requests need written.
//!
//! Like [`Json`](super::Json) it is strict where meaning is at stake and bounded everywhere. Strings
//! in pieces and floating-point numbers are only passed over.
//!
//! Why not the `minicbor` crate: a block of 4096 bytes took 2,169 instructions with it, some 1,200 here
//! (x86-64, `opt-level = 3`, `examples/counts.rs`; copying the block is 412 of either), and a request
//! 941, some 350 here. It is what the tests compare this reader with.

use super::Writer;
use crate::error::Failure;

/// A reader somewhere in a message.
#[derive(Clone, Copy, Debug)]
pub struct Cbor<'a> {
    rest: &'a [u8],
}

// Major types. A `SIMPLE` one without argument is the break that ends what has no length.
const NUMBER: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

/// How much of an array or map is still to come: items, or those up to a break.
#[derive(Clone, Copy, Debug)]
pub struct Left(Option<u64>);

impl<'a> Cbor<'a> {
    /// A reader at the start of a message.
    pub fn new(message: &'a [u8]) -> Self {
        Cbor { rest: message }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(Failure::BadCbor)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// Major type and argument of the next item; no argument: its length is open.
    #[inline]
    fn head(&mut self) -> Result<(u8, Option<u64>), Failure> {
        let [initial] = self.take()?;
        let argument = match initial & 0x1f {
            small @ 0..24 => Some(u64::from(small)),
            more => self.argument(more)?,
        };
        Ok((initial >> 5, argument))
    }

    fn argument(&mut self, kind: u8) -> Result<Option<u64>, Failure> {
        Ok(Some(match kind {
            24 => u64::from(u8::from_be_bytes(self.take()?)),
            25 => u64::from(u16::from_be_bytes(self.take()?)),
            26 => u64::from(u32::from_be_bytes(self.take()?)),
            27 => u64::from_be_bytes(self.take()?),
            31 => return Ok(None),
            _ => return Err(Failure::BadCbor),
        }))
    }

    fn string(&mut self, len: u64) -> Result<&'a [u8], Failure> {
        let parts = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
        let (string, rest) = parts.ok_or(Failure::BadCbor)?;
        self.rest = rest;
        Ok(string)
    }

    /// Enters a map.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where another item stands there.
    #[inline]
    pub fn map(&mut self) -> Result<Left, Failure> {
        match self.head()? {
            (MAP, pairs) => Ok(Left(pairs)),
            _ => Err(Failure::WrongType),
        }
    }

    /// The next key of the map entered, or `None` behind its end.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where the key is no text.
    #[inline]
    pub fn key(&mut self, left: &mut Left) -> Result<Option<&'a [u8]>, Failure> {
        if self.is_end(left)? {
            return Ok(None);
        }
        // Nearly every key of a stream message is one letter.
        match self.rest {
            [0x61, rest @ ..] => {
                let (key, rest) = rest.split_at_checked(1).ok_or(Failure::BadCbor)?;
                self.rest = rest;
                Ok(Some(key))
            }
            _ => self.text().map(Some),
        }
    }

    /// Whether what was entered ends here; else one less is left.
    fn is_end(&mut self, left: &mut Left) -> Result<bool, Failure> {
        match (&mut left.0, self.rest) {
            (Some(0), _) => Ok(true),
            (Some(left), _) => {
                *left -= 1;
                Ok(false)
            }
            (None, [0xff, rest @ ..]) => {
                self.rest = rest;
                Ok(true)
            }
            (None, _) => Ok(false),
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where another item stands there.
    #[inline]
    pub fn text(&mut self) -> Result<&'a [u8], Failure> {
        match self.head()? {
            (TEXT, Some(len)) => self.string(len),
            _ => Err(Failure::WrongType),
        }
    }

    /// Reads a byte string.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where another item stands there.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], Failure> {
        match self.head()? {
            (BYTES, Some(len)) => self.string(len),
            _ => Err(Failure::WrongType),
        }
    }

    /// Reads a whole number.
    ///
    /// # Errors
    /// [`Failure::BadNumber`] where it is negative, [`Failure::WrongType`] where it is none.
    #[inline]
    pub fn number(&mut self) -> Result<u64, Failure> {
        match self.head()? {
            (NUMBER, Some(number)) => Ok(number),
            (NEGATIVE, Some(_)) => Err(Failure::BadNumber),
            _ => Err(Failure::WrongType),
        }
    }

    /// Passes over an item that holds at most `deepest` others in one another.
    ///
    /// # Errors
    /// [`Failure::TooDeep`] where it holds more.
    pub fn skip(&mut self, deepest: u32) -> Result<(), Failure> {
        let (major, argument) = self.head()?;
        let mut left = match (major, argument) {
            (NUMBER | NEGATIVE | SIMPLE, Some(_)) => return Ok(()),
            (BYTES | TEXT, Some(len)) => return self.string(len).map(|_| ()),
            (BYTES | TEXT, None) | (ARRAY | MAP, _) => Left(argument),
            (TAG, Some(_)) => Left(Some(1)),
            // A break that ends nothing, or a length left open where none can be.
            _ => return Err(Failure::BadCbor),
        };
        let below = deepest.checked_sub(1).ok_or(Failure::TooDeep)?;
        while !self.is_end(&mut left)? {
            match major {
                BYTES | TEXT => match self.head()? {
                    (piece, Some(len)) if piece == major => _ = self.string(len)?,
                    _ => return Err(Failure::BadCbor),
                },
                MAP => {
                    self.skip(below)?;
                    self.skip(below)?;
                }
                _ => self.skip(below)?,
            }
        }
        Ok(())
    }

    /// Behind the message: nothing may follow.
    ///
    /// # Errors
    /// [`Failure::BadCbor`] where something does.
    pub fn end(&self) -> Result<(), Failure> {
        if self.rest.is_empty() { Ok(()) } else { Err(Failure::BadCbor) }
    }
}

/// Writes a whole number, as short as it goes.
#[inline]
pub fn put_number(number: u32, to: &mut Writer<'_>) {
    let [a, b, c, d] = number.to_be_bytes();
    match number {
        0..24 => to.put(&[d]),
        24..0x100 => to.put(&[24, d]),
        0x100..0x1_0000 => to.put(&[25, c, d]),
        _ => to.put(&[26, a, b, c, d]),
    }
}
