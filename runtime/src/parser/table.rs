//! Job documents of one's own shape: a table says where in the JSON each field is.
//!
//! The table comes from a `[[parser]] kind = "table"` of `ota.toml`. Where is a JSON pointer
//! (RFC 6901): `/pkg/bytes`, `/files/0/url`. A document is this parser's own if it has the size and
//! at least one of stream and URL; without them it is not mine, whatever else is wrong with it.
//! `null` is as good as absent.
//!
//! A [`StoredTable`] comes over the air instead, as a small signed file.
//!
//! # Binary form
//! ```text
//! table  0 "COT"   3 format 1   4 fields, one behind the other, to the end; at most 512 bytes in all
//!
//! field  0 number   1 coding   2 algorithm   3 length N of the pointer   4 pointer, UTF-8 (N)
//!
//! number     1 size      2 file       3 stream    4 url        5 sha256
//!            6 signature 7 version    8 board     9 protocol
//! coding     0 the string is the bytes   1 base64   2 hexadecimal; 0 but for sha256 and signature
//! algorithm  1 ECDSA P-256   2 Ed25519; 0 but for signature
//! ```
//! Numbers ascend, so that no field is there twice. Size is required, and stream or URL. A pointer
//! begins with `/`, has at most 8 steps, and no `~` but in `~0` and `~1`.

pub(crate) mod binary;
mod stored;
mod walk;

pub use binary::LEN_MAX;
pub use stored::StoredTable;

use super::{Parse, Parser};
#[cfg(doc)]
use crate::wire::NESTING;
use crate::{descriptor::Algorithm, field::Coding};

/// Where a value is, and how it is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coded<'s> {
    /// JSON pointer to a string.
    pub path: &'s str,
    /// How the string stands for bytes.
    pub coding: Coding,
}

/// Where a signature is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'s> {
    /// JSON pointer to a string.
    pub path: &'s str,
    /// How the string stands for bytes.
    pub coding: Coding,
    /// What kind of signature it is.
    pub algorithm: Algorithm,
}

/// Where each field is, as JSON pointers of at most [`NESTING`] steps.
///
/// ```
/// use coreota::parser::table::TableSpec;
/// static ACME: TableSpec = TableSpec {
///     name: "acme",
///     size: "/pkg/bytes",
///     stream: Some("/pkg/channel"),
///     ..TableSpec::EMPTY
/// };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSpec<'s> {
    /// Name of the parser.
    pub name: &'s str,
    /// Length of the file in bytes, a number; required.
    pub size: &'s str,
    /// The provider's number of the file, 0 to 255; 0 where it is not given.
    pub file: Option<&'s str>,
    /// Name of the MQTT stream; this or `url` is required.
    pub stream: Option<&'s str>,
    /// Where to fetch the file by HTTP.
    pub url: Option<&'s str>,
    /// SHA-256 of the file.
    pub sha256: Option<Coded<'s>>,
    /// Signature over the SHA-256 of the file.
    pub signature: Option<Signed<'s>>,
    /// Version of the image.
    pub version: Option<&'s str>,
    /// Board the image is for.
    pub board: Option<&'s str>,
    /// Name of the block protocol to fetch it by; without it, that of MQTT streams.
    pub protocol: Option<&'s str>,
}

impl TableSpec<'_> {
    /// Points nowhere: what a table starts from.
    pub const EMPTY: TableSpec<'static> = TableSpec {
        name: "table",
        size: "",
        file: None,
        stream: None,
        url: None,
        sha256: None,
        signature: None,
        version: None,
        board: None,
        protocol: None,
    };
}

/// The parser of one table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    spec: &'static TableSpec<'static>,
}

impl Table {
    /// A parser of the documents that `spec` describes.
    pub const fn new(spec: &'static TableSpec<'static>) -> Self {
        Table { spec }
    }
}

impl Parser for Table {
    fn name(&self) -> &'static str {
        self.spec.name
    }

    fn parse<'a>(&'a mut self, document: &'a [u8], index: u8) -> Parse<'a> {
        walk::parse(self.spec, document, index)
    }
}
