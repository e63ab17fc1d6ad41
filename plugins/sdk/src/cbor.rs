//! A pull reader for CBOR (RFC 8949) over borrowed bytes, made to be small.
//!
//! Strings in pieces and floating-point numbers are only stepped over.

use crate::{Failure, Writer};

/// How deep an item that nobody reads may be nested.
const NESTING: u32 = 8;

// Major types. A `SIMPLE` one without argument is the break that ends what has no length.
const NUMBER: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

/// A reader somewhere in a message.
#[derive(Clone, Copy, Debug)]
pub struct Cbor<'a> {
    rest: &'a [u8],
}

/// How much of an array or map is still to come: items, or those up to a break.
#[derive(Clone, Copy, Debug)]
pub struct Left(Option<u64>);

impl<'a> Cbor<'a> {
    /// A reader at the start of a message.
    pub fn new(message: &'a [u8]) -> Self {
        Cbor { rest: message }
    }

    /// Major type and argument of the next item; no argument: its length is open.
    fn head(&mut self) -> Result<(u8, Option<u64>), Failure> {
        let [initial, rest @ ..] = self.rest else { return Err(Failure::BadCbor) };
        self.rest = rest;
        let more = initial & 0x1f;
        let argument = match more {
            0..24 => Some(more.into()),
            24..28 => {
                let mut argument = 0u64;
                for byte in self.string(1 << (more - 24))? {
                    argument = argument << 8 | u64::from(*byte);
                }
                Some(argument)
            }
            31 => None,
            _ => return Err(Failure::BadCbor),
        };
        Ok((initial >> 5, argument))
    }

    fn string(&mut self, len: u64) -> Result<&'a [u8], Failure> {
        let parts = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
        let (string, rest) = parts.ok_or(Failure::BadCbor)?;
        self.rest = rest;
        Ok(string)
    }

    fn string_of(&mut self, major: u8) -> Result<&'a [u8], Failure> {
        match self.head()? {
            (found, Some(len)) if found == major => self.string(len),
            _ => Err(Failure::WrongType),
        }
    }

    fn enter(&mut self, major: u8) -> Result<Left, Failure> {
        match self.head()? {
            (found, items) if found == major => Ok(Left(items)),
            _ => Err(Failure::WrongType),
        }
    }

    /// Enters a map.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where another item stands there.
    pub fn map(&mut self) -> Result<Left, Failure> {
        self.enter(MAP)
    }

    /// The next key of the map entered, a text, or `None` behind its end.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where the key is no text.
    pub fn key(&mut self, left: &mut Left) -> Result<Option<&'a [u8]>, Failure> {
        if self.more(left)? { self.text().map(Some) } else { Ok(None) }
    }

    /// The next key of the map entered, a number, or `None` behind its end.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where the key is no number.
    pub fn numbered_key(&mut self, left: &mut Left) -> Result<Option<u64>, Failure> {
        if self.more(left)? { self.number().map(Some) } else { Ok(None) }
    }

    /// Enters an array.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where another item stands there.
    pub fn array(&mut self) -> Result<Left, Failure> {
        self.enter(ARRAY)
    }

    /// Whether another element of the array entered comes next; one less is left.
    ///
    /// # Errors
    /// None but for a message that ends too early.
    pub fn more(&mut self, left: &mut Left) -> Result<bool, Failure> {
        match (&mut left.0, self.rest) {
            (Some(0), _) => Ok(false),
            (Some(left), _) => {
                *left -= 1;
                Ok(true)
            }
            (None, [0xff, rest @ ..]) => {
                self.rest = rest;
                Ok(false)
            }
            (None, _) => Ok(true),
        }
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where another item stands there.
    pub fn text(&mut self) -> Result<&'a [u8], Failure> {
        self.string_of(TEXT)
    }

    /// Reads a byte string.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where another item stands there.
    pub fn bytes(&mut self) -> Result<&'a [u8], Failure> {
        self.string_of(BYTES)
    }

    /// Reads a whole number.
    ///
    /// # Errors
    /// [`Failure::BadNumber`] where it is negative, [`Failure::WrongType`] where it is none.
    pub fn number(&mut self) -> Result<u64, Failure> {
        match self.head()? {
            (NUMBER, Some(number)) => Ok(number),
            (NEGATIVE, Some(_)) => Err(Failure::BadNumber),
            _ => Err(Failure::WrongType),
        }
    }

    /// Steps over an item, whatever it is.
    ///
    /// # Errors
    /// [`Failure::BadCbor`], [`Failure::TooDeep`].
    pub fn skip(&mut self) -> Result<(), Failure> {
        self.skip_within(NESTING)
    }

    fn skip_within(&mut self, deepest: u32) -> Result<(), Failure> {
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
        while self.more(&mut left)? {
            match major {
                BYTES | TEXT => match self.head()? {
                    (piece, Some(len)) if piece == major => _ = self.string(len)?,
                    _ => return Err(Failure::BadCbor),
                },
                _ => {
                    if major == MAP {
                        self.skip_within(below)?;
                    }
                    self.skip_within(below)?;
                }
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

impl Writer<'_> {
    /// Appends a whole number in CBOR, as short as it goes.
    pub fn cbor_number(&mut self, number: u32) {
        let [a, b, c, d] = number.to_be_bytes();
        match number {
            0..24 => self.put(&[d]),
            24..0x100 => self.put(&[24, d]),
            0x100..0x1_0000 => self.put(&[25, c, d]),
            _ => self.put(&[26, a, b, c, d]),
        }
    }
}
