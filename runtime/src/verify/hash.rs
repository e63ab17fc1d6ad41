//! SHA-256 of bytes that come in pieces.

use sha2::{Digest, Sha256};

/// A running SHA-256, which can be looked at on the way.
#[derive(Clone, Debug, Default)]
pub struct Hash(Sha256);

impl Hash {
    /// The hash of nothing so far.
    pub fn new() -> Self {
        Hash::default()
    }

    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    /// Takes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all bytes so far; more may follow.
    pub fn so_far(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}
