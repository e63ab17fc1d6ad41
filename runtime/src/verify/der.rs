//! An ECDSA signature in DER: SEQUENCE { INTEGER r, INTEGER s }, and nothing else.
//!
//! A page in place of a general reader, which costs 2 KB of flash.

/// `r` and `s`, big-endian; `None` for anything but their one encoding (X.690, 8.3 and 10.1).
pub(super) fn integers(der: &[u8]) -> Option<([u8; 32], [u8; 32])> {
    let (body, behind) = value(0x30, der)?;
    let (r, rest) = integer(body)?;
    let (s, more) = integer(rest)?;
    (behind.is_empty() && more.is_empty()).then_some((r, s))
}

/// The integer at the front, positive and below 2²⁵⁶, and what is behind it.
fn integer(der: &[u8]) -> Option<([u8; 32], &[u8])> {
    let (digits, behind) = value(0x02, der)?;
    let digits = match digits {
        // A zero only where the number would be negative without it.
        [0, digits @ ..] => digits.first().filter(|first| **first >= 0x80).map(|_| digits)?,
        [first, ..] if *first < 0x80 => digits,
        _ => return None,
    };
    let mut number = [0; 32];
    if digits.len() > number.len() {
        return None;
    }
    for (to, from) in number.iter_mut().rev().zip(digits.iter().rev()) {
        *to = *from;
    }
    Some((number, behind))
}

/// The value of that tag at the front, and what is behind it. Its length is below 128: two integers
/// of 33 bytes are.
fn value(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    match der {
        [first, len @ 0..0x80, rest @ ..] if *first == tag => rest.split_at_checked((*len).into()),
        _ => None,
    }
}
