//! Certificates made, and judged, by OpenSSL.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

/// What most certificates of a CA, and of a server, say.
pub(crate) const CA: &[&str] =
    &["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
pub(crate) const SERVER: &[&str] = &[
    "basicConstraints=CA:FALSE",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=serverAuth",
    "subjectAltName=DNS:broker.example,IP:10.0.2.2",
];

/// Certificates and keys in a folder, by name; gone with it.
pub(crate) struct Pki {
    pub(crate) folder: PathBuf,
}

impl Drop for Pki {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Pki {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("coreota-pki-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a writable temp folder");
        Pki { folder }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// A key on P-256, unless one of that name is there.
    pub(crate) fn key(&self, name: &str) {
        self.key_of(name, &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    }

    pub(crate) fn key_of(&self, name: &str, algorithm: &[&str]) {
        let file = format!("{name}.key");
        if !self.path(&file).exists() {
            self.openssl(&[&["genpkey", "-out", &file], algorithm].concat());
        }
    }

    /// A certificate for that name, signed by the key of an issuer or by its own, with such extensions.
    pub(crate) fn issue(&self, name: &str, issuer: &str, extensions: &[&str]) -> Vec<u8> {
        self.issue_with(name, name, issuer, extensions, &["-sha256"])
    }

    /// The same, in a file of another name than the subject's, and with other options.
    pub(crate) fn issue_with(
        &self,
        file: &str,
        subject: &str,
        issuer: &str,
        extensions: &[&str],
        more: &[&str],
    ) -> Vec<u8> {
        static SERIAL: AtomicU32 = AtomicU32::new(1000);
        self.key(subject);
        let [key, request, pem, ending] =
            [&format!("{subject}.key"), "csr", &format!("{file}.pem"), "ext"].map(str::to_owned);
        let subject = format!("/O=coreota/CN={subject}");
        self.openssl(&["req", "-new", "-key", &key, "-subj", &subject, "-out", &request]);
        std::fs::write(self.path(&ending), extensions.join("\n")).expect("writable");
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed).to_string();
        let common =
            ["x509", "-req", "-in", &request, "-out", &pem, "-set_serial", &serial, "-days", "365"];
        let extensions = ["-extfile", &ending];
        let extensions = if extensions_are_none(self, &ending) { &[][..] } else { &extensions };
        let [by, by_key] = [format!("{issuer}.pem"), format!("{issuer}.key")];
        let signer = match issuer == file {
            true => vec!["-signkey", &by_key],
            false => vec!["-CA", &by, "-CAkey", &by_key],
        };
        self.openssl(&[&common, extensions, &signer, more].concat());
        self.der(file)
    }

    /// The certificate in a file, as DER.
    pub(crate) fn der(&self, file: &str) -> Vec<u8> {
        self.openssl(&["x509", "-in", &format!("{file}.pem"), "-outform", "DER"]).stdout
    }

    /// Whether OpenSSL takes a chain for that host: the root, what is between, the server's.
    #[allow(dead_code, reason = "not every test that has this module needs it")]
    pub(crate) fn judges(&self, root: &str, between: &[&str], server: &str, host: &str) -> bool {
        let text = |file: &&str| std::fs::read_to_string(self.path(&format!("{file}.pem")));
        // It wants one at least.
        let between = between.iter().chain([&server]);
        let between: String = between.map(|file| text(file).expect("issued")).collect();
        let [root, server] = [root, server].map(|file| format!("{file}.pem"));
        std::fs::write(self.path("between"), between).expect("writable");
        let kind = if host.parse::<std::net::Ipv4Addr>().is_ok() { "ip" } else { "hostname" };
        let host = [format!("-verify_{kind}"), host.to_owned()];
        let out = self
            .command(&["verify", "-purpose", "sslserver", "-CAfile", &root])
            .args(host)
            .args(["-untrusted", "between", &server])
            .output();
        out.expect("openssl starts").status.success()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("openssl");
        command.args(args).current_dir(&self.folder);
        command
    }

    pub(crate) fn openssl(&self, args: &[&str]) -> Output {
        let out = self.command(args).output().unwrap_or_else(|error| {
            panic!("this test needs openssl ({error}); install it: apt-get install openssl")
        });
        assert!(out.status.success(), "{args:?}: {out:?}");
        out
    }
}

fn extensions_are_none(pki: &Pki, file: &str) -> bool {
    std::fs::metadata(Path::new(&pki.path(file))).is_ok_and(|about| about.len() == 0)
}
