//! The parser that `docs/plugin-abi.md` shows in the text format does in the real host what it says.

use std::alloc::System;

use coreota::error::Failure;
use coreota::field::Field;
use coreota::parser::{Parse, Parser};
use coreota_plugin_pack::check;
use coreota_plugins::{Arena, Home, Limits, PluginAlloc, PluginParser, Stack};

#[global_allocator]
static ALLOCATOR: PluginAlloc<System> = PluginAlloc(System);
static ARENA: Arena<{ 128 * 1024 }> = Arena::new();
static STACK: Stack<{ 64 * 1024 }> = Stack::new();

#[test]
fn the_parser_of_the_page_works() {
    let page = include_str!("../../../docs/plugin-abi.md");
    let (_, rest) = page.split_once("```wat\n").expect("there is one");
    let (text, _) = rest.split_once("```").expect("it ends");
    let module = wat::parse_str(text).unwrap_or_else(|why| panic!("{why}"));
    check(&module).unwrap_or_else(|why| panic!("{why}"));
    let mut parser = PluginParser::new(Home {
        name: "page",
        slot: None,
        module: Some(module.leak()),
        // It is not shrunk: 64 KiB of memory.
        limits: Limits { memory: 64 * 1024, ..Limits::DEFAULT },
        arena: || ARENA.handle(),
        stack: || STACK.handle(),
    });
    match parser.parse(b"\x39\x30\0\0fw-7", 0) {
        Parse::Descriptor(file) => {
            assert_eq!((file.size, file.stream), (12_345, Some(Field::plain(b"fw-7"))));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(parser.parse(b"\x39\x30\0\0", 0), Parse::NotMine(Failure::NoSuchKey));
    assert_eq!(parser.parse(b"\x39\x30\0\0fw", 1), Parse::Malformed(Failure::NoSuchFile));
}
