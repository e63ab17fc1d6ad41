//! Published vectors, and signatures that are written in more than one way.

use super::*;
use coreota::verify::{Hash, algorithms::SignatureAlgorithm};

fn hex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(byte).collect()
}

fn integer(value: &[u8]) -> Vec<u8> {
    let first = value.iter().position(|byte| *byte != 0).unwrap_or(value.len() - 1);
    let mut value = value[first..].to_vec();
    if value[0] & 0x80 != 0 {
        value.insert(0, 0);
    }
    [&[2, value.len() as u8], &value[..]].concat()
}

fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let body = [r, s].concat();
    [&[0x30, body.len() as u8], &body[..]].concat()
}

/// RFC 6979, A.2.5: curve P-256, SHA-256.
const SECRET: &str = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
const X: &str = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6";
const Y: &str = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
const SIGNED: [(&str, &str, &str); 2] = [
    (
        "sample",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    (
        "test",
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ),
];
/// The order of the curve.
const N: &str = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";

/// n - s.
fn negated(s: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut out = hex(N);
    for (place, byte) in out.iter_mut().enumerate().rev() {
        let value = i16::from(*byte) - i16::from(s[place]) - borrow;
        borrow = i16::from(value < 0);
        *byte = value.rem_euclid(256) as u8;
    }
    out
}

#[test]
fn ecdsa_by_rfc_6979() {
    let key = hex(&format!("04{X}{Y}"));
    let secret = hex(SECRET).try_into().unwrap();
    let signer = Signer::new(Algorithm::EcdsaP256, &secret).unwrap();
    assert_eq!(signer.public(), key);
    for (message, r, s) in SIGNED {
        let digest = Hash::of(message.as_bytes());
        let (r, s) = (hex(r), hex(s));
        let signature = der(&integer(&r), &integer(&s));
        assert!(EcdsaP256::holds(&key, &digest, &signature));
        let other_half = der(&integer(&r), &integer(&negated(&s)));
        assert!(EcdsaP256::holds(&key, &digest, &other_half), "both halves of s are valid");
        assert!(!EcdsaP256::holds(&key, &Hash::of(b"another"), &signature));
        let swapped = der(&integer(&s), &integer(&r));
        assert!(!EcdsaP256::holds(&key, &digest, &swapped));
        let ours = signer.sign(&digest);
        assert!(ours == signature || ours == other_half, "deterministic");
    }
}

#[test]
fn der_is_read_strictly() {
    let key = hex(&format!("04{X}{Y}"));
    let (message, r, s) = SIGNED[0];
    let digest = Hash::of(message.as_bytes());
    let (r, s) = (integer(&hex(r)), integer(&hex(s)));
    let right = der(&r, &s);
    let padded = |integer: &[u8]| [&[2, integer[1] + 1, 0], &integer[2..]].concat();
    for wrong in [
        vec![],
        vec![0x30, 0],
        [&right[..], &[0]].concat(),       // one byte more
        right[..right.len() - 1].to_vec(), // one less
        der(&padded(&r), &s),              // not minimal
        der(&r, &[2, 32].into_iter().chain(s[3..].iter().copied()).collect::<Vec<_>>()), // negative
        der(&integer(&[0]), &s),           // r = 0
        der(&r, &integer(&[0])),           // s = 0
        der(&integer(&hex(N)), &s),        // r = n
        der(&r, &integer(&hex(N))),        // s = n
        [&[0x30, 0x81, right[1]], &right[2..]].concat(), // long form of a short length
        [&[0x30, 0x80], &right[2..], &[0, 0]].concat(), // indefinite length
        [&[0x31, right[1]], &right[2..]].concat(),
        [&hex(SIGNED[0].1)[..], &hex(SIGNED[0].2)].concat(), // r and s without DER
    ] {
        assert!(!EcdsaP256::holds(&key, &digest, &wrong), "{wrong:02x?}");
    }
    assert!(EcdsaP256::holds(&key, &digest, &right));
}

#[test]
fn keys_that_are_none_verify_nothing() {
    let (message, r, s) = SIGNED[0];
    let digest = Hash::of(message.as_bytes());
    let signature = der(&integer(&hex(r)), &integer(&hex(s)));
    let off_the_curve = hex(&format!("04{X}{X}"));
    let right = hex(&format!("04{X}{Y}"));
    assert!(EcdsaP256::holds(&right, &digest, &signature));
    let longer = [&right[..], &[0]].concat();
    let compressed = hex(&format!("03{X}")); // valid elsewhere; keys here are uncompressed
    let too_large = hex(&format!("04{}{Y}", "FF".repeat(32)));
    let keys = [&off_the_curve, &longer, &compressed, &too_large].map(Vec::as_slice);
    for key in keys.into_iter().chain([&[][..], &[0], &[4], &[4; 65], &[0; 65], &right[..64]]) {
        assert!(!EcdsaP256::holds(key, &digest, &signature));
    }
    for key in [&[][..], &[0; 31], &[0; 32], &[0xff; 32], &[4; 33]] {
        assert!(!Ed25519::holds(key, &digest, &[0; 64]));
    }
}

#[test]
fn ed25519_is_strict() {
    let signer = signer(Algorithm::Ed25519, 1);
    let digest = [7; 32];
    let signature = signer.sign(&digest);
    let key = signer.public();
    assert!(Ed25519::holds(&key, &digest, &signature));
    assert!(!Ed25519::holds(&key, &[8; 32], &signature));
    assert!(!Ed25519::holds(&key, &digest, &signature[..63]));
    // s + l, the same number modulo the order (RFC 8032, 5.1.7).
    let order = hex("EDD3F55C1A631258D69CF7A2DEF9DE1400000000000000000000000000000010");
    let mut more = signature.clone();
    let mut carry = 0;
    for (byte, add) in more[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert!(!Ed25519::holds(&key, &digest, &more));
    // The neutral element as key and R with s = 0 "signs" everything, unless refused.
    let neutral = [&[1][..], &[0; 31]].concat();
    let forged = [&neutral[..], &[0; 32]].concat();
    assert!(!Ed25519::holds(&neutral, &digest, &forged));
}
