//! A plugin as a parser: what it says, and how it comes and goes.

mod common;

use common::{facts, good, home, module, outside, parser, plug, refused, slot, works};
use coreota::{
    error::{Blame, Failure},
    field::Coding,
    parser::{Parse, Parser},
    plugin::{Content, Facts, Plug},
};
use coreota_plugins::{Limits, PluginParser};

#[test]
fn what_it_knows_what_it_does_not_and_what_is_wrong() {
    let mut parser = parser(&good());
    works(&mut parser);
    assert_eq!(parser.parse(b"{}", 0), Parse::NotMine(Failure::NoSuchKey));
    assert_eq!(parser.parse(b"", 0), Parse::Malformed(Failure::MissingField));
    works(&mut parser);
    assert!(parser.burned() > 20 && parser.burned() < 200, "{}", parser.burned());
}

#[test]
fn a_document_larger_than_its_buffer_is_refused() {
    let mut parser = parser(&good());
    assert_eq!(refused(&mut parser, &[b'S'; 513]), Failure::TooBig);
    assert!(matches!(parser.parse(&[b'S'; 512], 0), Parse::Descriptor(_)));
}

#[test]
fn every_field_of_a_descriptor_comes_through() {
    let text = "streamurlsha256signatureversionboardprotocol";
    // Tag, x, a, b, c.
    let records = [
        (0x01, 0, 0x12345678, 0, 0),
        (0x02, 0, 9, 0, 0),
        (0x03, 0, 2, 0, 0),
        (0x0a, 0, 1, 0, 0),
        (0x04, 0, 64, 6, 0),
        (0x05, 0x100, 70, 3, 0),
        (0x06, 2, 73, 6, 0),
        (0x07, 0x101, 79, 9, 2),
        (0x08, 0, 88, 7, 0),
        (0x09, 0, 95, 5, 0),
        (0x0b, 0, 100, 8, 0),
        // Of a version to come.
        (0x3fff, 0, 1, 2, 3),
    ];
    let mut body = String::new();
    for (index, (tag, x, a, b, c)) in records.into_iter().enumerate() {
        let numbers = [index * 16, x << 16 | tag, a, b, c];
        let numbers = numbers.map(|number| format!("(i32.const {number})")).concat();
        body += &format!("(call $record {numbers})");
    }
    body += &format!("i32.const {}", records.len());
    let mut parser = parser(&module(&body));
    let Parse::Descriptor(descriptor) = parser.parse(text.as_bytes(), 0) else {
        panic!("{:?}", parser.parse(text.as_bytes(), 0))
    };
    assert_eq!((descriptor.size, descriptor.file, descriptor.files), (0x12345678, 9, 2));
    assert_eq!(descriptor.content, Content::Plugin);
    let (algorithm, signature) = descriptor.signature.unwrap();
    assert_eq!(algorithm, coreota::descriptor::Algorithm::Ed25519);
    for (field, raw, coding, escaped) in [
        (descriptor.stream.unwrap(), "stream", Coding::Plain, false),
        (descriptor.url.unwrap(), "url", Coding::Plain, true),
        (descriptor.sha256.unwrap(), "sha256", Coding::Hex, false),
        (signature, "signature", Coding::Base64, true),
        (descriptor.version.unwrap(), "version", Coding::Plain, false),
        (descriptor.board.unwrap(), "board", Coding::Plain, false),
        (descriptor.protocol.unwrap(), "protocol", Coding::Plain, false),
    ] {
        assert_eq!(std::str::from_utf8(field.raw), Ok(raw));
        assert_eq!((field.coding, field.escaped), (coding, escaped), "{raw}");
    }
}

#[test]
fn it_comes_in_pieces_of_any_size_and_goes() {
    let module = good();
    let before = outside();
    let mut parser = slot();
    assert_eq!(refused(&mut parser, b"Sx"), Failure::NoPlugin);
    for piece in [1, 7, 64, module.len(), 4096] {
        assert_eq!(plug(&mut parser, &module, piece), Ok(()));
        works(&mut parser);
    }
    let usage = parser.usage();
    assert!(usage.used <= usage.peak && usage.peak <= usage.need && usage.need <= usage.size);
    assert_eq!(parser.plug(3, Plug::Stop), Some(Ok(())));
    assert_eq!(refused(&mut parser, b"Sx"), Failure::NoPlugin);
    assert_eq!(outside(), before);
}

#[test]
fn steps_of_other_slots_are_not_its_own() {
    let mut parser = slot();
    for slot in [0, 2, 4, 255] {
        assert_eq!(parser.plug(slot, Plug::Stop), None);
    }
    let mut compiled_in = PluginParser::new(coreota_plugins::Home { slot: None, ..home(None) });
    assert_eq!(compiled_in.plug(0, Plug::Stop), None);
}

#[test]
fn a_new_one_takes_the_place_of_the_one_that_ran() {
    let mut parser = slot();
    plug(&mut parser, &module("i32.const -0x10103"), 100).unwrap();
    assert_eq!(refused(&mut parser, b"Sx"), Failure::BadJson);
    plug(&mut parser, &good(), 100).unwrap();
    works(&mut parser);
}

#[test]
fn one_that_is_compiled_in_is_in_force_until_one_comes() {
    let own = module("i32.const -0x10103").leak();
    let mut parser = PluginParser::new(home(Some(own)));
    assert_eq!(refused(&mut parser, b"Sx"), Failure::BadJson);
    plug(&mut parser, &good(), 100).unwrap();
    works(&mut parser);
    assert_eq!(parser.plug(3, Plug::Stop), Some(Ok(())));
    assert_eq!(refused(&mut parser, b"Sx"), Failure::BadJson);
}

#[test]
fn steps_out_of_order_are_refused() {
    let module = good();
    let mut parser = slot();
    let step = |parser: &mut PluginParser, step| parser.plug(3, step).unwrap();
    assert_eq!(step(&mut parser, Plug::Start), Err(Failure::NoPlugin));
    assert_eq!(step(&mut parser, Plug::Bytes(&module)), Err(Failure::NoPlugin));
    // Fewer bytes than said, and more.
    let facts = facts(module.len());
    step(&mut parser, Plug::Begin(&facts)).unwrap();
    assert_eq!(refused(&mut parser, b"Sx"), Failure::NoPlugin);
    step(&mut parser, Plug::Bytes(&module[1..])).unwrap();
    assert_eq!(step(&mut parser, Plug::Start), Err(Failure::PluginMalformed));
    step(&mut parser, Plug::Begin(&facts)).unwrap();
    step(&mut parser, Plug::Bytes(&module)).unwrap();
    assert_eq!(step(&mut parser, Plug::Bytes(b"x")), Err(Failure::PluginMalformed));
    assert_eq!(step(&mut parser, Plug::Start), Err(Failure::NoPlugin));
    assert_eq!(refused(&mut parser, b"Sx"), Failure::NoPlugin);
}

#[test]
fn facts_that_ask_for_too_much_or_for_something_else_are_refused_before_a_byte_comes() {
    let fits = facts(1000);
    for (facts, why) in [
        (Facts { content: Content::Image, ..fits }, Failure::PluginKind),
        (Facts { kind: 2, ..fits }, Failure::PluginKind),
        (Facts { abi: 2, ..fits }, Failure::PluginAbi),
        (Facts { len: 16 * 1024 + 1, ..fits }, Failure::PluginTooLarge),
        (Facts { memory: 16 * 1024 + 1, ..fits }, Failure::PluginTooLarge),
        (Facts { fuel: 50_001, ..fits }, Failure::PluginTooLarge),
        (Facts { arena: 64 * 1024 + 1, ..fits }, Failure::PluginMemory),
    ] {
        let mut parser = slot();
        assert_eq!(parser.plug(3, Plug::Begin(&facts)), Some(Err(why)));
        assert_eq!(why.blame(), Blame::Plugin);
        assert_eq!(refused(&mut parser, b"Sx"), why);
    }
    assert_eq!(slot().plug(3, Plug::Begin(&fits)), Some(Ok(())));
}

#[test]
fn less_fuel_and_memory_than_the_host_allows_is_what_the_facts_say() {
    let module = module("(loop br 0) i32.const 0");
    let mut parser = slot();
    let facts = Facts { fuel: 300, ..facts(module.len()) };
    for step in [Plug::Begin(&facts), Plug::Bytes(&module), Plug::Start] {
        assert_eq!(parser.plug(3, step), Some(Ok(())));
    }
    assert_eq!(refused(&mut parser, b"Sx"), Failure::PluginFuel);
    assert!(parser.burned() <= 300);
}

#[test]
fn the_default_limits_take_the_usual() {
    let module = good().leak();
    let mut parser =
        PluginParser::new(coreota_plugins::Home { limits: Limits::DEFAULT, ..home(Some(module)) });
    works(&mut parser);
}
