//! What a signature is: the algorithms a verifier is linked with, and how a key is named.
//!
//! Both algorithms sign a SHA-256 digest, never the image: a device hashes once, in passing, and
//! checks signatures of 32 bytes. What is linked is a type, a tuple like `(EcdsaP256, Ed25519)`:
//! an algorithm that is not named costs no flash.
//!
//! # Which of two encodings of a signature counts
//! - ECDSA: `(r, s)` and `(r, n - s)` are both valid, and both are accepted: OpenSSL, AWS and
//!   MCUboot make either. Nothing here takes a signature for an identity: an image is known by its
//!   digest. DER is read strictly: minimal integers, nothing behind them; the zero padding that
//!   `imgtool sign --pad-sig` adds for MCUboot before 1.5 is refused.
//! - Ed25519: strict verification (canonical `s`, no points of small order), so that whoever
//!   verifies elsewhere comes to the same answer.

use super::hash::Hash;
use crate::descriptor::Algorithm;

/// A signature algorithm, linked in.
pub trait SignatureAlgorithm {
    /// Which one.
    const ALGORITHM: Algorithm;

    /// Whether `signature` over `digest` was made by the owner of `key`; `false` for whatever is
    /// no key or no signature.
    fn holds(key: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool;
}

/// The algorithms of a verifier: a tuple of [`SignatureAlgorithm`]s.
pub trait Algorithms {
    /// Whether `algorithm` is one of them.
    fn has(algorithm: Algorithm) -> bool;

    /// As [`SignatureAlgorithm::holds`]; `false` where the algorithm is not linked.
    fn holds(algorithm: Algorithm, key: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool;
}

macro_rules! algorithms {
    ($($name:ident),*) => {
        impl<$($name: SignatureAlgorithm),*> Algorithms for ($($name,)*) {
            fn has(algorithm: Algorithm) -> bool {
                $(algorithm == $name::ALGORITHM)||*
            }

            fn holds(algorithm: Algorithm, key: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool {
                $((algorithm == $name::ALGORITHM && $name::holds(key, digest, signature)))||*
            }
        }
    };
}
algorithms!(A);
algorithms!(A, B);

/// ECDSA on NIST P-256 over SHA-256.
#[derive(Clone, Copy, Debug)]
#[cfg(feature = "ecdsa-p256")]
pub struct EcdsaP256;

#[cfg(feature = "ecdsa-p256")]
impl SignatureAlgorithm for EcdsaP256 {
    const ALGORITHM: Algorithm = Algorithm::EcdsaP256;

    /// `key`: 65 bytes, the uncompressed point. `signature`: DER.
    fn holds(key: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool {
        use p256::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
        use p256::{AffinePoint, elliptic_curve::point::AffineCoordinates};
        // By coordinates, not from SEC1 bytes: that would link square roots, for compressed points.
        // What is off the curve or out of range is refused before any arithmetic with it.
        let [4, xy @ ..] = key else { return false };
        let ([x, y], []) = xy.as_chunks() else { return false };
        let point = AffinePoint::from_coordinates(&(*x).into(), &(*y).into()).into_option();
        let Some(Ok(key)) = point.map(VerifyingKey::from_affine) else { return false };
        let signature = super::der::integers(signature);
        let Some(Ok(signature)) = signature.map(|(r, s)| Signature::from_scalars(r, s)) else {
            return false;
        };
        key.verify_prehash(digest, &signature).is_ok()
    }
}

/// Ed25519, over the 32 bytes of a SHA-256.
#[derive(Clone, Copy, Debug)]
#[cfg(feature = "ed25519")]
pub struct Ed25519;

#[cfg(feature = "ed25519")]
impl SignatureAlgorithm for Ed25519 {
    const ALGORITHM: Algorithm = Algorithm::Ed25519;

    /// `key`: 32 bytes. `signature`: 64 bytes.
    fn holds(key: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool {
        use ed25519_dalek::{Signature, VerifyingKey};
        let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else {
            return false;
        };
        let Ok(key) = VerifyingKey::from_bytes(key) else {
            return false;
        };
        key.verify_strict(digest, &Signature::from_bytes(signature)).is_ok()
    }
}

/// SubjectPublicKeyInfo up to the point: SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 },
/// BIT STRING (RFC 5480).
const SPKI_P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
    \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
/// SubjectPublicKeyInfo up to the key: SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING (RFC 8410).
const SPKI_ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// What stands before a key's bytes in its DER SubjectPublicKeyInfo.
const fn spki(algorithm: Algorithm) -> &'static [u8] {
    match algorithm {
        Algorithm::EcdsaP256 => SPKI_P256,
        Algorithm::Ed25519 => SPKI_ED25519,
    }
}

/// The name of a key in an image: SHA-256 of its DER SubjectPublicKeyInfo. MCUboot's key hash, and
/// what `openssl pkey -pubin -in KEY.pem -outform DER | sha256sum` prints.
pub fn fingerprint(algorithm: Algorithm, key: &[u8]) -> [u8; 32] {
    let mut hash = Hash::new();
    hash.update(spki(algorithm));
    hash.update(key);
    hash.so_far()
}

/// A public key as DER SubjectPublicKeyInfo.
#[cfg(feature = "image")]
pub fn subject_public_key_info(algorithm: Algorithm, key: &[u8]) -> alloc::vec::Vec<u8> {
    [spki(algorithm), key].concat()
}
