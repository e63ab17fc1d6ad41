//! Private keys, as far as signing a digest goes; reading them from files is the host tool's.

use alloc::vec::Vec;

use p256::ecdsa::{Signature, signature::hazmat::PrehashSigner};

use crate::{descriptor::Algorithm, verify::Hash, verify::algorithms::fingerprint};

/// Signs with one private key.
#[derive(Clone, Debug)]
pub struct Signer(Secret);

#[derive(Clone, Debug)]
enum Secret {
    EcdsaP256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl Signer {
    /// The key with that secret: ECDSA's scalar, big-endian, or Ed25519's seed. `None` where the
    /// scalar is out of range, which chance does once in 2³² keys.
    pub fn new(algorithm: Algorithm, secret: &[u8; 32]) -> Option<Self> {
        Some(Signer(match algorithm {
            Algorithm::EcdsaP256 => {
                Secret::EcdsaP256(p256::ecdsa::SigningKey::from_slice(secret).ok()?)
            }
            Algorithm::Ed25519 => Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(secret)),
        }))
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Secret::EcdsaP256(_) => Algorithm::EcdsaP256,
            Secret::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The public key, as [`Key::bytes`](crate::verify::Key::bytes) has it.
    pub fn public(&self) -> Vec<u8> {
        match &self.0 {
            Secret::EcdsaP256(key) => key.verifying_key().to_sec1_point(false).as_bytes().into(),
            Secret::Ed25519(key) => key.verifying_key().to_bytes().into(),
        }
    }

    /// The name of the key in images.
    pub fn fingerprint(&self) -> [u8; 32] {
        fingerprint(self.algorithm(), &self.public())
    }

    /// Signs a digest: DER for ECDSA (deterministic, RFC 6979), 64 bytes for Ed25519.
    pub fn sign(&self, digest: &[u8; 32]) -> Vec<u8> {
        match &self.0 {
            Secret::EcdsaP256(key) => {
                let signature: Signature = key.sign_prehash(digest).expect("32 bytes are enough");
                signature.to_der().as_bytes().into()
            }
            Secret::Ed25519(key) => {
                use ed25519_dalek::Signer as _;
                key.sign(digest).to_bytes().into()
            }
        }
    }

    /// A detached signature over a file, as job documents carry it.
    pub fn detached(&self, file: &[u8]) -> Vec<u8> {
        self.sign(&Hash::of(file))
    }
}
