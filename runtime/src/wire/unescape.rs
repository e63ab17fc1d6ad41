//! JSON escapes undone, byte by byte: `\/`, `\n`, `\u00e9`, surrogate pairs. Out comes UTF-8.

use crate::error::Failure;

/// The bytes that a JSON string stands for. After an error nothing more comes.
#[derive(Clone, Debug)]
pub(crate) struct Unescape<'a> {
    rest: &'a [u8],
    /// UTF-8 of the last `\u`, as far as not given out: first byte lowest, a zero byte ends it.
    /// `\u0000` itself needs none of this: it is given out at once.
    pending: u32,
}

impl<'a> Unescape<'a> {
    /// Reads the bytes between the quotes of a string.
    pub(crate) fn new(raw: &'a [u8]) -> Self {
        Unescape { rest: raw, pending: 0 }
    }

    /// The unit that follows `\u`: four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
    }

    /// What `\u` starts: one unit, or two that are a surrogate pair.
    fn scalar(&mut self) -> Option<char> {
        let high = self.unit()?;
        if high & 0xfc00 != 0xd800 {
            return char::from_u32(high);
        }
        let [b'\\', b'u', rest @ ..] = self.rest else { return None };
        self.rest = rest;
        let low = self.unit()?;
        match low & 0xfc00 {
            0xdc00 => char::from_u32(0x1_0000 + ((high & 0x3ff) << 10 | low & 0x3ff)),
            _ => None,
        }
    }

    fn escape(&mut self) -> Option<u8> {
        let (kind, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match kind {
            b'"' | b'\\' | b'/' => *kind,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut utf8 = [0; 4];
                self.scalar()?.encode_utf8(&mut utf8);
                let [first, ..] = utf8;
                self.pending = u32::from_le_bytes(utf8) >> 8;
                first
            }
            _ => return None,
        })
    }
}

impl Iterator for Unescape<'_> {
    type Item = Result<u8, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.pending != 0 {
            let byte = self.pending as u8;
            self.pending >>= 8;
            return Some(Ok(byte));
        }
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        if *byte != b'\\' {
            return Some(Ok(*byte));
        }
        let byte = self.escape();
        if byte.is_none() {
            self.rest = &[];
        }
        Some(byte.ok_or(Failure::BadText))
    }
}
