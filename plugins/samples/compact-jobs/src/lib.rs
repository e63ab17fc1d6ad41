//! A parser for compact jobs: CBOR with numbers for keys, for links that are paid by the byte.
//!
//! | key | value |
//! |---|---|
//! | 0 | the text `cj1`; comes first |
//! | 1 | length of the file in bytes |
//! | 2 | name of the stream |
//! | 3 | SHA-256, 32 bytes |
//! | 4 | signature, ECDSA on P-256 in DER |
//! | 5 | version, a text |
//! | 6 | board, a text |
//! | 7 | number of the file in the stream |
//! | 8 | what the file is: 0 firmware, 1 a plugin, 2 a table |
//! | 9 | name of the block protocol |
//!
//! Other keys are passed over.

#![cfg_attr(target_family = "wasm", no_std)]

use coreota_plugin::{Algorithm, Cbor, Content, Descriptor, Error, Failure, Field, Tag, is};

coreota_plugin::parser!(parse, input = 512);

/// Reads the one file that a compact job describes.
///
/// # Errors
/// Not mine unless `0: "cj1"` comes first; else what is wrong with the document.
pub fn parse<'a>(document: &'a [u8], index: u8, file: &mut Descriptor<'a>) -> Result<(), Error> {
    let mut cbor = Cbor::new(document);
    let mut left = cbor.map();
    if cbor.numbered_key(&mut left) != Some(0) || !is(cbor.text(), "cj1") {
        return Err(Error::NotMine(Failure::NoSuchKey));
    }
    while let Some(key) = cbor.numbered_key(&mut left) {
        let tag = match key {
            1 => Tag::Size,
            2 => Tag::Stream,
            3 => Tag::Sha256,
            4 => Tag::Signature,
            5 => Tag::Version,
            6 => Tag::Board,
            7 => Tag::File,
            8 => Tag::Content,
            9 => Tag::Protocol,
            _ => {
                cbor.skip();
                continue;
            }
        };
        let (mut bytes, mut number) = (&[] as &[u8], 0);
        match tag {
            Tag::Sha256 => bytes = cbor.bytes(),
            Tag::Signature => {
                bytes = cbor.bytes();
                number = Algorithm::EcdsaP256.number().into();
            }
            Tag::Content => {
                number = cbor.small();
                if number > Content::Table.number().into() {
                    cbor.fail(Failure::BadNumber);
                }
            }
            tag if tag.is_number() => number = cbor.small(),
            _ => bytes = cbor.text(),
        }
        cbor.check(file.put(tag, Field::plain(bytes), number));
    }
    cbor.end()?;
    if index == 0 { Ok(()) } else { Err(Failure::NoSuchFile.into()) }
}
