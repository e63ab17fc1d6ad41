//! Reads the job documents of `my-plugin`:
//!
//! ```json
//! {"my-plugin": 1, "file": {"bytes": 120000, "channel": "fw-7", "sum": "9f86…", "version": "2.0.0"}}
//! ```
//! `sum` is the SHA-256 of the file in hexadecimal. Keys that are not known are passed over.

#![cfg_attr(target_family = "wasm", no_std)]

use coreota_plugin::{Coding, Descriptor, Error, Failure, Json, Member, Tag, is};

coreota_plugin::parser!(parse);

/// Which member of `file` says what.
const FILE: [Member; 4] = [
    Member::new("bytes", Tag::Size),
    Member::new("channel", Tag::Stream),
    Member::coded("sum", Tag::Sha256, Coding::Hex),
    Member::new("version", Tag::Version),
];

/// Reads the description of file number `index`, of which a job has one.
///
/// # Errors
/// Not mine unless `"my-plugin": 1` comes first; else what is wrong with the document.
pub fn parse<'a>(document: &'a [u8], index: u8, file: &mut Descriptor<'a>) -> Result<(), Error> {
    let mut json = Json::new(document);
    json.object();
    if !json.key().is_some_and(|key| is(key, "my-plugin")) || json.number() != 1 {
        return Err(Error::NotMine(Failure::NoSuchKey));
    }
    while let Some(key) = json.key() {
        if is(key, "file") {
            json.object();
            while let Some(key) = json.key() {
                if !json.member(key, &FILE, file) {
                    json.skip();
                }
            }
        } else {
            json.skip();
        }
    }
    json.end()?;
    match index {
        0 => Ok(()),
        _ => Err(Failure::NoSuchFile.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_its_own_and_one_of_another() {
        let mut file = Descriptor::new();
        parse(br#"{"my-plugin": 1, "file": {"bytes": 9, "channel": "fw"}}"#, 0, &mut file).unwrap();
        assert_eq!(file.number(Tag::Size), Some(9));
        let other = parse(br#"{"afr_ota": {}}"#, 0, &mut Descriptor::new());
        assert_eq!(other, Err(Error::NotMine(Failure::NoSuchKey)));
    }
}
