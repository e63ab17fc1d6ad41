//! Modules of any kind in the host of plugins: as bytes, and made by wasm-smith around the interface, so
//! that what they do is reached. Whatever one does, its arena comes back whole, the heap outside is as
//! before, and a good plugin works in the same arena.
//!
//! A panic of the engine is contained on devices; here it ends the run, since it would be a bug.
#![no_main]

#[path = "../support/mod.rs"]
mod support;

use std::sync::{LazyLock, Once};

use arbitrary::{Arbitrary, Unstructured};
use coreota::parser::{Parse, Parser};
use libfuzzer_sys::fuzz_target;
use support::{ROOM, facts, outside, parser, plug};
use wasm_encoder::{
    CodeSection, Function, MemArg, MemArgTarget, MemorySection, MemoryType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{ExternalKind, FunctionBody, Payload};

/// What a parser exports; wasm-smith writes the bodies. It knows no pages of one byte.
const EXPORTS: &str = r#"(module
    (memory (export "memory") 1 1)
    (func (export "ota_abi") (result i32) unreachable)
    (func (export "ota_io") (result i32) unreachable)
    (func (export "ota_parse") (param i32 i32) (result i32) unreachable))"#;

static SHAPE: LazyLock<Vec<u8>> = LazyLock::new(|| wat::parse_str(EXPORTS).expect("it is text"));

/// A good plugin, for after it.
const GOOD: &[u8] = include_bytes!("../../plugins/samples/acme-jobs/acme-jobs.wasm");
const DOCUMENT: &[u8] = br#"{"acme":2,"packages":[{"length":9,"channel":"fw"}]}"#;

/// Gives two functions bodies that keep the interface: the others are only called then.
struct Keeping {
    abi: Option<u32>,
    io: Option<u32>,
    next: u32,
}

impl Reencode for Keeping {
    type Error = core::convert::Infallible;

    /// Plugins have memories of a few KiB.
    fn parse_memory_section(
        &mut self,
        memories: &mut MemorySection,
        _: wasmparser::MemorySectionReader<'_>,
    ) -> Result<(), Error<Self::Error>> {
        memories.memory(MemoryType {
            minimum: 2048,
            maximum: Some(4096),
            memory64: false,
            shared: false,
            page_size_log2: Some(0),
        });
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), Error<Self::Error>> {
        let index = Some(self.next);
        self.next += 1;
        let mut function = Function::new([]);
        let mut sink = function.instructions();
        if index == self.abi {
            sink.i32_const(0x4f54_0101).end();
        } else if index == self.io {
            // Input at 64, 512 bytes; records at 1024, 16 of them.
            let memarg = |offset| MemArg {
                offset,
                align: 2,
                target: MemArgTarget::Memory(0),
                ordering: None,
            };
            for (offset, value) in [(0, 64), (4, 512), (8, 1024), (12, 16)] {
                sink.i32_const(0).i32_const(value).i32_store(memarg(offset));
            }
            sink.i32_const(0).end();
        } else {
            return utils::parse_function_body(self, code, body);
        }
        code.function(&function);
        Ok(())
    }
}

/// A module around the interface.
fn smith(input: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let config = wasm_smith::Config {
        exports: Some(SHAPE.clone()),
        // What the host does not take is refused at once: the other half of the inputs has it.
        allow_floats: bool::arbitrary(input)?,
        allow_start_export: false,
        max_imports: 0,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        reference_types_enabled: bool::arbitrary(input)?,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        max_memories: 1,
        max_table_elements: 64,
        max_funcs: 40,
        ..wasm_smith::Config::default()
    };
    let module = wasm_smith::Module::new(config, input)?.to_bytes();
    let mut keeping = Keeping { abi: None, io: None, next: 0 };
    for payload in wasmparser::Parser::new(0).parse_all(&module) {
        if let Ok(Payload::ExportSection(exports)) = payload {
            for export in exports.into_iter().flatten() {
                match (export.name, export.kind) {
                    ("ota_abi", ExternalKind::Func) => keeping.abi = Some(export.index),
                    ("ota_io", ExternalKind::Func) => keeping.io = Some(export.index),
                    _ => {}
                }
            }
        }
    }
    let mut kept = wasm_encoder::Module::new();
    keeping
        .parse_core_module(&mut kept, wasmparser::Parser::new(0), &module)
        .expect("wasm-smith's modules are well-formed");
    Ok(kept.finish())
}

fn module(data: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (kind, rest) = data.split_first()?;
    if kind & 1 == 0 {
        return Some((rest.to_vec(), DOCUMENT));
    }
    let mut input = Unstructured::new(rest);
    let module = smith(&mut input).ok()?;
    Some((module, input.take_rest()))
}

/// Loads and asks it, then a good one.
fn live(module: &[u8], document: &[u8]) {
    let mut parser = parser();
    if plug(&mut parser, module, facts(module, ROOM.memory)).is_ok() {
        for index in [0, 1] {
            if let Parse::Descriptor(found) = parser.parse(document, index) {
                assert!(found.size > 0 && found.files > 0);
                assert!(found.stream.is_some() || found.url.is_some());
            }
        }
    }
    plug(&mut parser, GOOD, facts(GOOD, 4096)).expect("a good one loads");
    let Parse::Descriptor(found) = parser.parse(DOCUMENT, 0) else { panic!("a good one works") };
    assert_eq!(found.size, 9);
}

fuzz_target!(|data: &[u8]| {
    // What is made once and kept is there from then on.
    static ONCE: Once = Once::new();
    ONCE.call_once(|| live(&[], &[]));
    let Some((module, document)) = module(data) else { return };
    let before = outside();
    live(&module, document);
    assert_eq!(outside(), before, "the heap outside is as before");
});
