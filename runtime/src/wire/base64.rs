//! Base64 (RFC 4648, section 4) to bytes, strictly: padded or not, no white space, and the unused
//! bits of the last group are zero, so that one value has one spelling.
//!
//! Eight characters at a time through a table of 256 bytes: 41 instructions (x86-64), where a table
//! that takes pairs of characters would cost 8 KiB of flash and vectors help no microcontroller.

use super::{Unescape, copy};
use crate::error::Failure;

/// How many bytes `len` characters without padding stand for, or `None` where no text has that
/// length.
pub(crate) const fn decoded_len(len: usize) -> Option<usize> {
    match len % 4 {
        1 => None,
        rest => Some(len / 4 * 3 + rest * 3 / 4),
    }
}

/// The text without its padding, which is whole or absent.
///
/// # Errors
/// [`Failure::BadEncoding`] where it is neither.
pub(crate) fn trim(text: &[u8]) -> Result<&[u8], Failure> {
    let bare = match text {
        [bare @ .., b'=', b'='] | [bare @ .., b'='] => bare,
        bare => return Ok(bare),
    };
    if text.len().is_multiple_of(4) { Ok(bare) } else { Err(Failure::BadEncoding) }
}

/// Decodes `text` (without padding) into the front of `into`; returns how many bytes.
///
/// # Errors
/// [`Failure::BadEncoding`] where `text` is not base64, [`Failure::BadText`] where `into` is too
/// small.
pub(crate) fn decode(text: &[u8], into: &mut [u8]) -> Result<usize, Failure> {
    let len = decoded_len(text.len()).ok_or(Failure::BadEncoding)?;
    let into = into.get_mut(..len).ok_or(Failure::BadText)?;
    let (eights, rest) = text.as_chunks::<8>();
    let (sixes, rest_out) = into.as_chunks_mut::<6>();
    // Looked at once, behind the loop: a block is kilobytes of text, all but surely right.
    let mut all = 0;
    for (eight, six) in eights.iter().zip(sixes) {
        let bits = join(eight);
        all |= bits;
        let [_, _, bytes @ ..] = bits.to_be_bytes();
        *six = bytes;
    }
    if all < 0 || !decode_rest(rest, rest_out) {
        return Err(Failure::BadEncoding);
    }
    Ok(len)
}

/// What is left: up to seven characters.
fn decode_rest(rest: &[u8], out: &mut [u8]) -> bool {
    let mut eight = [b'A'; 8];
    for (to, from) in eight.iter_mut().zip(rest) {
        *to = *from;
    }
    let bits = join(&eight);
    let [_, _, bytes @ ..] = bits.to_be_bytes();
    let (used, unused) = bytes.split_at_checked(out.len()).unwrap_or_default();
    copy(used, out).is_some() && bits >= 0 && unused.iter().all(|byte| *byte == 0)
}

/// [`decode`] of the text of a JSON string with escapes, `\/` mostly: slow, and short.
///
/// # Errors
/// As [`decode`], and [`Failure::BadText`] for a wrong escape.
pub(crate) fn decode_escaped(raw: &[u8], into: &mut [u8]) -> Result<usize, Failure> {
    let mut characters = Unescape::new(raw);
    let mut len = 0;
    loop {
        let mut group = [0; 4];
        let mut used = 0;
        for to in &mut group {
            let Some(character) = characters.next() else { break };
            *to = character?;
            used += 1;
        }
        let whole = group.get(..used).unwrap_or_default();
        let bare = trim(whole)?;
        len += decode(bare, into.get_mut(len..).unwrap_or_default())?;
        // A group with padding is the last one.
        if bare.len() < 4 {
            return match characters.next() {
                None => Ok(len),
                Some(_) => Err(Failure::BadEncoding),
            };
        }
    }
}

/// The 48 bits of eight characters, or a negative number where one is not of the alphabet.
#[inline]
fn join(eight: &[u8; 8]) -> i64 {
    eight.iter().fold(0, |bits, character| bits << 6 | i64::from(SEXTETS[usize::from(*character)]))
}

/// What each character stands for; -1 where it is not of the alphabet.
static SEXTETS: [i8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut sextets = [-1; 256];
    let mut value = 0;
    while value < alphabet.len() {
        sextets[alphabet[value] as usize] = value as i8;
        value += 1;
    }
    sextets
};
