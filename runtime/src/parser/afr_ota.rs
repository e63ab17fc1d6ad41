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
        let mut mine = false;
        match self.document(document, index, &mut mine) {
            Ok(descriptor) => Parse::Descriptor(descriptor),
            Err(why) if mine => Parse::Malformed(why),
            Err(why) => Parse::NotMine(why),
        }
    }
}

impl AfrOta {
    fn document<'a>(
        &self,
        document: &'a [u8],
        index: u8,
        mine: &mut bool,
    ) -> Result<Descriptor<'a>, Failure> {
        let mut json = Json::new(document);
        let mut update = None;
        json.object().map_err(|_| Failure::NoSuchKey)?;
        while let Some(key) = json.key()? {
            if !key.is("afr_ota") {
                json.skip(NESTING)?;
            } else if core::mem::replace(mine, true) {
                return Err(Failure::DuplicateKey);
            } else {
                update = Some(Update::read(&mut json, index)?);
            }
        }
        json.end()?;
        self.descriptor(update.ok_or(Failure::NoSuchKey)?)
    }

    fn descriptor<'a>(&self, update: Update<'a>) -> Result<Descriptor<'a>, Failure> {
        let File { numbers: [size, id, kind], texts } = update.file.ok_or(Failure::NoSuchFile)?;
        let [url, auth, ecdsa, rsa, weak_ecdsa, weak_rsa, sha256, version, board, protocol] = texts;
        let size = u32::try_from(size.ok_or(Failure::MissingField)?);
        let size = size.map_err(|_| Failure::BadNumber)?;
        if size == 0 {
            return Err(Failure::SizeZero);
        }
        let id = u8::try_from(id.ok_or(Failure::MissingField)?).map_err(|_| Failure::BadNumber)?;
        let weak = weak_ecdsa.or(weak_rsa).is_some() && ecdsa.or(rsa).is_none();
        if weak && self.sha1 == Sha1::Refuse {
            return Err(Failure::WeakSignature);
        }
        // A URL that wants an authorisation we do not know is no way to the file.
        let url = url.filter(|_| auth.is_none_or(|auth| auth.is("aws.s3.presigned")));
        if update.stream.is_none() && url.is_none() {
            return Err(Failure::NoTransport);
        }
        let coded = |text: Option<Text<'a>>, coding| {
            text.map(|Text { raw, escaped }| Field { raw, coding, escaped })
        };
        let plain = |text| coded(text, Coding::Plain);
        Ok(Descriptor {
            size,
            file: id,
            files: update.files,
            stream: plain(update.stream),
            url: plain(url),
            sha256: coded(sha256, Coding::Hex),
            signature: coded(ecdsa, Coding::Base64)
                .map(|signature| (Algorithm::EcdsaP256, signature)),
            version: plain(version),
            board: plain(board),
            content: match kind {
                Some(FILE_TYPE_PLUGIN) => Content::Plugin,
                Some(FILE_TYPE_TABLE) => Content::Table,
                _ => Content::Image,
            },
            protocol: plain(protocol),
        })
    }
}

/// The value of `afr_ota`.
#[derive(Default)]
struct Update<'a> {
    stream: Option<Text<'a>>,
    files: u8,
    /// The file asked for.
    file: Option<File<'a>>,
}

impl<'a> Update<'a> {
    fn read(json: &mut Json<'a>, index: u8) -> Result<Self, Failure> {
        let mut update = Update::default();
        let mut keys = Keys::default();
        json.object()?;
        while let Some(key) = json.key()? {
            match keys.known(key, &["streamname", "files"])? {
                Some(0) => update.stream = json.text_or_null()?,
                Some(_) => update.files(json, index)?,
                None => json.skip(NESTING)?,
            }
        }
        Ok(update)
    }

    fn files(&mut self, json: &mut Json<'a>, index: u8) -> Result<(), Failure> {
        if json.value()? != Value::Array {
            return Err(Failure::WrongType);
        }
        while json.element()? {
            if self.files == index {
                self.file = Some(File::read(json)?);
            } else {
                json.skip(NESTING)?;
            }
            self.files = self.files.checked_add(1).ok_or(Failure::TooManyFiles)?;
        }
        Ok(())
    }
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

/// An element of `files`: the values of [`KEYS`] in their order, `null` being none.
#[derive(Default)]
struct File<'a> {
    numbers: [Option<u64>; 3],
    texts: [Option<Text<'a>>; 10],
}

impl<'a> File<'a> {
    fn read(json: &mut Json<'a>) -> Result<Self, Failure> {
        let mut file = File::default();
        let mut keys = Keys::default();
        json.object()?;
        while let Some(key) = json.key()? {
            let Some(known) = keys.known(key, &KEYS)? else {
                json.skip(NESTING)?;
                continue;
            };
            if let Some(number) = file.numbers.get_mut(known) {
                *number = Some(json.number()?);
            } else if let Some(text) = file.texts.get_mut(known - file.numbers.len()) {
                *text = json.text_or_null()?;
            }
        }
        Ok(file)
    }
}
