//! A parser that lies: what a device does about it is tested with this one.
//!
//! ```json
//! {"liar": "sum", "size": 120000, "stream": "fw-7", "sum": "9f86…", "version": "2.0.0", "board": "b"}
//! ```
//! `liar` comes first and names the lie; `nothing` is the truth: the members as they stand. What it lies
//! about stands in `LIES`.

#![cfg_attr(any(target_family = "wasm", target_os = "none"), no_std)]

use coreota_plugin::{Coding, Descriptor, Error, Failure, Field, Json, Member, Tag, is};

coreota_plugin::parser!(parse);

/// The members of a document.
const TRUTH: [Member; 5] = [
    Member::new("size", Tag::Size),
    Member::new("stream", Tag::Stream),
    Member::coded("sum", Tag::Sha256, Coding::Hex),
    Member::new("version", Tag::Version),
    Member::new("board", Tag::Board),
];

/// Something that is not so.
struct Lie {
    name: &'static str,
    /// The member that is passed over for it.
    instead: &'static str,
    tag: Tag,
    number: u32,
    text: Field<'static>,
}

const fn lie(name: &'static str, instead: &'static str, tag: Tag, number: u32) -> Lie {
    Lie { name, instead, tag, number, text: Field::plain(&[]) }
}

const fn text(name: &'static str, instead: &'static str, tag: Tag, text: &'static str) -> Lie {
    Lie { name, instead, tag, number: 0, text: Field::plain(text.as_bytes()) }
}

const LIES: [Lie; 11] = [
    lie("shorter", "size", Tag::Size, 4096),
    lie("endless", "size", Tag::Size, u32::MAX),
    text("digest", "sum", Tag::Sha256, "no digest, but of the same size."),
    text("version", "version", Tag::Version, "200.0.0"),
    text("board", "board", Tag::Board, "sim-plugins"),
    text("stream", "stream", Tag::Stream, "someone-elses"),
    text("url", "stream", Tag::Url, "https://someone.example/elses.img"),
    lie("content", "", Tag::Content, 1),
    lie("files", "", Tag::Files, 255),
    text("protocol", "", Tag::Protocol, "no-such"),
    // An integer of one byte, twice: well-formed, and nobody's.
    Lie {
        name: "signature",
        instead: "",
        tag: Tag::Signature,
        number: 1,
        text: Field::plain(&[0x30, 6, 2, 1, 1, 2, 1, 1]),
    },
];

/// Reads a document, all but what it lies about.
///
/// # Errors
/// Not mine unless `"liar"` comes first; else what is wrong with the document.
pub fn parse<'a>(document: &'a [u8], index: u8, file: &mut Descriptor<'a>) -> Result<(), Error> {
    let mut json = Json::new(document);
    json.object();
    if !json.key().is_some_and(|key| is(key, "liar")) {
        return Err(Error::NotMine(Failure::NoSuchKey));
    }
    let name = json.text().raw;
    let lie = LIES.iter().find(|lie| is(name, lie.name));
    while let Some(key) = json.key() {
        if lie.is_some_and(|lie| is(key, lie.instead)) || !json.member(key, &TRUTH, file) {
            json.skip();
        }
    }
    json.end()?;
    match lie {
        Some(lie) => file.put(lie.tag, lie.text, lie.number)?,
        None if is(name, "nothing") => {}
        None => return Err(Failure::BadText.into()),
    }
    match index {
        0 => Ok(()),
        _ => Err(Failure::NoSuchFile.into()),
    }
}
