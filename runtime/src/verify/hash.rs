//! SHA-256 of bytes that come in pieces.
//!
//! The compression is [`sha2`]'s; what stands before a block is full, and the padding, are kept here: with
//! lengths the compiler can see, so that no way into a panic is left.

use sha2::block_api::compress256;

/// Bytes that are compressed at once.
const BLOCK: usize = 64;
/// Where the length stands in the last block.
const LENGTH_AT: usize = BLOCK - size_of::<u64>();

/// A running SHA-256, which can be looked at on the way.
#[derive(Clone, Debug)]
pub struct Hash {
    state: [u32; 8],
    /// What came behind the last whole block, at its front.
    block: [u8; BLOCK],
    /// Bytes of all that came.
    len: u64,
}

impl Default for Hash {
    fn default() -> Self {
        Hash::new()
    }
}

impl Hash {
    /// The hash of nothing so far.
    #[inline(never)] // a hundred bytes, each time
    pub const fn new() -> Self {
        // FIPS 180-4, section 5.3.3: of the square roots of the first eight primes.
        let state = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a, //
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ];
        Hash { state, block: [0; BLOCK], len: 0 }
    }

    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> [u8; 32] {
        let mut hash = Hash::new();
        hash.update(bytes);
        hash.so_far()
    }

    /// Takes more bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = self.used();
            let free = self.block.get_mut(used..).unwrap_or_default();
            let (now, later) = bytes.split_at_checked(free.len()).unwrap_or((bytes, &[]));
            for (to, from) in free.iter_mut().zip(now) {
                *to = *from;
            }
            self.len = self.len.wrapping_add(now.len() as u64);
            if self.used() == 0 {
                compress256(&mut self.state, &[self.block]);
            }
            bytes = later;
        }
    }

    /// The hash of all bytes so far; more may follow.
    pub fn so_far(&self) -> [u8; 32] {
        let mut last = self.clone();
        let bits = self.len.wrapping_mul(8).to_be_bytes();
        // A one bit, and zeroes up to the place of the length.
        last.update(&[0x80]);
        while last.used() != LENGTH_AT {
            last.update(&[0]);
        }
        last.update(&bits);
        let mut digest = [0; 32];
        for (to, word) in digest.as_chunks_mut().0.iter_mut().zip(last.state) {
            *to = word.to_be_bytes();
        }
        digest
    }

    /// Bytes of the block that is not full yet.
    const fn used(&self) -> usize {
        (self.len % BLOCK as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::Hash;
    use sha2::{Digest, Sha256};

    #[test]
    fn pieces_of_every_length_hash_as_the_whole() {
        let bytes: [u8; 400] = core::array::from_fn(|at| (at * 7 + at / 3) as u8);
        for len in 0..bytes.len() {
            let whole = &bytes[..len];
            let right: [u8; 32] = Sha256::digest(whole).into();
            assert_eq!(Hash::of(whole), right, "{len} bytes");
            let mut hash = Hash::new();
            for piece in whole.chunks(1 + len % 67) {
                hash.update(piece);
                let _ = hash.so_far();
            }
            assert_eq!(hash.so_far(), right, "{len} bytes in pieces");
        }
    }
}
