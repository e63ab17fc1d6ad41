//! What an image says of itself, and which keys its signatures are by.

use std::path::Path;

use coreota::descriptor::Algorithm;
use coreota::error::Failure;
use coreota::image;
use coreota::verify::Hash;
use coreota::verify::algorithms::{Algorithms, EcdsaP256, Ed25519};
use coreota::verify::formats::{Fact, Mcuboot, Trailer};
use serde::Serialize;

use crate::board::Format;
use crate::board::spelt;
use crate::keys::{PublicKey, word};
use crate::out::Out;
use crate::store::hex;

/// The facts of an image, in words.
#[derive(Debug, Serialize)]
pub(super) struct Image {
    format: &'static str,
    size: usize,
    sha256: String,
    version: Option<String>,
    board: Option<String>,
    counter: Option<u32>,
    /// Offset and length.
    payload: Option<(u32, u32)>,
    signatures: Vec<Signature>,
    records: Vec<Record>,
    wrong: Option<&'static str>,
    #[serde(skip)]
    problem: Option<Failure>,
}

#[derive(Debug, Serialize)]
pub(super) struct Signature {
    algorithm: &'static str,
    /// The key as the image names it.
    key: String,
    /// The name of that key, where it is known, and whether the signature holds.
    by: Option<String>,
    pub(super) holds: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Record {
    kind: u16,
    len: u32,
    signed: bool,
}

/// Reads an image and tries the known keys on its signatures.
pub(super) fn look(format: Format, file: &[u8], known: &[PublicKey]) -> Image {
    let mut image = Image {
        format: format.word(),
        size: file.len(),
        sha256: hex(&Hash::of(file)),
        version: None,
        board: None,
        counter: None,
        payload: None,
        signatures: Vec::new(),
        records: Vec::new(),
        wrong: None,
        problem: None,
    };
    let tell = &mut |fact: Fact<'_>| image.note(fact, known);
    let read = match format {
        Format::Mcuboot => image::read::<Mcuboot>(file, tell),
        Format::Trailer => image::read::<Trailer>(file, tell),
    };
    let bad = image.signatures.iter().any(|signature| signature.holds == Some(false));
    image.problem = read.err().or(bad.then_some(Failure::Signature));
    image.wrong = image.problem.map(Failure::text);
    image
}

impl Image {
    /// What no device would accept, by what is known here.
    pub(super) fn wrong(&self) -> Option<Failure> {
        self.problem
    }

    fn note(&mut self, fact: Fact<'_>, known: &[PublicKey]) {
        match fact {
            Fact::Payload { offset, len } => self.payload = Some((offset, len)),
            Fact::Version(version) => self.version = Some(spelt(version)),
            Fact::Counter(counter) => self.counter = Some(counter),
            Fact::Board(name) => self.board = Some(String::from_utf8_lossy(name).into_owned()),
            Fact::Other { kind, len, signed } => self.records.push(Record { kind, len, signed }),
            Fact::Signature { algorithm, key_id, signed, value } => {
                self.signatures.push(Signature::of(algorithm, key_id, signed, value, known));
            }
        }
    }

    pub(super) fn show(&self, path: &Path, out: &Out) {
        let mut lines = vec![format!(
            "{}  {} image, {} bytes, sha256 {}",
            path.display(),
            self.format,
            self.size,
            self.sha256
        )];
        let mut line = |name: &str, value: String| lines.push(format!("  {name:<9}  {value}"));
        if let Some(version) = &self.version {
            line("version", version.clone());
            line("board", self.board.as_ref().map_or("any".into(), |name| format!("{name:?}")));
            line("counter", self.counter.map_or("none".into(), |counter| counter.to_string()));
        }
        if let Some((offset, len)) = self.payload {
            line("payload", format!("{len} bytes at {offset:#x}"));
        }
        for signature in &self.signatures {
            line("signature", signature.told());
        }
        for Record { kind, len, signed } in &self.records {
            let signed = if *signed { "signed" } else { "not signed" };
            line("record", format!("type {kind:#06x}, {len} bytes, {signed}"));
        }
        if let Some(wrong) = self.wrong {
            line("wrong", wrong.into());
        }
        out.event("image", self, lines.join("\n"));
    }
}

impl Signature {
    /// In words.
    pub(super) fn told(&self) -> String {
        let by = match (&self.by, self.holds) {
            (Some(name), Some(true)) => format!("by {name}, holds"),
            (Some(name), _) => format!("by {name}, DOES NOT HOLD"),
            (None, _) => format!("by an unknown key, {}", self.key),
        };
        format!("{} {by}", self.algorithm)
    }

    pub(super) fn of(
        algorithm: Algorithm,
        key_id: &[u8],
        signed: &[u8; 32],
        value: &[u8],
        known: &[PublicKey],
    ) -> Self {
        let named =
            |key: &&PublicKey| key.algorithm == algorithm && key.fingerprint().starts_with(key_id);
        let key = known.iter().find(named);
        type Both = (EcdsaP256, Ed25519);
        let holds = |key: &PublicKey| Both::holds(algorithm, &key.bytes, signed, value);
        Signature {
            algorithm: word(algorithm),
            key: hex(key_id),
            by: key.map(|key| key.name.clone()),
            holds: key.map(holds),
        }
    }
}
