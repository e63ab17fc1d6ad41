//! A CA with a broker and devices, for tests and small fleets: all of it in one folder, keys and all.
//!
//! | file | is |
//! |---|---|
//! | `ca.pem`, `ca.key.pem` | the CA |
//! | `broker.pem`, `broker.key.pem` | the broker's, for its host names |
//! | `THING.pem`, `THING.key.pem` | a device's |
//!
//! What it is not: a place where keys are safe. Who reads the folder can make devices and brokers; there is
//! no revocation, and whoever has the CA's key has the fleet. Certificates hold for ten years, since a
//! device that does not know the time could not tell one that is over from one that was never renewed.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use sha2::{Digest, Sha256};

use crate::error::{Error, Exit, Result};
use crate::keys::write_new;
use crate::store::hex;

/// Where it is when nothing else is said.
pub(crate) const DEFAULT_DIR: &str = ".ota/pki";
/// How this machine is found: by itself, and by a board in QEMU.
pub(crate) const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "10.0.2.2"];

const CA: &str = "ca";
const BROKER: &str = "broker";
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEARS: u32 = 10;

/// The folder.
pub(crate) struct Folder(PathBuf);

/// What a certificate is for.
enum Role<'a> {
    Broker(&'a [String]),
    Device,
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        Folder(path.to_owned())
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.certificate(CA)
    }

    /// Certificate and key of the broker.
    pub(crate) fn broker(&self) -> (PathBuf, PathBuf) {
        (self.certificate(BROKER), self.key(BROKER))
    }

    /// What a device is told: the CA, its certificate, its key.
    pub(crate) fn of_device(&self, thing: &str) -> Result<(PathBuf, PathBuf, PathBuf)> {
        let (certificate, key) = (self.certificate(thing), self.key(thing));
        match self.ca().is_file() && certificate.is_file() && key.is_file() {
            true => Ok((self.ca(), certificate, key)),
            false => {
                let folder = self.0.display();
                let what = format!("no certificate of {thing} with its key and CA is in {folder}");
                Err(Error::new(Exit::File, what)
                    .fix(format!("`cargo ota pki {folder} --thing {thing}` makes it")))
            }
        }
    }

    fn certificate(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.pem"))
    }

    fn key(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.key.pem"))
    }

    /// Makes what is not there yet: the CA, the broker for these hosts, these devices. Gives the names of
    /// what was made.
    pub(crate) fn fill(&self, hosts: &[String], things: &[String]) -> Result<Vec<String>> {
        for thing in things {
            if !crate::provider::names::is_thing(thing) || [CA, BROKER].contains(&thing.as_str()) {
                let what = format!("`{thing}` is no name of a thing that can have a certificate");
                return Err(Error::new(Exit::File, what).fix(format!(
                    "1 to 128 letters, digits, `:`, `-`, `_`; `{CA}` and `{BROKER}` are taken"
                )));
            }
        }
        if !hosts.is_empty() && self.certificate(BROKER).exists() {
            let path = self.certificate(BROKER);
            return Err(Error::file("write", &path, "it exists").fix(format!(
                "remove {} and its key to make it for other hosts, or leave --host out",
                path.display()
            )));
        }
        fs::create_dir_all(&self.0).map_err(|error| Error::file("make", &self.0, error))?;
        let mut made = Vec::new();
        let issuer = self.issuer(&mut made)?;
        let usual = HOSTS.map(str::to_owned);
        let hosts = if hosts.is_empty() { &usual[..] } else { hosts };
        self.issue(&issuer, BROKER, Role::Broker(hosts), &mut made)?;
        for thing in things {
            self.issue(&issuer, thing, Role::Device, &mut made)?;
        }
        Ok(made)
    }

    /// The CA that is there, or a new one.
    fn issuer(&self, made: &mut Vec<String>) -> Result<Issuer<'static, KeyPair>> {
        let path = self.key(CA);
        if self.ca().exists() {
            let text = fs::read_to_string(&path).map_err(|error| {
                Error::file("read", &path, error).fix("name the folder of the CA, or a new one")
            })?;
            let key = KeyPair::from_pem(&text).map_err(|why| {
                Error::file("use", &path, why).fix("give a folder that `cargo ota pki` made")
            })?;
            return Ok(Issuer::new(authority(&key), key));
        }
        let key = generate()?;
        let authority = authority(&key);
        let certificate = authority.self_signed(&key).map_err(unmade)?;
        self.write(CA, &certificate.pem(), &key)?;
        made.push(CA.to_owned());
        Ok(Issuer::new(authority, key))
    }

    /// A certificate of that name, where there is none yet.
    fn issue(
        &self,
        issuer: &Issuer<'_, KeyPair>,
        name: &str,
        role: Role<'_>,
        made: &mut Vec<String>,
    ) -> Result<()> {
        if self.certificate(name).exists() {
            return Ok(());
        }
        let key = generate()?;
        let mut params = params(name);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match role {
            Role::Broker(_) => ExtendedKeyUsagePurpose::ServerAuth,
            Role::Device => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        if let Role::Broker(hosts) = role {
            let names = hosts.iter().map(|host| match host.parse::<IpAddr>() {
                Ok(address) => Ok(SanType::IpAddress(address)),
                Err(_) => host.as_str().try_into().map(SanType::DnsName),
            });
            params.subject_alt_names =
                names.collect::<std::result::Result<_, _>>().map_err(unmade)?;
        }
        let certificate = params.signed_by(&key, issuer).map_err(unmade)?;
        self.write(name, &certificate.pem(), &key)?;
        made.push(name.to_owned());
        Ok(())
    }

    /// Neither file may be there.
    fn write(&self, name: &str, certificate: &str, key: &KeyPair) -> Result<()> {
        write_new(&self.key(name), key.serialize_pem().as_bytes(), true)?;
        write_new(&self.certificate(name), certificate.as_bytes(), false)
    }

    /// What mosquitto has to be told.
    pub(crate) fn mosquitto(&self) -> String {
        let full = |path: PathBuf| std::path::absolute(&path).unwrap_or(path).display().to_string();
        let (certificate, key) = self.broker();
        format!(
            "listener 8883\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n\
             use_identity_as_username true\n",
            full(self.ca()),
            full(certificate),
            full(key)
        )
    }
}

fn generate() -> Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(unmade)
}

/// The certificate of a CA with that key, but for its signature: its name is made of the key, so that no two
/// have the same.
fn authority(key: &KeyPair) -> CertificateParams {
    let digest = Sha256::digest(key.public_key_raw());
    let mut params = params(&format!("test CA {}", hex(&digest[..4])));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "coreota test PKI");
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    // Whole days, the last one over: clocks differ.
    let days =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs() / DAY.as_secs());
    let yesterday =
        date_time_ymd(1970, 1, 1) + DAY * u32::try_from(days.saturating_sub(1)).unwrap_or(0);
    params.not_before = yesterday;
    params.not_after = yesterday + DAY * 365 * YEARS;
    params
}

fn unmade(why: rcgen::Error) -> Error {
    Error::new(Exit::File, format!("the certificate cannot be made: {why}"))
        .fix("give host names in ASCII, or addresses")
}
