//! `cargo ota keygen`: makes a key pair.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use coreota::descriptor::Algorithm;
use coreota::image::Signer;
use serde_json::json;

use crate::error::{Error, Exit, Result};
use crate::keys;
use crate::out::Out;
use crate::store::hex;

/// Make a key pair to sign images with
///
/// Writes NAME.pem, the private key (PKCS#8, readable by its owner only), and NAME.pub.pem, the
/// public key for `[[verify.key]]` in ota.toml. Files that exist are left alone.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Where to write the keys, without `.pem`
    name: PathBuf,
    /// What the key signs with
    #[arg(long, value_enum, default_value_t = Kind::EcdsaP256)]
    algorithm: Kind,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// ECDSA on P-256: what AWS IoT and most MCUboot builds verify
    EcdsaP256,
    /// Ed25519
    Ed25519,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let algorithm = match self.algorithm {
            Kind::EcdsaP256 => Algorithm::EcdsaP256,
            Kind::Ed25519 => Algorithm::Ed25519,
        };
        let Made { signer, private, public } = make(&self.name, algorithm)?;
        let word = keys::word(algorithm);
        let fields = json!({
            "algorithm": word,
            "private": private,
            "public": public,
            "fingerprint": hex(&signer.fingerprint()),
        });
        let id = self.name.file_name().unwrap_or_default().to_string_lossy();
        let line = format!(
            "{}  the private key: keep it secret, keep a copy\n\
             {}  the public key, for ota.toml:\n\n\
             [[verify.key]]\nid = \"{id}\"\nalgorithm = \"{word}\"\nfile = \"{}\"",
            private.display(),
            public.display(),
            public.display(),
        );
        out.event("keys", &fields, line);
        Ok(())
    }
}

/// A key pair, and its files.
pub(super) struct Made {
    signer: Signer,
    private: PathBuf,
    public: PathBuf,
}

/// Makes a key pair in two files, neither of which is there yet.
pub(super) fn make(name: &Path, algorithm: Algorithm) -> Result<Made> {
    let (signer, secret) = generate(algorithm)?;
    let private = with_ending(name, "pem");
    let public = with_ending(name, "pub.pem");
    for path in [&private, &public] {
        if path.exists() {
            return Err(keys::exists(path));
        }
    }
    keys::write_new(&private, keys::private_pem(&signer, &secret).as_bytes(), true)?;
    keys::write_new(&public, keys::public_pem(&signer).as_bytes(), false)?;
    Ok(Made { signer, private, public })
}

fn generate(algorithm: Algorithm) -> Result<(Signer, [u8; 32])> {
    loop {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| {
            Error::new(Exit::File, format!("the system gives no random numbers: {error}"))
        })?;
        if let Some(signer) = Signer::new(algorithm, &secret) {
            return Ok((signer, secret));
        }
    }
}

/// `keys/release` → `keys/release.pub.pem`; dots in the name stay (`release-1.2`).
fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut path = name.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    path.into()
}
