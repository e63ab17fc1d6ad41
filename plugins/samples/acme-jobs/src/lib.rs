//! A parser for the JSON jobs of Acme, a made-up company.
//!
//! ```json
//! {"acme": 2, "rollout": "spring", "packages": [{
//!     "what": "firmware", "id": 7, "length": 647324, "channel": "AFR_OTA-7bcd",
//!     "sum": "9f86…", "release": "1.8.0", "hardware": "thermostat-b",
//!     "seal": {"alg": "p256", "value": "MEUCIQ…"}
//! }]}
//! ```
//! `what` is `firmware`, `plugin` or `table`; `sum` is hexadecimal, `seal.value` base64. Length and
//! one of `channel` and `link` have to be there. `null` is as good as absent, and other keys are
//! passed over. `"acme": 2` comes first. `carrier` names the block protocol where it is not that of MQTT streams.

#![cfg_attr(any(target_family = "wasm", target_os = "none"), no_std)]

use coreota_plugin::{
    Algorithm, Coding, Content, Descriptor, Error, Failure, Field, Json, Member, Tag, find, is,
};

coreota_plugin::parser!(parse);

/// Members of a package that are a field of the descriptor as they stand.
const PACKAGE: [Member; 8] = [
    Member::new("length", Tag::Size),
    Member::new("id", Tag::File),
    Member::new("channel", Tag::Stream),
    Member::new("link", Tag::Url),
    Member::coded("sum", Tag::Sha256, Coding::Hex),
    Member::new("release", Tag::Version),
    Member::new("hardware", Tag::Board),
    Member::new("carrier", Tag::Protocol),
];

const CONTENTS: [Content; 3] = [Content::Image, Content::Plugin, Content::Table];
const ALGORITHMS: [Algorithm; 2] = [Algorithm::EcdsaP256, Algorithm::Ed25519];

/// Reads the description of package number `index`.
///
/// # Errors
/// Not mine unless `"acme": 2` comes first; else what is wrong with the document.
pub fn parse<'a>(document: &'a [u8], index: u8, file: &mut Descriptor<'a>) -> Result<(), Error> {
    let mut json = Json::new(document);
    json.object();
    if !json.key().is_some_and(|key| is(key, "acme")) || json.number() != 2 {
        return Err(Error::NotMine(Failure::NoSuchKey));
    }
    let mut files = 0;
    while let Some(key) = json.key() {
        if is(key, "packages") {
            json.array();
            while json.element() {
                match files == u32::from(index) {
                    true => package(&mut json, file),
                    false => json.skip(),
                }
                files += 1;
            }
        } else {
            json.skip();
        }
    }
    json.end()?;
    if u32::from(index) >= files {
        return Err(Failure::NoSuchFile.into());
    }
    file.put_number(Tag::Files, files)?;
    Ok(())
}

#[inline(never)]
fn package<'a>(json: &mut Json<'a>, to: &mut Descriptor<'a>) {
    json.object();
    while let Some(key) = json.key() {
        if json.member(key, &PACKAGE, to) {
        } else if is(key, "what") {
            match find(json.text().raw, &["firmware", "plugin", "table"], &CONTENTS) {
                Some(content) => json.check(to.put_content(content)),
                None => json.fail(Failure::BadText),
            }
        } else if is(key, "seal") {
            seal(json, to);
        } else {
            json.skip();
        }
    }
}

/// A seal of another algorithm is as good as none: the core requires those it wants.
#[inline(never)]
fn seal<'a>(json: &mut Json<'a>, to: &mut Descriptor<'a>) {
    let (mut algorithm, mut value) = (None, None);
    json.object();
    while let Some(key) = json.key() {
        if is(key, "alg") {
            algorithm = find(json.text().raw, &["p256", "ed25519"], &ALGORITHMS);
        } else if is(key, "value") {
            value = Some(Field { coding: Coding::Base64, ..json.text() });
        } else {
            json.skip();
        }
    }
    if let (Some(algorithm), Some(value)) = (algorithm, value) {
        json.check(to.put_signature(algorithm, value));
    }
}
