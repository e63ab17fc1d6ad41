//! The samples: their modules are what their sources build, and do in the real host what is expected.

use std::alloc::System;
use std::collections::HashMap;
use std::fs;

use coreota_plugin_abi::Kind;
use coreota_plugin_pack::{
    Tools, build, check,
    documents::{self, compare},
    samples, samples_folder, toolchain,
};
use coreota_plugins::{Arena, Home, Limits, PluginAlloc, PluginParser, Stack};

#[global_allocator]
static ALLOCATOR: PluginAlloc<System> = PluginAlloc(System);
static ARENA: Arena<{ 64 * 1024 }> = Arena::new();
static STACK: Stack<{ 64 * 1024 }> = Stack::new();

/// The parser that a module is, in the host that devices have.
fn hosted(name: &'static str, module: Vec<u8>) -> PluginParser {
    PluginParser::new(Home {
        name,
        slot: None,
        module: Some(module.leak()),
        limits: Limits::DEFAULT,
        arena: || ARENA.handle(),
        stack: || STACK.handle(),
    })
}

/// What differs between what a parser says of its sample's documents and what is expected.
fn differences(sample: &coreota_plugin_pack::Sample, module: Vec<u8>) -> String {
    let folder = sample.folder.join("documents");
    let documents = documents::read(&folder).unwrap_or_else(|why| panic!("{why}"));
    assert!(!documents.is_empty(), "{} is a parser and has no documents", sample.name);
    let mut parser = hosted(sample.name, module);
    documents.iter().filter_map(|document| compare(document, &mut parser).err()).collect()
}

/// One test, for there is one arena.
///
/// Compilers differ in what they make of the same source. So the bytes are compared where the tools
/// are those that `TOOLCHAIN` names; with others, the module that is built here has to be of nearly
/// the same size and to do the same.
#[test]
fn modules_are_what_their_sources_build_and_do_what_is_expected() {
    let tools = Tools::find();
    let built_with =
        fs::read_to_string(samples_folder().join("TOOLCHAIN")).expect("it is committed");
    let built_with: HashMap<_, _> =
        built_with.lines().filter_map(|line| line.split_once(": ")).collect();
    for sample in samples() {
        let name = sample.name;
        let committed = fs::read(&sample.module).unwrap_or_else(|why| panic!("{name}.wasm: {why}"));
        let facts = check(&committed).unwrap_or_else(|why| panic!("{name}: {why}"));
        let built = build(&sample.folder, &tools).unwrap_or_else(|why| panic!("{name}: {why}"));
        let is_parser = facts.kind == Some(Kind::Parser);
        if built_with.get(name) == Some(&toolchain(&sample.folder, &tools).as_str()) {
            assert!(
                built == committed,
                "{name}.wasm is not what its source builds; \
                 cargo run -p coreota-plugin-pack --example samples"
            );
        } else {
            let other = check(&built).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert_eq!((&other.exports, other.kind), (&facts.exports, facts.kind), "{name}");
            assert!(
                other.size.abs_diff(facts.size) * 5 < facts.size,
                "{name}: {} bytes built, {} committed",
                other.size,
                facts.size
            );
            if is_parser {
                assert_eq!(differences(&sample, built), "");
            }
        }
        if is_parser {
            assert_eq!(differences(&sample, committed), "");
        }
        // A protocol that decodes CBOR and tells nine refusals apart takes its room, and so does one
        // that writes seven kinds of reports; what else there is has to be as small as plugins are
        // promised to be.
        let most = match name {
            "mqtt-stream" => 5700,
            "line-jobs" => 3700,
            _ if is_parser => 3 * 1024,
            _ => 2 * 1024,
        };
        assert!(facts.size <= most, "{name}: {} bytes, {most} allowed", facts.size);
        assert!(facts.memory <= 3 * 1024, "{name}: {} bytes of memory", facts.memory);
    }
}
