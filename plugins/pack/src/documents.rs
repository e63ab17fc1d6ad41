//! Test documents: what a parser has to make of a document, in a file beside it.
//!
//! Beside `NAME.json` or `NAME.cbor` stands `NAME.expect.toml`: for each file of the job, in their
//! order, what the parser has to say when asked for it. Keys that are not there are expected to be
//! absent from the descriptor.
//!
//! ```toml
//! [[file]]                       # asked for as number 0
//! size = 647324
//! file = 7                       # 0 if not given
//! files = 2                      # 1 if not given
//! content = "image"              # the default; or "plugin", "table"
//! stream = "AFR_OTA-7bcd"        # as it reads once escapes are undone
//! url = "https://example.com/a"
//! sha256 = "9f86d081…"           # hexadecimal, whatever the document has
//! signature = { algorithm = "ecdsa-p256", value = "3045…" }   # hexadecimal too
//! version = "1.8.0"
//! board = "thermostat-b"
//! protocol = "raw-blocks"
//!
//! [[file]]                       # number 1: somebody else's
//! not-mine = "NoSuchKey"         # name of the failure
//!
//! [[file]]                       # number 2: this parser's, and wrong
//! malformed = "NoSuchFile"
//! ```

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use coreota::descriptor::{Algorithm, Descriptor};
use coreota::error::Failure;
use coreota::field::Field;
use coreota::parser::{Parse, Parser};
use coreota::plugin::Content;
use toml::de::{DeTable, DeValue};

/// A document, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Where it was read.
    pub path: PathBuf,
    /// The document.
    pub bytes: Vec<u8>,
    /// What the parser has to say of file number 0, 1, …
    pub expected: Vec<Expected>,
}

/// What a parser has to say: its verdict in words that can be compared and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected(Vec<(&'static str, String)>);

/// Reads the documents of a folder, in the order of their names.
///
/// # Errors
/// Which file cannot be read, or what is wrong in it.
pub fn read(folder: &Path) -> Result<Vec<Document>, String> {
    let entries = fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut paths: Vec<_> =
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|is| is == "json" || is == "cbor"));
    paths.into_iter().map(document).collect()
}

fn document(path: PathBuf) -> Result<Document, String> {
    let bytes = fs::read(&path).map_err(|why| format!("{}: {why}", path.display()))?;
    let beside = path.with_extension("expect.toml");
    let text = fs::read_to_string(&beside).map_err(|why| format!("{}: {why}", beside.display()))?;
    let expected = expectations(&text).map_err(|why| format!("{}: {why}", beside.display()))?;
    Ok(Document { path, bytes, expected })
}

/// Compares what a parser says of every file of a document with what is expected.
///
/// # Errors
/// Every difference, a line each.
pub fn compare(document: &Document, parser: &mut impl Parser) -> Result<(), String> {
    let mut differences = String::new();
    for (index, expected) in (0..).zip(&document.expected) {
        let said = Expected::from_parse(&parser.parse(&document.bytes, index));
        for (key, value) in &expected.0 {
            let found = said.get(key).unwrap_or("nothing");
            if found != value {
                let name = document.path.display();
                _ = writeln!(differences, "{name}, file {index}: {key} is {found}, not {value}");
            }
        }
        for (key, found) in said.0.iter().filter(|(key, _)| expected.get(key).is_none()) {
            let name = document.path.display();
            _ = writeln!(differences, "{name}, file {index}: {key} is {found}, not nothing");
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

impl Expected {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
    }

    /// What a parser said, in the same words.
    pub fn from_parse(parse: &Parse<'_>) -> Self {
        Expected(match parse {
            Parse::NotMine(why) => vec![("not-mine", format!("{why:?}"))],
            Parse::Malformed(why) => vec![("malformed", format!("{why:?}"))],
            Parse::Descriptor(descriptor) => words(descriptor),
        })
    }
}

fn words(descriptor: &Descriptor<'_>) -> Vec<(&'static str, String)> {
    let mut words = vec![
        ("size", descriptor.size.to_string()),
        ("file", descriptor.file.to_string()),
        ("files", descriptor.files.to_string()),
        ("content", content(descriptor.content).to_owned()),
    ];
    let texts = [
        ("stream", descriptor.stream),
        ("url", descriptor.url),
        ("version", descriptor.version),
        ("board", descriptor.board),
        ("protocol", descriptor.protocol),
    ];
    for (key, field) in texts {
        let decoded =
            field.map(|field| decoded(&field, |bytes| String::from_utf8_lossy(bytes).into_owned()));
        words.extend(decoded.map(|text| (key, text)));
    }
    words.extend(descriptor.sha256.map(|field| ("sha256", decoded(&field, hex))));
    if let Some((algorithm, field)) = descriptor.signature {
        words.push(("algorithm", algorithm_name(algorithm).to_owned()));
        words.push(("signature", decoded(&field, hex)));
    }
    words
}

fn decoded(field: &Field<'_>, write: impl Fn(&[u8]) -> String) -> String {
    // No coding makes a value longer.
    let mut room = vec![0; field.raw.len()];
    match field.decode(&mut room) {
        Ok(bytes) => write(bytes),
        Err(why) => format!("undecodable ({why:?})"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn content(content: Content) -> &'static str {
    match content {
        Content::Image => "image",
        Content::Plugin => "plugin",
        Content::Table => "table",
    }
}

fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EcdsaP256 => "ecdsa-p256",
        Algorithm::Ed25519 => "ed25519",
    }
}

/// Keys of an expectation that are texts as they stand.
const TEXTS: [&str; 7] = ["content", "stream", "url", "sha256", "version", "board", "protocol"];
const NUMBERS: [&str; 3] = ["size", "file", "files"];
const VERDICTS: [&str; 2] = ["not-mine", "malformed"];

fn expectations(text: &str) -> Result<Vec<Expected>, String> {
    let table = DeTable::parse(text).map_err(|why| why.to_string())?.into_inner();
    let mut expected = Vec::new();
    for (key, value) in table {
        let (at, name) = (line(text, key.span().start), key.into_inner());
        match (name.as_ref(), value.into_inner()) {
            ("file", DeValue::Array(files)) => {
                for file in files {
                    let at = line(text, file.span().start);
                    let DeValue::Table(file) = file.into_inner() else {
                        return Err(format!(
                            "line {at}: `file` is not a list of tables; write [[file]]"
                        ));
                    };
                    expected.push(expectation(text, file)?);
                }
            }
            (other, _) => {
                return Err(format!("line {at}: unknown key `{other}`; write [[file]]"));
            }
        }
    }
    match expected.is_empty() {
        true => Err("nothing is expected; write [[file]]".into()),
        false => Ok(expected),
    }
}

fn expectation(text: &str, file: DeTable<'_>) -> Result<Expected, String> {
    let mut words: Vec<(&'static str, String)> = Vec::new();
    let known = |of: &[&'static str], name: &str| of.iter().copied().find(|key| *key == name);
    for (key, value) in file {
        let at = line(text, key.span().start);
        let name = key.into_inner();
        let wrong = |right: &str| format!("line {at}: `{name}` has to be {right}");
        let value = value.into_inner();
        if let Some(key) = known(&TEXTS, &name) {
            let text = value.as_str().ok_or_else(|| wrong("a text"))?;
            words.push((key, text.to_owned()));
        } else if let Some(key) = known(&NUMBERS, &name) {
            let DeValue::Integer(digits) = value else { return Err(wrong("a whole number")) };
            words.push((key, digits.as_str().to_owned()));
        } else if let Some(key) = known(&VERDICTS, &name) {
            let why = value.as_str().ok_or_else(|| wrong("the name of a failure"))?;
            if !Failure::ALL.iter().any(|failure| format!("{failure:?}") == why) {
                return Err(wrong("the name of a failure, like NoSuchKey"));
            }
            words.push((key, why.to_owned()));
        } else if name == "signature" {
            let right = "{ algorithm = \"ecdsa-p256\", value = \"hexadecimal\" }";
            let get = |of: &str| Some(value.as_table()?.get(of)?.get_ref().as_str()?.to_owned());
            for (key, of) in [("algorithm", "algorithm"), ("signature", "value")] {
                words.push((key, get(of).ok_or_else(|| wrong(right))?));
            }
        } else {
            return Err(format!("line {at}: unknown key `{name}`"));
        }
    }
    if !words.iter().any(|(key, _)| VERDICTS.contains(key)) {
        for (key, value) in [("file", "0"), ("files", "1"), ("content", "image")] {
            if !words.iter().any(|(name, _)| *name == key) {
                words.push((key, value.to_owned()));
            }
        }
    }
    Ok(Expected(words))
}

/// The line that a place in a text is on.
fn line(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
