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
///
/// Like [`Json`](crate::Json) it remembers the first thing that was wrong: from then on there are no
/// more keys and elements, texts are empty and numbers 0, and [`Cbor::end`] tells.
#[derive(Clone, Copy, Debug)]
pub struct Cbor<'a> {
    rest: &'a [u8],
    wrong: Option<Failure>,
    /// Of the item whose head was read last: its major type, and whether its length is open.
    major: u8,
    open: bool,
}

/// How much of an array or map is still to come: items, or those up to a break.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    items: u64,
    open: bool,
}

impl<'a> Cbor<'a> {
    /// A reader at the start of a message.
    pub fn new(message: &'a [u8]) -> Self {
        Cbor { rest: message, wrong: None, major: SIMPLE, open: true }
    }

    /// Notes what is wrong, unless something was before: what stands behind is not looked at.
    #[inline(never)]
    pub fn fail(&mut self, why: Failure) {
        self.rest = &[];
        self.wrong = self.wrong.or(Some(why));
    }

    /// Reads the head of the next item; its argument.
    #[inline(never)]
    fn head(&mut self) -> u64 {
        let [initial, rest @ ..] = self.rest else {
            // A break, which ends nothing.
            (self.major, self.open) = (SIMPLE, true);
            self.fail(Failure::BadCbor);
            return 0;
        };
        self.rest = rest;
        let more = initial & 0x1f;
        self.major = initial >> 5;
        self.open = more == 31;
        match more {
            0..24 => more.into(),
            24..28 => {
                let mut argument = 0;
                for byte in self.string(1 << (more - 24)) {
                    argument = argument << 8 | u64::from(*byte);
                }
                argument
            }
            31 => 0,
            _ => {
                self.fail(Failure::BadCbor);
                0
            }
        }
    }

    /// So many bytes, or none and a failure.
    #[inline(never)]
    fn string(&mut self, len: u64) -> &'a [u8] {
        self.string_in_place(len)
    }

    /// The same, without a call.
    #[inline(always)]
    fn string_in_place(&mut self, len: u64) -> &'a [u8] {
        let parts = usize::try_from(len).ok().and_then(|len| self.rest.split_at_checked(len));
        if parts.is_none() {
            self.fail(Failure::BadCbor);
        }
        let (string, rest) = parts.unwrap_or_default();
        self.rest = rest;
        string
    }

    #[inline(never)]
    fn string_of(&mut self, major: u8) -> &'a [u8] {
        let len = self.head();
        if self.open || self.major != major {
            self.fail(Failure::WrongType);
            return &[];
        }
        self.string_in_place(len)
    }

    fn enter(&mut self, major: u8) -> Left {
        let items = self.head();
        if self.major != major {
            self.fail(Failure::WrongType);
        }
        Left { items, open: self.open }
    }

    /// Enters a map; [`Failure::WrongType`] where another item stands there.
    pub fn map(&mut self) -> Left {
        self.enter(MAP)
    }

    /// The next key of the map entered, a text, or `None` behind its end.
    pub fn key(&mut self, left: &mut Left) -> Option<&'a [u8]> {
        if !self.more_in_place(left) {
            return None;
        }
        // Most keys are short: their head is a byte, and needs no calls.
        if let [initial @ 0x60..0x78, rest @ ..] = self.rest
            && let Some((key, rest)) = rest.split_at_checked(usize::from(initial & 0x1f))
        {
            self.rest = rest;
            return Some(key);
        }
        Some(self.text())
    }

    /// The next key of the map entered, a number, or `None` behind its end.
    pub fn numbered_key(&mut self, left: &mut Left) -> Option<u64> {
        if self.more(left) { Some(self.number()) } else { None }
    }

    /// Enters an array; [`Failure::WrongType`] where another item stands there.
    pub fn array(&mut self) -> Left {
        self.enter(ARRAY)
    }

    /// Whether another element comes next; one less is left.
    #[inline(never)]
    pub fn more(&mut self, left: &mut Left) -> bool {
        self.more_in_place(left)
    }

    /// The same, without a call.
    #[inline(always)]
    fn more_in_place(&mut self, left: &mut Left) -> bool {
        if self.wrong.is_some() {
            return false;
        }
        if left.open {
            let more = self.rest.first() != Some(&0xff);
            if let (false, [_, rest @ ..]) = (more, self.rest) {
                self.rest = rest;
            }
            return more;
        }
        let more = left.items > 0;
        left.items -= u64::from(more);
        more
    }

    /// Reads a text; [`Failure::WrongType`] where another item stands there.
    pub fn text(&mut self) -> &'a [u8] {
        self.string_of(TEXT)
    }

    /// Reads a byte string; [`Failure::WrongType`] where another item stands there.
    pub fn bytes(&mut self) -> &'a [u8] {
        self.string_of(BYTES)
    }

    /// Reads a whole number; [`Failure::BadNumber`] where it is negative, [`Failure::WrongType`] where
    /// it is none.
    pub fn number(&mut self) -> u64 {
        let number = self.head();
        match (self.major, self.open) {
            (NUMBER, false) => return number,
            (NEGATIVE, false) => self.fail(Failure::BadNumber),
            _ => self.fail(Failure::WrongType),
        }
        0
    }

    /// Reads a whole number that is to be small; [`Failure::BadNumber`] where it is not.
    pub fn small(&mut self) -> u32 {
        let number = u32::try_from(self.number());
        if number.is_err() {
            self.fail(Failure::BadNumber);
        }
        number.unwrap_or(0)
    }

    /// Steps over an item, whatever it is; [`Failure::TooDeep`] where it holds too many in one
    /// another.
    pub fn skip(&mut self) {
        self.skip_within(NESTING);
    }

    fn skip_within(&mut self, deepest: u32) {
        let argument = self.head();
        let (major, open) = (self.major, self.open);
        let mut left = match (major, open) {
            (NUMBER | NEGATIVE | SIMPLE, false) => return,
            (BYTES | TEXT, false) => {
                self.string(argument);
                return;
            }
            (BYTES | TEXT, true) | (ARRAY | MAP, _) => Left { items: argument, open },
            (TAG, false) => Left { items: 1, open },
            // A break that ends nothing, or a length left open where none can be.
            _ => return self.fail(Failure::BadCbor),
        };
        let Some(below) = deepest.checked_sub(1) else { return self.fail(Failure::TooDeep) };
        while self.more(&mut left) {
            if major == BYTES || major == TEXT {
                let piece = self.head();
                match self.major == major && !self.open {
                    true => _ = self.string(piece),
                    false => self.fail(Failure::BadCbor),
                }
                continue;
            }
            if major == MAP {
                self.skip_within(below);
            }
            self.skip_within(below);
        }
    }

    /// Notes what went wrong elsewhere, as if it were the reader's.
    pub fn check(&mut self, result: Result<(), Failure>) {
        if let Err(why) = result {
            self.fail(why);
        }
    }

    /// Behind the message: nothing may follow.
    ///
    /// # Errors
    /// The first thing that was wrong.
    pub fn end(&mut self) -> Result<(), Failure> {
        if !self.rest.is_empty() {
            self.fail(Failure::BadCbor);
        }
        self.wrong.map_or(Ok(()), Err)
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
