//! Key files: private keys to sign with, public keys to check with, and how both are written.
//!
//! Private: PEM with PKCS#8 (`BEGIN PRIVATE KEY`) or SEC1 (`BEGIN EC PRIVATE KEY`), not encrypted.
//! Public: PEM with a SubjectPublicKeyInfo, read by the same code as the keys of `ota.toml`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use coreota::descriptor::Algorithm;
use coreota::image::Signer;
use coreota::verify::Key;
use coreota::verify::algorithms::{fingerprint, subject_public_key_info};
use coreota_config::der::{Found, public_key};
use coreota_config::keys::Role;
use p256::SecretKey;
use p256::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};

use crate::error::{Error, Result};

/// id-Ed25519 (RFC 8410) and id-ecPublicKey (RFC 5480).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// PKCS#8 of an Ed25519 key up to its seed (RFC 8410, version 1: what every OpenSSL reads).
const PKCS8_ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
/// PKCS#8 of a P-256 key up to its scalar, and between the scalar and the point (RFC 5915).
const PKCS8_P256: &[u8] = b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
    \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x6d\x30\x6b\x02\x01\x01\x04\x20";
const PKCS8_P256_POINT: &[u8] = b"\xa1\x44\x03\x42\x00";

const MAKE: &str = "`cargo ota keygen` makes keys";

/// A public key from a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PublicKey {
    /// The file, or its name in `ota.toml`.
    pub(crate) name: String,
    pub(crate) algorithm: Algorithm,
    /// As [`coreota::verify::Key::bytes`].
    pub(crate) bytes: Vec<u8>,
}

impl PublicKey {
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        fingerprint(self.algorithm, &self.bytes)
    }
}

impl From<&Key> for PublicKey {
    fn from(key: &Key) -> Self {
        PublicKey { name: key.id.to_owned(), algorithm: key.algorithm, bytes: key.bytes.to_vec() }
    }
}

/// As `ota.toml` and the command line write it.
pub(crate) fn word(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EcdsaP256 => "ecdsa-p256",
        Algorithm::Ed25519 => "ed25519",
    }
}

/// Reads a private key to sign images with.
pub(crate) fn private(path: &Path) -> Result<Signer> {
    let fix = "give an ecdsa-p256 or ed25519 key in PEM; `cargo ota keygen` makes one";
    let refuse = |why: &str, fix: &str| Error::file("sign with", path, why).fix(fix);
    let text = text(path)?;
    let Some((label, body)) = pem(&text) else {
        return Err(refuse("it holds no private key in PEM", MAKE));
    };
    let (algorithm, secret) =
        secret(label, body).map_err(|Unread { why, better }| refuse(why, better.unwrap_or(fix)))?;
    Signer::new(algorithm, &secret).ok_or_else(|| refuse("its secret is out of range", fix))
}

/// Reads the private key of a device's certificate, in PEM or DER: its public point, and its scalar.
pub(crate) fn of_device(path: &Path) -> Result<(Vec<u8>, [u8; 32])> {
    let fix = "give the private key of the device's certificate, of P-256, in PEM or DER";
    let refuse = |why: &str, fix: &str| Error::file("use", path, why).fix(fix);
    let bytes = fs::read(path).map_err(|error| refuse(&error.to_string(), fix))?;
    let text = String::from_utf8_lossy(&bytes);
    let read = match pem(&text) {
        Some((label, body)) => secret(label, body),
        None => pkcs8(&bytes).or_else(|_| sec1(&bytes)).map_err(|why| Unread { why, better: None }),
    };
    let read = read.map_err(|Unread { why, better }| refuse(why, better.unwrap_or(fix)))?;
    let signer = match read {
        (Algorithm::EcdsaP256, secret) => Signer::new(Algorithm::EcdsaP256, &secret),
        (Algorithm::Ed25519, _) => return Err(refuse("it is an Ed25519 key", fix)),
    };
    let signer = signer.ok_or_else(|| refuse("its secret is out of range", fix))?;
    Ok((signer.public().to_vec(), read.1))
}

/// Why a block of PEM gives no private key, and what would be better where that is special.
struct Unread {
    why: &'static str,
    better: Option<&'static str>,
}

/// The secret in a block of PEM.
fn secret(label: &str, body: &str) -> std::result::Result<(Algorithm, [u8; 32]), Unread> {
    let unread = |why, better| Err(Unread { why, better: Some(better) });
    if label == "ENCRYPTED PRIVATE KEY" || body.contains("ENCRYPTED") {
        let fix = "decrypt it: `openssl pkey -in THIS -out PLAIN.pem`, and remove PLAIN.pem after";
        return unread("it is encrypted", fix);
    }
    let der = || decoded(body).ok_or("its base64 is damaged");
    let secret = match label {
        "PRIVATE KEY" => der().and_then(|der| pkcs8(&der)),
        "EC PRIVATE KEY" => der().and_then(|der| sec1(&der)),
        "PUBLIC KEY" => {
            return unread("it is a public key", "give the private half: the file without `.pub`");
        }
        "OPENSSH PRIVATE KEY" => Err("it is an OpenSSH key"),
        "RSA PRIVATE KEY" => Err("it is an RSA key"),
        "CERTIFICATE" => Err("it is a certificate"),
        _ => Err("it is no private key"),
    };
    secret.map_err(|why| Unread { why, better: None })
}

/// What is in a block of PEM.
pub(crate) fn decoded(body: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

/// The private halves that lie in the folders of these public keys; `root` is where their paths start.
pub(crate) fn beside(root: &Path, trusted: &[coreota_config::model::Key]) -> Vec<Signer> {
    let images = trusted.iter().filter(|key| key.roles.contains(&Role::Image));
    images
        .filter_map(|key| {
            let folder = root.join(&key.file).parent()?.to_owned();
            let mut files: Vec<_> =
                fs::read_dir(folder).ok()?.flatten().map(|f| f.path()).collect();
            files.sort();
            let pem = files.iter().filter(|file| file.extension().is_some_and(|is| is == "pem"));
            pem.filter_map(|file| private(file).ok()).find(|signer| signer.public() == key.bytes)
        })
        .collect()
}

/// Reads a public key.
pub(crate) fn public(path: &Path) -> Result<PublicKey> {
    let (algorithm, bytes) = match public_key(&text(path)?) {
        Found::P256(bytes) => (Algorithm::EcdsaP256, bytes),
        Found::Ed25519(bytes) => (Algorithm::Ed25519, bytes),
        Found::Private => {
            return Err(Error::file("check with", path, "it is a private key")
                .fix("give the public half: the file with `.pub`"));
        }
        Found::Other(what) => {
            return Err(Error::file("check with", path, format!("it holds {what}"))
                .fix("give an ecdsa-p256 or ed25519 key"));
        }
        Found::Nothing(why) => {
            let why = format!("it holds no public key: {why}");
            return Err(Error::file("check with", path, why).fix(MAKE));
        }
    };
    Ok(PublicKey { name: path.display().to_string(), algorithm, bytes })
}

/// A private key as PKCS#8 in PEM.
pub(crate) fn private_pem(signer: &Signer, secret: &[u8; 32]) -> String {
    let der = match signer.algorithm() {
        Algorithm::EcdsaP256 => [PKCS8_P256, secret, PKCS8_P256_POINT, &signer.public()].concat(),
        Algorithm::Ed25519 => [PKCS8_ED25519, secret].concat(),
    };
    to_pem("PRIVATE KEY", &der)
}

/// A public key as SubjectPublicKeyInfo in PEM.
pub(crate) fn public_pem(signer: &Signer) -> String {
    to_pem("PUBLIC KEY", &subject_public_key_info(signer.algorithm(), &signer.public()))
}

/// Is this the DER of an ECDSA P-256 signature?
pub(crate) fn is_ecdsa_p256_der(der: &[u8]) -> bool {
    p256::ecdsa::Signature::from_der(der).is_ok()
}

pub(crate) fn exists(path: &Path) -> Error {
    Error::file("write", path, "it exists")
        .fix("choose another name: a lost key cannot be replaced")
}

/// Writes a file that must not exist; `secret` ones for their owner only, from the first moment.
pub(crate) fn write_new(path: &Path, bytes: &[u8], secret: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let written = owned(&mut options, secret).open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(path),
        _ => {
            Error::file("write", path, error).fix("give a name in a folder that can be written to")
        }
    })
}

/// Writes a file in place of any that was there; `secret` ones for their owner only.
pub(crate) fn write(path: &Path, bytes: &[u8], secret: bool) -> Result<()> {
    let write = || {
        if secret && path.exists() {
            // It may be readable for others.
            fs::remove_file(path)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        owned(&mut options, secret).open(path)?.write_all(bytes)
    };
    write().map_err(|error| Error::file("write", path, error))
}

#[cfg(unix)]
fn owned(options: &mut OpenOptions, secret: bool) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    if secret { options.mode(0o600) } else { options }
}

#[cfg(not(unix))]
fn owned(options: &mut OpenOptions, _: bool) -> &mut OpenOptions {
    options
}

fn text(path: &Path) -> Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(Error::file("read", path, error).fix(MAKE)),
    }
}

/// The first block of a PEM file that is more than curve parameters: its label and what it holds.
pub(crate) fn pem(text: &str) -> Option<(&str, &str)> {
    let mut rest = text;
    loop {
        let (_, behind) = rest.split_once("-----BEGIN ")?;
        let (label, behind) = behind.split_once("-----")?;
        let (body, behind) = behind.split_once(&format!("-----END {label}-----"))?;
        if label != "EC PARAMETERS" {
            return Some((label, body));
        }
        rest = behind;
    }
}

type Secret = std::result::Result<(Algorithm, [u8; 32]), &'static str>;

fn pkcs8(der: &[u8]) -> Secret {
    let Ok(info) = PrivateKeyInfoRef::try_from(der) else {
        return Err("its content is damaged");
    };
    match info.algorithm.oid {
        EC => sec1_on(info.private_key.as_bytes(), info.algorithm.parameters_oid().ok()),
        ED25519 => match info.private_key.as_bytes() {
            [0x04, 0x20, seed @ ..] => match seed.try_into() {
                Ok(seed) => Ok((Algorithm::Ed25519, seed)),
                Err(_) => Err("its content is damaged"),
            },
            _ => Err("its content is damaged"),
        },
        _ => Err("it is a key of another algorithm"),
    }
}

/// prime256v1.
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

fn sec1_on(der: &[u8], curve: Option<ObjectIdentifier>) -> Secret {
    match curve {
        Some(P256) => sec1(der),
        _ => Err("it is a key on another curve than P-256"),
    }
}

fn sec1(der: &[u8]) -> Secret {
    match SecretKey::from_sec1_der(der) {
        Ok(key) => Ok((Algorithm::EcdsaP256, key.to_bytes().into())),
        Err(_) => Err("it is damaged, or a key on another curve than P-256"),
    }
}

fn to_pem(label: &str, der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    // 64 characters a line (RFC 7468); base64 is ASCII.
    let lines: Vec<&str> = (0..base64.len())
        .step_by(64)
        .filter_map(|from| base64.get(from..base64.len().min(from + 64)))
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
