//! Signatures over whole files, as `sig-sha256-ecdsa` carries them.

use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::DecodePrivateKey;

/// ECDSA P-256 over SHA-256 of `bytes`, in DER, with the private key in `pem` (PKCS#8 or SEC1).
pub(crate) fn ecdsa_p256_der(pem: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let key = match pem.contains("BEGIN EC PRIVATE KEY") {
        true => SecretKey::from_sec1_pem(pem).map_err(|error| error.to_string()),
        false => SecretKey::from_pkcs8_pem(pem).map_err(|error| error.to_string()),
    };
    let key = key.map_err(|error| format!("not an ECDSA P-256 private key in PEM: {error}"))?;
    let signature: Signature = SigningKey::from(key).sign(bytes);
    Ok(signature.to_der().as_bytes().to_vec())
}

/// Is this the DER of an ECDSA P-256 signature?
pub(crate) fn is_ecdsa_p256_der(der: &[u8]) -> bool {
    Signature::from_der(der).is_ok()
}
