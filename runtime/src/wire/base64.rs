//! Base64 (RFC 4648, section 4) to bytes, strictly: padded or not, no white space, and the unused
//! bits of the last group are zero, so that one value has one spelling.

use super::Unescape;
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
    let (long, rest) = text.as_chunks::<LONG>();
    let (long_out, rest_out) =
        into.split_at_mut_checked(long.len() * 24).ok_or(Failure::BadText)?;
    let mut wrong = 0;
    for (chunk, out) in long.iter().zip(long_out.as_chunks_mut::<24>().0) {
        wrong |= decode_long(chunk, out);
    }
    let (whole, tail) = rest.as_chunks::<4>();
    let (whole_out, tail_out) = rest_out.as_chunks_mut::<3>();
    for (group, out) in whole.iter().zip(whole_out) {
        let sextets = group.map(sextet);
        wrong |= sextets.iter().fold(0, |all, sextet| all | sextet);
        let [_, bytes @ ..] = pack(sextets).to_be_bytes();
        *out = bytes;
    }
    if wrong & INVALID != 0 || !decode_tail(tail, tail_out) {
        return Err(Failure::BadEncoding);
    }
    Ok(len)
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

/// Characters taken at once where there are many: a block is kilobytes of them, and the arithmetic
/// below, free of branches and tables, then runs on whole vectors.
const LONG: usize = 32;

/// Set in a sextet that stands for no character of the alphabet.
const INVALID: u8 = 0x80;

fn decode_long(chunk: &[u8; LONG], out: &mut [u8; 24]) -> u8 {
    let mut sextets = [0; LONG];
    let mut all = 0;
    for (to, from) in sextets.iter_mut().zip(chunk) {
        *to = sextet(*from);
        all |= *to;
    }
    for (word, out) in sextets.as_chunks::<8>().0.iter().zip(out.as_chunks_mut::<6>().0) {
        // Neighbours join: eight sextets, four pairs, two groups, six bytes.
        let word = u64::from_le_bytes(*word);
        let word = (word & 0x003f_003f_003f_003f) << 6 | word >> 8 & 0x003f_003f_003f_003f;
        let word = (word & 0x0fff_0000_0fff) << 12 | word >> 16 & 0x0fff_0000_0fff;
        let [_, _, bytes @ ..] = (word << 24 | word >> 32).to_be_bytes();
        *out = bytes;
    }
    all
}

/// The two or three characters of the last group.
fn decode_tail(tail: &[u8], out: &mut [u8]) -> bool {
    let mut group = [b'A'; 4];
    for (to, from) in group.iter_mut().zip(tail) {
        *to = *from;
    }
    let sextets = group.map(sextet);
    let [_, bytes @ ..] = pack(sextets).to_be_bytes();
    let (used, unused) = bytes.split_at_checked(out.len()).unwrap_or((&[], &[]));
    out.copy_from_slice(used);
    sextets.iter().all(|sextet| *sextet < INVALID) && unused.iter().all(|byte| *byte == 0)
}

/// What a character stands for.
#[inline]
fn sextet(character: u8) -> u8 {
    let pick = |from: u8, many: u8, value: u8| {
        let at = character.wrapping_sub(from);
        if at < many { at.wrapping_add(value).wrapping_add(1) } else { 0 }
    };
    let sum = pick(b'A', 26, 0)
        | pick(b'a', 26, 26)
        | pick(b'0', 10, 52)
        | pick(b'+', 1, 62)
        | pick(b'/', 1, 63);
    sum.wrapping_sub(1)
}

/// Four sextets to three bytes, the lower three of the number.
#[inline]
fn pack(sextets: [u8; 4]) -> u32 {
    sextets.iter().fold(0, |group, sextet| group << 6 | u32::from(sextet & 0x3f))
}
