//! The certificates and the key that a device is told: read from files, and held against each other
//! before a device finds out that it cannot connect with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use coreota::certificate::{Refusal, SIZE_MAX, issued};
use coreota::descriptor::Algorithm;
use coreota::verify::algorithms::subject_public_key_info;
use coreota_config::model::Device;

use crate::error::{Error, Exit, Result};
use crate::keys;
use crate::pki;

/// The longest certificate that a device sends of itself.
const OWN_MAX: usize = 1024;

/// Where they are.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Files {
    /// The folder of `cargo ota pki`, with the CA, and certificate and key of the device
    #[arg(long, value_name = "DIR", conflicts_with = "ca")]
    pki: Option<PathBuf>,
    /// Certificate of the CA whose brokers the device trusts, in PEM or DER
    #[arg(long, value_name = "FILE", requires_all = ["device_cert", "device_key"])]
    ca: Option<PathBuf>,
    /// Certificate of the device, in PEM or DER
    #[arg(long, value_name = "FILE", requires = "ca")]
    device_cert: Option<PathBuf>,
    /// Private key of that certificate, in PEM or DER
    #[arg(long, value_name = "FILE", requires = "ca")]
    device_key: Option<PathBuf>,
    /// The device's certificate is of another CA than its broker's, as on AWS IoT: it is not held
    /// against --ca
    #[arg(long, requires = "ca")]
    other_ca: bool,
}

/// What a device proves itself with, and whom it trusts.
pub(crate) struct Identity {
    /// DER.
    pub(crate) root: Vec<u8>,
    /// DER.
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: [u8; 32],
    /// Seconds since 1970.
    pub(crate) now: u64,
}

impl Files {
    /// What the device is told; `None` for a board without TLS. Where nothing is named, the folder that
    /// `usual` is, if there.
    pub(crate) fn read(
        &self,
        device: &Device,
        thing: &str,
        usual: Option<&Path>,
    ) -> Result<Option<Identity>> {
        let name = &device.name.value;
        let usual = usual.filter(|folder| folder.is_dir()).map(Path::to_owned);
        let named = self.pki.is_some() || self.ca.is_some();
        if !device.tls {
            let what = format!("board `{name}` speaks no TLS, and has no use for certificates");
            let fix = format!("leave them out, or set `tls = true` in [board.{name}]");
            return if named { Err(Error::new(Exit::File, what).fix(fix)) } else { Ok(None) };
        }
        let (root, certificate, key) = match (self, self.pki.clone().or(usual)) {
            (Files { ca: Some(ca), device_cert: Some(cert), device_key: Some(key), .. }, _) => {
                (ca.clone(), cert.clone(), key.clone())
            }
            (_, Some(folder)) => pki::Folder::new(&folder).of_device(thing)?,
            _ => {
                let what = format!("board `{name}` speaks TLS only, and is told no certificates");
                return Err(Error::new(Exit::File, what).fix(format!(
                    "give --ca, --device-cert and --device-key; `cargo ota pki --thing {thing}` \
                     makes some to try with, for --pki {}",
                    pki::DEFAULT_DIR
                )));
            }
        };
        identity(&root, &certificate, &key, self.other_ca).map(Some)
    }
}

/// Reads the files; what does not fit together is an error.
fn identity(root: &Path, own: &Path, key: &Path, other_ca: bool) -> Result<Identity> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let refuse = |path: &Path, why: String, fix: &str| {
        Err(Error { exit: Exit::No, ..Error::file("use", path, why).fix(fix) })
    };
    let (root_der, own_der) = (certificate(root)?, certificate(own)?);
    for (path, der, most) in [(root, &root_der, SIZE_MAX), (own, &own_der, OWN_MAX)] {
        if der.len() > most {
            let why = format!("the certificate has {} bytes, a device takes {most}", der.len());
            return refuse(path, why, "make one with fewer names and extensions");
        }
    }
    let (point, secret) = keys::of_device(key)?;
    let spki = subject_public_key_info(Algorithm::EcdsaP256, &point);
    let of_p256 = &spki[..spki.len() - point.len()];
    let holds = |part: &[u8]| own_der.windows(part.len()).any(|bytes| bytes == part);
    if !holds(of_p256) {
        let fix = "make a key of P-256, and a certificate for it";
        return refuse(own, "its key is not one of P-256".to_owned(), fix);
    }
    if !holds(&spki) {
        let why = format!("it is not for the key in {}", key.display());
        return refuse(own, why, "give the key that the certificate was made for");
    }
    // A CA that did not sign itself is taken as it is.
    match issued(&root_der, &root_der, now) {
        Ok(_) | Err(Refusal::UnknownIssuer) => {}
        Err(why) => {
            let why = format!("it cannot be the CA of a broker: {}", why.text());
            let fix = "give the certificate of a CA: of P-256 and SHA-256, CA:TRUE, keyCertSign where \
                       it says a key usage, not over";
            return refuse(root, why, fix);
        }
    }
    match issued(&own_der, &root_der, now) {
        Err(Refusal::UnknownIssuer | Refusal::Signature) if !other_ca => {
            let why = format!("it was not signed by the CA in {}", root.display());
            let fix = "give the CA that signed it; where brokers have another CA than devices, add \
                       --other-ca";
            refuse(own, why, fix)
        }
        Err(why) if !other_ca => {
            let fix = "make it of P-256 and SHA-256, version 3, and not over";
            refuse(own, format!("a broker would not take it: {}", why.text()), fix)
        }
        Ok(_) | Err(_) => Ok(Identity { root: root_der, certificate: own_der, key: secret, now }),
    }
}

/// The one certificate in a file, as DER.
fn certificate(path: &Path) -> Result<Vec<u8>> {
    let fix = "give a certificate in PEM (BEGIN CERTIFICATE) or DER";
    let refuse = |why: &str| Error::file("use", path, why).fix(fix);
    let bytes = fs::read(path).map_err(|error| refuse(&error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    let count = text.matches("-----BEGIN CERTIFICATE-----").count();
    match keys::pem(&text) {
        _ if count > 1 => {
            Err(refuse(&format!("it holds {count} certificates, of which one is told")))
        }
        Some(("CERTIFICATE", body)) => {
            keys::decoded(body).ok_or_else(|| refuse("its base64 is damaged"))
        }
        Some((label, _)) if label.contains("PRIVATE KEY") => Err(refuse("it is a private key")),
        Some(_) => Err(refuse("it holds no certificate")),
        // A SEQUENCE with a length of two bytes.
        None if bytes.starts_with(&[0x30, 0x82]) => Ok(bytes),
        None => Err(refuse("it holds no certificate")),
    }
}
