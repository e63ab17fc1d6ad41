//! Job documents of AWS IoT OTA updates: `{"afr_ota":{...}}`, as the service's OTA manager writes
//! them for FreeRTOS. Any other document is not mine.
//!
//! The keys read: `streamname`; of the file asked for `filesize`, `fileid`, `update_data_url`,
//! `auth_scheme` and the four signature keys. All else is passed over. Three keys that the service
//! does not write are read where a fleet's own tool adds them to a file: `sha256` (hexadecimal),
//! `version`, `board`; they spare a useless download and decide nothing.

use super::{Parse, Parser};
use crate::{
    descriptor::{Algorithm, Descriptor},
    error::Failure,
    field::{Coding, Field},
    wire::{Json, Keys, NESTING, Text, Value},
};

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
        let file = update.file.ok_or(Failure::NoSuchFile)?;
        let size = u32::try_from(file.size.ok_or(Failure::MissingField)?)
            .map_err(|_| Failure::BadNumber)?;
        if size == 0 {
            return Err(Failure::SizeZero);
        }
        let id =
            u8::try_from(file.id.ok_or(Failure::MissingField)?).map_err(|_| Failure::BadNumber)?;
        if file.weak && !file.strong && self.sha1 == Sha1::Refuse {
            return Err(Failure::WeakSignature);
        }
        // A URL that wants an authorisation we do not know is no way to the file.
        let url = file.url.filter(|_| file.auth.is_none_or(|auth| auth.is("aws.s3.presigned")));
        if update.stream.is_none() && url.is_none() {
            return Err(Failure::NoTransport);
        }
        let coded =
            |text: Option<Text<'a>>, coding| text.map(|text| Field { coding, ..text.into() });
        Ok(Descriptor {
            size,
            file: id,
            files: update.files,
            stream: update.stream.map(Field::from),
            url: url.map(Field::from),
            sha256: coded(file.sha256, Coding::Hex),
            signature: coded(file.ecdsa, Coding::Base64)
                .map(|signature| (Algorithm::EcdsaP256, signature)),
            version: file.version.map(Field::from),
            board: file.board.map(Field::from),
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
            match key.name(&mut [0; 24]) {
                b"streamname" => {
                    keys.once(0)?;
                    update.stream = json.text_or_null()?;
                }
                b"files" => {
                    keys.once(1)?;
                    update.files(json, index)?;
                }
                _ => json.skip(NESTING)?,
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

/// An element of `files`.
#[derive(Default)]
struct File<'a> {
    size: Option<u64>,
    id: Option<u64>,
    url: Option<Text<'a>>,
    auth: Option<Text<'a>>,
    ecdsa: Option<Text<'a>>,
    /// A signature over SHA-256 is offered, of either kind.
    strong: bool,
    /// A signature over SHA-1 is offered.
    weak: bool,
    sha256: Option<Text<'a>>,
    version: Option<Text<'a>>,
    board: Option<Text<'a>>,
}

impl<'a> File<'a> {
    fn read(json: &mut Json<'a>) -> Result<Self, Failure> {
        let mut file = File::default();
        let mut keys = Keys::default();
        json.object()?;
        while let Some(key) = json.key()? {
            let mut room = [0; 24];
            let number = match key.name(&mut room) {
                b"filesize" => 0,
                b"fileid" => 1,
                b"update_data_url" => 2,
                b"auth_scheme" => 3,
                b"sig-sha256-ecdsa" => 4,
                b"sig-sha256-rsa" => 5,
                b"sig-sha1-ecdsa" => 6,
                b"sig-sha1-rsa" => 7,
                b"sha256" => 8,
                b"version" => 9,
                b"board" => 10,
                _ => {
                    json.skip(NESTING)?;
                    continue;
                }
            };
            keys.once(number)?;
            match number {
                0 => file.size = Some(json.number()?),
                1 => file.id = Some(json.number()?),
                2 => file.url = json.text_or_null()?,
                3 => file.auth = json.text_or_null()?,
                4 => {
                    file.ecdsa = json.text_or_null()?;
                    file.strong |= file.ecdsa.is_some();
                }
                5 => file.strong |= json.text_or_null()?.is_some(),
                6 | 7 => file.weak |= json.text_or_null()?.is_some(),
                8 => file.sha256 = json.text_or_null()?,
                9 => file.version = json.text_or_null()?,
                _ => file.board = json.text_or_null()?,
            }
        }
        Ok(file)
    }
}
