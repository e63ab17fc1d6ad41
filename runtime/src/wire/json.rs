//! A pull reader for JSON over borrowed bytes: one pass, no copies, no allocation.
//!
//! The caller asks for what it expects next; nothing is built. Strings stay as they stand in the
//! document and are decoded where they are used (see [`Text`]), because most never are. It is
//! strict: what RFC 8259 does not allow is [`Failure::BadJson`], and only UTF-8 is left to whoever
//! uses a string. It is not a serialiser: answers are short enough for [`Writer`](super::Writer).
//!
//! Why not the `serde-json-core` crate: its strings come with escapes in them, so that a pre-signed
//! URL with `\/` or `\u0026` is silently another one; a list has to have room for all its elements
//! where one is wanted; a number too large and a missing key are the same error. And the same members
//! of a 335-byte OTA document take 6,098 instructions with it, some 4,600 here (x86-64,
//! `opt-level = 3`, `examples/counts.rs`). On documents without escapes the tests compare the two.
//!
//! ```
//! use coreota::wire::{Json, Value};
//! let mut json = Json::new(br#"{"name":"caf\u00e9","sizes":[1,2]}"#);
//! json.object()?;
//! while let Some(key) = json.key()? {
//!     match key.raw {
//!         b"name" => assert!(json.text()?.is("café")),
//!         _ => json.skip(8)?,
//!     }
//! }
//! json.end()?;
//! # Ok::<(), coreota::error::Failure>(())
//! ```

use super::{Unescape, literal};
use crate::{error::Failure, field::Field};

/// How deep a value that nobody reads may be nested.
pub const NESTING: u32 = 8;

/// A reader somewhere in a document.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    rest: &'a [u8],
    /// Just behind an opening bracket: no comma comes before the next key or element.
    fresh: bool,
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// The bytes between the quotes.
    pub raw: &'a [u8],
    /// Whether there are escapes among them. Each is well-formed; surrogates may lack their half.
    pub escaped: bool,
}

/// What stands at the reader; brackets are entered, not read through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, well-formed, as it stands.
    Number(&'a [u8]),
    /// A string.
    Text(Text<'a>),
    /// `{`: go on with [`Json::key`].
    Object,
    /// `[`: go on with [`Json::element`].
    Array,
}

impl<'a> Text<'a> {
    /// Whether the string says `text`, once its escapes are undone.
    pub fn is(&self, text: &str) -> bool {
        match self.escaped {
            false => self.raw == text.as_bytes(),
            true => Unescape::new(self.raw).eq(text.bytes().map(Ok)),
        }
    }

    /// The number that the string's digits, unescaped, are.
    ///
    /// # Errors
    /// [`Failure::BadNumber`] where it holds anything else or is over `u32::MAX`.
    pub fn number(&self) -> Result<u32, Failure> {
        u32::try_from(number(self.raw)?).map_err(|_| Failure::BadNumber)
    }

    /// The string as a key to match against known names: decoded into `room` where it is escaped.
    /// One that does not fit there stays raw, and is no known name for its backslash.
    pub fn name<'b>(&self, room: &'b mut [u8; 24]) -> &'b [u8]
    where
        'a: 'b,
    {
        match self.escaped {
            false => self.raw,
            true => Field::from(*self).decode(room).unwrap_or(self.raw),
        }
    }
}

impl<'a> From<Text<'a>> for Field<'a> {
    fn from(text: Text<'a>) -> Self {
        Field { raw: text.raw, escaped: text.escaped, ..Field::default() }
    }
}

impl<'a> Json<'a> {
    /// A reader at the start of a document.
    pub fn new(document: &'a [u8]) -> Self {
        Json { rest: document, fresh: true }
    }

    /// The next byte that is not white space.
    #[inline]
    fn peek(&mut self) -> Result<u8, Failure> {
        loop {
            match self.rest {
                // Documents from machines have no white space: this is the way taken.
                [byte @ b'!'..=0xff, ..] => return Ok(*byte),
                [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] => self.rest = rest,
                _ => return Err(Failure::BadJson),
            }
        }
    }

    fn step(&mut self) {
        self.rest = self.rest.split_first().map_or(&[], |(_, rest)| rest);
    }

    fn expect(&mut self, byte: u8) -> Result<(), Failure> {
        if self.peek()? != byte {
            return Err(Failure::BadJson);
        }
        self.step();
        Ok(())
    }

    /// The next value, of any kind.
    ///
    /// # Errors
    /// [`Failure::BadJson`] where none stands there.
    pub fn value(&mut self) -> Result<Value<'a>, Failure> {
        match self.peek()? {
            b'"' => {
                self.step();
                self.string().map(Value::Text)
            }
            b'-' | b'0'..=b'9' => self.digits().map(Value::Number),
            b't' => self.word(b"true", Value::Bool(true)),
            b'f' => self.word(b"false", Value::Bool(false)),
            b'n' => self.word(b"null", Value::Null),
            bracket @ (b'{' | b'[') => {
                self.step();
                self.fresh = true;
                Ok(if bracket == b'{' { Value::Object } else { Value::Array })
            }
            _ => Err(Failure::BadJson),
        }
    }

    /// The next key of the object entered, or `None` behind its end.
    ///
    /// # Errors
    /// [`Failure::BadJson`] where neither stands there.
    pub fn key(&mut self) -> Result<Option<Text<'a>>, Failure> {
        match self.rest {
            // As machines write it.
            [b',', b'"', rest @ ..] if !self.fresh => self.rest = rest,
            _ => {
                if !self.more(b'}')? {
                    return Ok(None);
                }
                self.expect(b'"')?;
            }
        }
        let key = self.string()?;
        match self.rest {
            [b':', rest @ ..] => self.rest = rest,
            _ => self.expect(b':')?,
        }
        Ok(Some(key))
    }

    /// Whether another element of the array entered follows; behind its end there is none.
    ///
    /// # Errors
    /// [`Failure::BadJson`] where neither comma nor bracket stands there.
    pub fn element(&mut self) -> Result<bool, Failure> {
        self.more(b']')
    }

    fn more(&mut self, close: u8) -> Result<bool, Failure> {
        let byte = self.peek()?;
        if byte == close {
            self.step();
            self.fresh = false;
            return Ok(false);
        }
        if !core::mem::take(&mut self.fresh) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// Behind the document: nothing but white space may follow.
    ///
    /// # Errors
    /// [`Failure::BadJson`] where something does.
    pub fn end(&mut self) -> Result<(), Failure> {
        let _ = self.peek();
        if self.rest.is_empty() { Ok(()) } else { Err(Failure::BadJson) }
    }

    /// Enters an object.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where the value is another one.
    pub fn object(&mut self) -> Result<(), Failure> {
        match self.value()? {
            Value::Object => Ok(()),
            _ => Err(Failure::WrongType),
        }
    }

    /// Reads a string.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where the value is another one.
    pub fn text(&mut self) -> Result<Text<'a>, Failure> {
        self.text_or_null()?.ok_or(Failure::WrongType)
    }

    /// Reads a string, or `null` as none.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where the value is another one.
    pub fn text_or_null(&mut self) -> Result<Option<Text<'a>>, Failure> {
        match self.value()? {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            _ => Err(Failure::WrongType),
        }
    }

    /// Reads a whole number.
    ///
    /// # Errors
    /// [`Failure::WrongType`] where the value is no number, and [`Failure::BadNumber`] where it is
    /// negative, has a fraction or an exponent, or is over `u64::MAX`.
    pub fn number(&mut self) -> Result<u64, Failure> {
        match self.value()? {
            Value::Number(raw) => number(raw),
            _ => Err(Failure::WrongType),
        }
    }

    /// Passes over a value, checked, that holds at most `deepest` (up to 32) brackets in brackets.
    ///
    /// # Errors
    /// [`Failure::TooDeep`] where it holds more.
    pub fn skip(&mut self, deepest: u32) -> Result<(), Failure> {
        // Bit k from below: whether the kth bracket around the reader is that of an object.
        let mut objects = 0u32;
        let mut depth = 0u32;
        loop {
            if let entered @ (Value::Object | Value::Array) = self.value()? {
                depth += 1;
                if depth > deepest.min(u32::BITS) {
                    return Err(Failure::TooDeep);
                }
                objects = objects << 1 | u32::from(matches!(entered, Value::Object));
            }
            while depth > 0 {
                let more = match objects & 1 {
                    1 => self.key()?.is_some(),
                    _ => self.element()?,
                };
                if more {
                    break;
                }
                depth -= 1;
                objects >>= 1;
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// The object that stands here, up to the bracket that closes it: for a document inside another,
    /// which whoever it is for reads anyway. Strings are checked, because brackets in them mean
    /// nothing; so is each bracket's partner, and that at most `deepest` (up to 32) stand in one
    /// another. What stands between is not looked at. `None`, passed over as by [`Json::skip`],
    /// where the value is another one.
    ///
    /// # Errors
    /// [`Failure::BadJson`] where the object does not end, [`Failure::TooDeep`] where it holds more.
    pub fn enclosed(&mut self, deepest: u32) -> Result<Option<&'a [u8]>, Failure> {
        if self.peek()? != b'{' {
            return self.skip(deepest).map(|()| None);
        }
        let from = self.rest;
        // As in `skip`; the bit above the outermost bracket's marks where it ends.
        let mut open = 1u64;
        loop {
            let (byte, rest) = self.rest.split_first().ok_or(Failure::BadJson)?;
            self.rest = rest;
            match byte {
                b'"' => _ = self.string()?,
                b'{' | b'[' => {
                    open = open << 1 | u64::from(*byte == b'{');
                    if open >> deepest.min(u32::BITS) > 1 {
                        return Err(Failure::TooDeep);
                    }
                }
                b'}' | b']' => {
                    if open & 1 != u64::from(*byte == b'}') {
                        return Err(Failure::BadJson);
                    }
                    open >>= 1;
                    if open == 1 {
                        let len = from.len() - self.rest.len();
                        return from.get(..len).map(Some).ok_or(Failure::BadJson);
                    }
                }
                _ => {}
            }
        }
    }

    fn word(&mut self, word: &[u8], value: Value<'a>) -> Result<Value<'a>, Failure> {
        // Not `strip_prefix`: optimised for size it keeps a way into a panic.
        match self.rest.split_at_checked(word.len()) {
            Some((found, rest)) if found == word => {
                self.rest = rest;
                Ok(value)
            }
            _ => Err(Failure::BadJson),
        }
    }

    /// The rest of a string, behind its opening quote.
    #[inline]
    fn string(&mut self) -> Result<Text<'a>, Failure> {
        let (raw, rest) = self.rest.split_at_checked(literal::plain(self.rest)).unwrap_or_default();
        match rest {
            [b'"', rest @ ..] => {
                self.rest = rest;
                Ok(Text { raw, escaped: false })
            }
            _ => self.escaped_string(rest),
        }
    }

    /// [`Json::string`], of which `rest` begins with the first escape.
    #[cold]
    fn escaped_string(&mut self, mut rest: &'a [u8]) -> Result<Text<'a>, Failure> {
        let from = self.rest;
        loop {
            rest = match rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    let len = from.len() - rest.len() - 1;
                    let raw = from.get(..len).ok_or(Failure::BadJson)?;
                    return Ok(Text { raw, escaped: true });
                }
                [b'\\', b'u', a, b, c, d, rest @ ..]
                    if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) =>
                {
                    rest
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => rest,
                [b'\\' | 0..b' ', ..] | [] => return Err(Failure::BadJson),
                rest => rest.get(literal::plain(rest)..).unwrap_or_default(),
            };
        }
    }

    fn digits(&mut self) -> Result<&'a [u8], Failure> {
        let from = self.rest;
        let mut rest = match from {
            [b'0', rest @ ..] | [b'-', b'0', rest @ ..] => rest,
            [b'-', rest @ ..] | rest => some_digits(rest)?,
        };
        if let [b'.', fraction @ ..] = rest {
            rest = some_digits(fraction)?;
        }
        if let [b'e' | b'E', exponent @ ..] = rest {
            let unsigned = match exponent {
                [b'+' | b'-', unsigned @ ..] => unsigned,
                _ => exponent,
            };
            rest = some_digits(unsigned)?;
        }
        self.rest = rest;
        from.get(..from.len() - rest.len()).ok_or(Failure::BadJson)
    }
}

/// A JSON number as a `u64`.
///
/// # Errors
/// [`Failure::BadNumber`] where it is empty, negative, has a fraction or an exponent, or is too large.
pub fn number(raw: &[u8]) -> Result<u64, Failure> {
    if raw.is_empty() {
        return Err(Failure::BadNumber);
    }
    raw.iter().try_fold(0u64, |value, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(Failure::BadNumber);
        }
        let tens = value.checked_mul(10).ok_or(Failure::BadNumber)?;
        tens.checked_add(u64::from(digit)).ok_or(Failure::BadNumber)
    })
}

/// Passes over one digit or more.
fn some_digits(bytes: &[u8]) -> Result<&[u8], Failure> {
    let mut rest = bytes;
    while let [b'0'..=b'9', tail @ ..] = rest {
        rest = tail;
    }
    if rest.len() == bytes.len() { Err(Failure::BadJson) } else { Ok(rest) }
}
