//! Job documents of AWS IoT OTA updates: `{"afr_ota":{...}}`, as the service's OTA manager writes
//! them for FreeRTOS. Any other document is not mine.
//!
//! The keys read: `streamname`; of the file asked for `filesize`, `fileid`, `update_data_url`,
//! `auth_scheme`, the four signature keys and `fileType`, of which 101 is a plugin, 102 a table and
//! every other number an image. All else is passed over. Four keys that the service
//! does not write are read where a fleet's own tool adds them to a file: `sha256` (hexadecimal),
//! `version`, `board`, `protocol` (of a plugin that fetches the file); they spare a useless download and decide nothing.

use super::{Parse, Parser};
use crate::{
    descriptor::{Algorithm, Descriptor},
    error::Failure,
    field::{Coding, Field},
    plugin::Content,
    wire::{Json, Keys, NESTING, Text, Value},
};

/// `fileType` of a plugin.
pub const FILE_TYPE_PLUGIN: u64 = 101;
/// `fileType` of a table.
pub const FILE_TYPE_TABLE: u64 = 102;

/// What to do where SHA-1 signatures are all a document offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sha1 {
    /// Refuse the job with [`Failure::WeakSignature`].
    #[default]
    Refuse,
    /// Ignore them: the image has to carry a signature of its own.
    Accept,
}

/// The parser; it keeps nothing between documents.
#[derive(Clone, Copy, Debug, Default)]
pub struct AfrOta {
    sha1: Sha1,
}

impl AfrOta {
    /// A parser that does `sha1` about SHA-1.
    pub const fn new(sha1: Sha1) -> Self {
        AfrOta { sha1 }
    }
}

impl Parser for AfrOta {
    fn name(&self) -> &'static str {
        "afr-ota"
    }

    fn parse<'a>(&'a mut self, document: &'a [u8], index: u8) -> Parse<'a> {
        let mut update = Update::default();
        let read = update.find(document, index);
        match read.and_then(|()| self.check(&update)) {
            Ok((size, file)) => Parse::Descriptor(update.descriptor(size, file)),
            Err(why) if update.mine => Parse::Malformed(why),
            Err(why) => Parse::NotMine(why),
        }
    }
}

impl AfrOta {
    /// Size and number of the file asked for, where it can be fetched and its signature is not weak.
    fn check(&self, update: &Update<'_>) -> Result<(u32, u8), Failure> {
        if !update.found {
            return Err(Failure::NoSuchFile);
        }
        let [size, id, _] = update.numbers;
        let [url, auth, ecdsa, rsa, weak_ecdsa, weak_rsa, ..] = &update.texts;
        let size = u32::try_from(size.ok_or(Failure::MissingField)?);
        let size = size.map_err(|_| Failure::BadNumber)?;
        if size == 0 {
            return Err(Failure::SizeZero);
        }
        let id = u8::try_from(id.ok_or(Failure::MissingField)?).map_err(|_| Failure::BadNumber)?;
        let strong = ecdsa.is_some() || rsa.is_some();
        if !strong && (weak_ecdsa.is_some() || weak_rsa.is_some()) && self.sha1 == Sha1::Refuse {
            return Err(Failure::WeakSignature);
        }
        if update.stream.is_none() && (url.is_none() || !is_presigned(auth)) {
            return Err(Failure::NoTransport);
        }
        Ok((size, id))
    }
}

/// A URL that wants an authorisation we do not know is no way to the file.
fn is_presigned(auth: &Option<Field<'_>>) -> bool {
    auth.is_none_or(|Field { raw, escaped, .. }| Text { raw, escaped }.is("aws.s3.presigned"))
}

/// The value of `afr_ota`, as far as it is about the file asked for. Fields are moved whole from here to the
/// descriptor: to take each apart and put it together again took twice the flash.
#[derive(Default)]
struct Update<'a> {
    /// The document has the key.
    mine: bool,
    /// The file asked for is in it.
    found: bool,
    files: u8,
    stream: Option<Text<'a>>,
    /// Values of [`KEYS`] in their order, `null` being none: first the numbers, then the texts.
    numbers: [Option<u64>; 3],
    texts: [Option<Field<'a>>; 10],
}

/// The keys of an element of `files`: numbers first, then texts.
const KEYS: [&str; 13] = [
    "filesize",
    "fileid",
    "fileType",
    "update_data_url",
    "auth_scheme",
    "sig-sha256-ecdsa",
    "sig-sha256-rsa",
    "sig-sha1-ecdsa",
    "sig-sha1-rsa",
    "sha256",
    "version",
    "board",
    "protocol",
];
/// Those of [`KEYS`] that do not stand as they are.
const ECDSA: usize = 5;
const SHA256: usize = 9;

impl<'a> Update<'a> {
    #[inline(never)]
    fn find(&mut self, document: &'a [u8], index: u8) -> Result<(), Failure> {
        let mut json = Json::new(document);
        json.object().map_err(|_| Failure::NoSuchKey)?;
        while let Some(key) = json.key()? {
            if !key.is("afr_ota") {
                json.skip(NESTING)?;
            } else if core::mem::replace(&mut self.mine, true) {
                return Err(Failure::DuplicateKey);
            } else {
                self.read(&mut json, index)?;
            }
        }
        json.end()?;
        if self.mine { Ok(()) } else { Err(Failure::NoSuchKey) }
    }

    fn read(&mut self, json: &mut Json<'a>, index: u8) -> Result<(), Failure> {
        let mut keys = Keys::default();
        json.object()?;
        while let Some(key) = json.key()? {
            match keys.known(key, &["streamname", "files"])? {
                Some(0) => self.stream = json.text_or_null()?,
                Some(_) => self.files(json, index)?,
                None => json.skip(NESTING)?,
            }
        }
        Ok(())
    }

    fn files(&mut self, json: &mut Json<'a>, index: u8) -> Result<(), Failure> {
        if !matches!(json.value()?, Value::Array) {
            return Err(Failure::WrongType);
        }
        while json.element()? {
            if self.files == index {
                self.found = true;
                self.file(json)?;
            } else {
                json.skip(NESTING)?;
            }
            self.files = self.files.checked_add(1).ok_or(Failure::TooManyFiles)?;
        }
        Ok(())
    }

    fn file(&mut self, json: &mut Json<'a>) -> Result<(), Failure> {
        let mut keys = Keys::default();
        json.object()?;
        while let Some(key) = json.key()? {
            let Some(known) = keys.known(key, &KEYS)? else {
                json.skip(NESTING)?;
                continue;
            };
            if let Some(number) = self.numbers.get_mut(known) {
                *number = Some(json.number()?);
            } else if let Some(text) = self.texts.get_mut(known - self.numbers.len()) {
                let coding = match known {
                    ECDSA => Coding::Base64,
                    SHA256 => Coding::Hex,
                    _ => Coding::Plain,
                };
                let found = json.text_or_null()?;
                *text = found.map(|Text { raw, escaped }| Field { raw, coding, escaped });
            }
        }
        Ok(())
    }

    fn descriptor(&self, size: u32, file: u8) -> Descriptor<'a> {
        let [url, auth, ecdsa, _, _, _, sha256, version, board, protocol] = self.texts;
        Descriptor {
            size,
            file,
            files: self.files,
            stream: self.stream.map(Field::from),
            url: if is_presigned(&auth) { url } else { None },
            sha256,
            signature: ecdsa.map(|signature| (Algorithm::EcdsaP256, signature)),
            version,
            board,
            content: match self.numbers {
                [.., Some(FILE_TYPE_PLUGIN)] => Content::Plugin,
                [.., Some(FILE_TYPE_TABLE)] => Content::Table,
                _ => Content::Image,
            },
            protocol,
        }
    }
}
