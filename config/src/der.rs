//! Public keys in files: PEM around a SubjectPublicKeyInfo (RFC 5280, 5480, 8410), of the two algorithms
//! that are verified. Finds out what a file holds; does no cryptography.

use base64::Engine;

/// What a key file holds.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// A point on P-256, uncompressed: 65 bytes.
    P256(Vec<u8>),
    /// An Ed25519 public key: 32 bytes.
    Ed25519(Vec<u8>),
    /// A private key, of any kind.
    Private,
    /// A public key we do not verify with.
    Other(&'static str),
    /// None of these; why.
    Nothing(&'static str),
}

/// SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING } up to the point.
const P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
/// The same with a compressed point.
const P256_COMPRESSED: &[u8] = b"\x30\x39\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x22\x00";
/// SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING } up to the key.
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
/// rsaEncryption and id-ecPublicKey, as they stand in a SubjectPublicKeyInfo.
const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const EC: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";

/// What a file holds, by its text.
pub fn public_key(text: &str) -> Found {
    if text.contains("PRIVATE KEY-----") {
        return Found::Private;
    }
    if let Some(key) = hex32(text.trim()) {
        return Found::Ed25519(key);
    }
    let body = text
        .split_once("-----BEGIN PUBLIC KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PUBLIC KEY-----"));
    let Some((body, _)) = body else {
        return match text.contains("-----BEGIN CERTIFICATE-----") {
            true => Found::Nothing("it is a certificate"),
            false => Found::Nothing("there is no `BEGIN PUBLIC KEY` in it"),
        };
    };
    let packed: String = body.split_whitespace().collect();
    let Ok(der) = base64::engine::general_purpose::STANDARD.decode(packed) else {
        return Found::Nothing("its base64 is damaged");
    };
    let holds = |part: &[u8]| der.windows(part.len()).any(|window| window == part);
    match (der.strip_prefix(P256), der.strip_prefix(ED25519)) {
        (Some(point), _) if point.len() == 65 && point.first() == Some(&4) => {
            Found::P256(point.into())
        }
        (_, Some(key)) if key.len() == 32 => Found::Ed25519(key.into()),
        _ if der.starts_with(P256_COMPRESSED) => Found::Other(
            "a compressed point; `openssl ec -pubin -conv_form uncompressed` spreads it",
        ),
        _ if holds(RSA) => Found::Other("an RSA key"),
        _ if holds(EC) => Found::Other("a key on another curve than P-256"),
        _ => Found::Nothing("its algorithm is not known"),
    }
}

/// 64 hexadecimal digits.
fn hex32(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let byte = |index: usize| u8::from_str_radix(text.get(index..index + 2)?, 16).ok();
    (0..64).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_and_hex_of_one_key_are_the_same() {
        let pem = public_key(include_str!("../tests/ui/keys/ed25519.pub.pem"));
        let hex = public_key(include_str!("../tests/ui/keys/ed25519.pub.hex"));
        assert!(matches!(&pem, Found::Ed25519(key) if key.len() == 32));
        assert_eq!(pem, hex);
    }

    #[test]
    fn a_p256_key_is_its_point() {
        let found = public_key(include_str!("../tests/ui/keys/p256.pub.pem"));
        assert!(matches!(found, Found::P256(point) if point.len() == 65 && point[0] == 4));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in [
            "",
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        ] {
            assert!(matches!(public_key(text), Found::Nothing(_)), "{text:?}");
        }
        // One digit too few, and one that is none.
        assert!(matches!(public_key(&"a".repeat(63)), Found::Nothing(_)));
        assert!(matches!(public_key(&"g".repeat(64)), Found::Nothing(_)));
    }
}
