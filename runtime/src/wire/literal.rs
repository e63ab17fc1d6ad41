//! Where the literal part of a JSON string ends, looked for by words and by vectors: most bytes of
//! every document are inside strings.

/// How many bytes a string holds literally: up to a quote, backslash or control character.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    for _ in 0..4 {
        let Some((word, beyond)) = rest.split_first_chunk::<8>() else { break };
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = beyond;
    }
    bytes.len() - rest.len() + plain_long(rest)
}

/// [`plain`] of a long string, perhaps a block in base64, or of the last bytes of a document.
#[inline(never)]
fn plain_long(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    // Whole chunks at once, without an early exit inside: the compiler may use vectors.
    while let Some((chunk, beyond)) = rest.split_first_chunk::<64>() {
        let found = chunk
            .iter()
            .fold(0, |found, byte| found | u8::from(byte ^ 2 < 0x21) | u8::from(*byte == b'\\'));
        if found != 0 {
            break;
        }
        rest = beyond;
    }
    loop {
        let (found, beyond) = match rest.split_first_chunk::<8>() {
            Some((word, beyond)) => (special(u64::from_le_bytes(*word)), beyond),
            None => (special(last_word(rest)), rest),
        };
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = beyond;
    }
}

/// The last few bytes of a document; what fills the word up is a control character.
fn last_word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_le_bytes(word)
}

/// The highest bit of each byte that is a quote, a backslash or a control character; above the
/// first such byte others may be marked too. (Sean Anderson, "Bit Twiddling Hacks": a byte less
/// than n; exchanging 0x20 and 0x22 puts the quote next to the control characters.)
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let quotes = word ^ (ONES * 0x02);
    let slashes = word ^ (ONES * 0x5c);
    (quotes.wrapping_sub(ONES * 0x21) & !quotes | slashes.wrapping_sub(ONES) & !slashes)
        & (ONES * 0x80)
}
