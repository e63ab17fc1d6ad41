//! Bytes and text on the wire, over caller-owned buffers: what every codec of this crate stands on.

pub(crate) mod base64;
mod cbor;
mod json;
mod keys;
mod literal;
mod unescape;
mod writer;

pub use cbor::{Cbor, Left, put_number};
pub use json::{Json, NESTING, Text, Value, number};
pub(crate) use keys::Keys;
pub(crate) use unescape::Unescape;
pub use writer::Writer;

use crate::{
    error::Failure,
    field::{Coding, Field},
};

/// Whether `name` has 1 to `longest` ASCII letters, digits and bytes of `also`: names go into topics,
/// where a `/`, `+` or `#` would mean something.
pub(crate) fn is_name(name: &str, longest: usize, also: &[u8]) -> bool {
    (1..=longest).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
}

/// Undoes a field's escapes and coding; see [`Field::decode`].
pub(crate) fn decode(field: &Field<'_>, into: &mut [u8]) -> Result<usize, Failure> {
    match (field.coding, field.escaped) {
        (Coding::Base64, false) => base64::decode(base64::trim(field.raw)?, into),
        (Coding::Base64, true) => base64::decode_escaped(field.raw, into),
        (Coding::Plain, false) => {
            copy_block(field.raw, into).ok_or(Failure::BadText)?;
            Ok(field.raw.len())
        }
        (Coding::Plain, true) => fill(into, Unescape::new(field.raw)),
        (Coding::Hex, _) => fill(into, Hex(Unescape::new(field.raw))),
    }
}

/// Copies the few bytes of `from` to the front of `to`, if there is room. No length has to be seen to be equal
/// to another, so that no way into a panic is left, even where size is optimised for.
#[inline]
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> Option<()> {
    for (to, from) in to.get_mut(..from.len())?.iter_mut().zip(from) {
        *to = *from;
    }
    Some(())
}

/// The same for many bytes, most of them by calls of `memcpy`: one by one those of a block would take several
/// times as long, where size is optimised for.
#[inline]
fn copy_block(from: &[u8], to: &mut [u8]) -> Option<()> {
    let to = to.get_mut(..from.len())?;
    let (from, to) = copy_arrays::<4096>(from, to);
    let (from, to) = copy_arrays::<512>(from, to);
    copy(from, to)
}

/// Copies whole arrays, whose lengths are seen to be equal, and gives what is left.
#[inline]
fn copy_arrays<'f, 't, const LEN: usize>(
    from: &'f [u8],
    to: &'t mut [u8],
) -> (&'f [u8], &'t mut [u8]) {
    let (from, from_rest) = from.as_chunks::<LEN>();
    let (to, to_rest) = to.as_chunks_mut::<LEN>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    (from_rest, to_rest)
}

/// Writes what `bytes` gives to the front of `into`.
fn fill(
    into: &mut [u8],
    bytes: impl Iterator<Item = Result<u8, Failure>>,
) -> Result<usize, Failure> {
    let mut len = 0;
    for byte in bytes {
        *into.get_mut(len).ok_or(Failure::BadText)? = byte?;
        len += 1;
    }
    Ok(len)
}

/// Bytes of pairs of hexadecimal digits. Outside a string nothing is escaped and a backslash is no
/// digit, so undoing escapes never makes a wrong text right.
struct Hex<'a>(Unescape<'a>);

impl Hex<'_> {
    fn digit(&mut self) -> Option<Result<u8, Failure>> {
        let byte = self.0.next()?;
        Some(byte.and_then(|byte| {
            let digit = char::from(byte).to_digit(16).ok_or(Failure::BadEncoding)?;
            Ok(digit as u8)
        }))
    }
}

impl Iterator for Hex<'_> {
    type Item = Result<u8, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let high = self.digit()?;
        let low = self.digit().unwrap_or(Err(Failure::BadEncoding));
        Some(high.and_then(|high| Ok(high << 4 | low?)))
    }
}
