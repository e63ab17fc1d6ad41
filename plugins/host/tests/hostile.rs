//! Modules that mean harm: each ends with its number, the firmware's heap is as before, and a good
//! plugin works right after, in the very same arena.

mod common;

use common::{arena, facts, good, module, outside, parser, plug, refused, slot, wat, with, works};
use coreota::{
    error::Failure,
    parser::Parser,
    plugin::{Facts, Plug},
};

/// Input of 16 bytes at 16, a record at 32.
const IO: &str = r#"(data (i32.const 0) "\10\00\00\00\10\00\00\00\20\00\00\00\01\00\00\00")"#;

/// How a module is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// When it is loaded.
    Loading(Failure),
    /// When it is given a document; it stays loaded and begins anew.
    Running(Failure),
}

/// Loads and runs `module` in both ways, and a good one after it.
#[track_caller]
fn found(name: &str, module: &[u8], expected: Found) {
    let before = outside();
    let mut parser = slot();
    let plugged = plug(&mut parser, module, 256);
    let (loading, why) = match expected {
        Found::Loading(why) => (Err(why), why),
        Found::Running(why) => (Ok(()), why),
    };
    assert_eq!(plugged, loading, "{name}");
    for _ in 0..3 {
        assert_eq!(refused(&mut parser, b"Sx"), why, "{name}");
    }
    assert_eq!(plug(&mut parser, &good(), 64), Ok(()), "{name}");
    works(&mut parser);
    drop(parser);
    assert_eq!(outside(), before, "{name}: the heap is not as before");
}

use Failure::{
    PluginAnswer, PluginBounds, PluginExport, PluginFuel, PluginMalformed, PluginMemory,
    PluginStack, PluginStart, PluginTooLarge, PluginTrap,
};
use Found::{Loading, Running};

#[test]
fn time() {
    found("a loop", &module("(loop br 0) i32.const 0"), Running(PluginFuel));
    let body = "(loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 2048)) br 0) i32.const 0";
    found("endless filling", &module(body), Running(PluginFuel));
    for function in ["ota_abi", "ota_io"] {
        let text = format!(
            r#"(module (memory (export "memory") 64 (pagesize 1))
                (func (export "ota_abi") (result i32) {} i32.const 0x4f540101)
                (func (export "ota_io") (result i32) {} i32.const 0)
                (func (export "ota_parse") (param i32 i32) (result i32) i32.const 0))"#,
            if function == "ota_abi" { "(loop br 0)" } else { "" },
            if function == "ota_io" { "(loop br 0)" } else { "" },
        );
        found(function, &wat(&text), Loading(PluginFuel));
    }
    let start = with("(func $start (loop br 0)) (start $start)", "i32.const 0");
    found("a start function", &start, Loading(PluginStart));
}

#[test]
fn memory() {
    let body = "(loop (drop (memory.grow (i32.const 16))) br 0) i32.const 0";
    found("growing for ever", &module(body), Running(PluginFuel));
    let declared = |memory: &str| {
        wat(&format!(
            r#"(module (memory (export "memory") {memory}) {IO}
                (func (export "ota_abi") (result i32) i32.const 0x4f540101)
                (func (export "ota_io") (result i32) i32.const 0)
                (func (export "ota_parse") (param i32 i32) (result i32)
                    (loop (drop (memory.grow (i32.const 64))) br 0) i32.const 0))"#
        ))
    };
    for memory in ["1", "65536", "16385 (pagesize 1)", "4294967295 (pagesize 1)"] {
        found(memory, &declared(memory), Loading(PluginTooLarge));
    }
    found("no upper bound", &declared("64 (pagesize 1)"), Running(PluginFuel));
    let table = with("(table 1000000 funcref)", "i32.const 0");
    found("a huge table", &table, Loading(PluginTooLarge));
    let table = with(
        "(table $t 1 funcref)",
        "(loop (drop (table.grow $t (ref.null func) (i32.const 10))) br 0) i32.const 0",
    );
    found("a growing table", &table, Running(PluginFuel));
}

#[test]
fn stack() {
    let calls = with("(func $f (result i32) call $f)", "call $f");
    found("recursion", &calls, Running(PluginStack));
    let locals = format!("(local {})", "i64 ".repeat(200));
    let calls = with(&format!("(func $f (result i32) {locals} call $f)"), "call $f");
    found("recursion with many locals", &calls, Running(PluginStack));
    let locals = format!("(local {})", "i64 ".repeat(2000));
    found(
        "more locals than values",
        &module(&format!("{locals} i32.const 0")),
        Running(PluginStack),
    );
}

#[test]
fn traps() {
    for (name, body) in [
        ("unreachable", "unreachable"),
        ("division by zero", "(i32.div_s (i32.const 1) (i32.const 0))"),
        ("division that overflows", "(i32.div_s (i32.const 0x80000000) (i32.const -1))"),
        ("reading outside", "(i32.load (i32.const 2045))"),
        ("reading far outside", "(i32.load offset=4294967295 (i32.const -1))"),
        ("writing outside", "(i32.store (i32.const -4) (i32.const 0)) i32.const 0"),
        (
            "copying outside",
            "(memory.copy (i32.const 0) (i32.const 2000) (i32.const 99)) i32.const 0",
        ),
    ] {
        found(name, &module(body), Running(PluginTrap));
    }
    let nobody = with("(table 2 funcref)", "(call_indirect (result i32) (i32.const 0))");
    found("a call of nobody", &nobody, Running(PluginTrap));
    let beyond = with("(table 2 funcref)", "(call_indirect (result i32) (i32.const 2))");
    found("a call beyond the table", &beyond, Running(PluginTrap));
    let other = with(
        "(table 1 funcref) (elem (i32.const 0) $f) (func $f)",
        "(call_indirect (result i32) (i32.const 0))",
    );
    found("a call of another type", &other, Running(PluginTrap));
    let data =
        wat(r#"(module (memory (export "memory") 8 (pagesize 1)) (data (i32.const 6) "abc"))"#);
    found("data outside the memory", &data, Loading(PluginTrap));
}

#[test]
fn answers() {
    let record = |at: u32, numbers: [u32; 4]| {
        let numbers = numbers.map(|number| format!("(i32.const {number})")).concat();
        format!("(call $record (i32.const {at}) {numbers})")
    };
    let size = record(0, [1, 100, 0, 0]);
    let second = |numbers| format!("{size} {} i32.const 2", record(16, numbers));
    for (name, body, why) in [
        ("more records than room", format!("{size} i32.const 17"), PluginAnswer),
        ("records without end", format!("{size} i32.const 0x7fffffff"), PluginAnswer),
        ("no record", "i32.const 0".to_owned(), PluginAnswer),
        ("a refusal without number", "i32.const -1".to_owned(), PluginAnswer),
        ("a refusal of no verdict", "i32.const -0x30101".to_owned(), PluginAnswer),
        ("the least number", "i32.const 0x80000000".to_owned(), PluginAnswer),
        ("a refusal by a failure of flash", "i32.const -0x10401".to_owned(), PluginAnswer),
        ("size 0", format!("{} i32.const 1", record(0, [1, 0, 0, 0])), PluginAnswer),
        ("a size of 64 bits", format!("{} i32.const 1", record(0, [1, 1, 1, 0])), PluginAnswer),
        ("two sizes", second([1, 5, 0, 0]), PluginAnswer),
        ("file 256", second([2, 256, 0, 0]), PluginAnswer),
        ("no files", second([3, 0, 0, 0]), PluginAnswer),
        ("content 3", second([10, 3, 0, 0]), PluginAnswer),
        ("coding 3", second([0x3_0004, 64, 4, 0]), PluginAnswer),
        ("flags of the future", second([0x200_0004, 64, 4, 0]), PluginAnswer),
        ("algorithm 3", second([7, 64, 4, 3]), PluginAnswer),
        ("a span behind the memory", second([4, 2048, 1, 0]), PluginBounds),
        ("a span over the end", second([4, 2000, 49, 0]), PluginBounds),
        ("a huge length", second([4, 64, u32::MAX, 0]), PluginBounds),
        ("a span that wraps", second([4, u32::MAX, u32::MAX, 0]), PluginBounds),
    ] {
        found(name, &module(&body), Running(why));
    }
    for (name, io) in [
        ("an input buffer outside", r"\00\08\00\00\01\00\00\00\00\04\00\00\01\00\00\00"),
        ("a huge input buffer", r"\40\00\00\00\ff\ff\ff\ff\00\04\00\00\01\00\00\00"),
        ("records outside", r"\40\00\00\00\00\02\00\00\fc\07\00\00\01\00\00\00"),
        ("records without end", r"\40\00\00\00\00\02\00\00\00\04\00\00\ff\ff\ff\ff"),
        ("records that are not aligned", r"\40\00\00\00\00\02\00\00\02\04\00\00\01\00\00\00"),
    ] {
        let io = format!(r#"(data (i32.const 0) "{io}")"#);
        // The memory is field 0 there, and the last data written counts.
        let text = format!(
            r#"(module (memory (export "memory") 2048 (pagesize 1)) {io}
                (func (export "ota_abi") (result i32) i32.const 0x4f540101)
                (func (export "ota_io") (result i32) i32.const 0)
                (func (export "ota_parse") (param i32 i32) (result i32) i32.const 0))"#
        );
        found(name, &wat(&text), Loading(PluginBounds));
    }
}

#[test]
fn sheer_size() {
    let many = |field: &str, count: usize| with(&field.repeat(count), "i32.const 0");
    found("thousands of functions", &many("(func)", 3000), Loading(PluginTooLarge));
    found(
        "thousands of globals",
        &many("(global i32 (i32.const 0))", 1000),
        Loading(PluginTooLarge),
    );
    found("thousands of segments", &many(r#"(data "")"#, 1000), Loading(PluginTooLarge));
    let params = format!("(func (param {}))", "i32 ".repeat(1000));
    found("a thousand parameters", &many(&params, 1), Loading(PluginTooLarge));
    let locals: String = (0..100).map(|at| if at % 2 == 0 { "i32 " } else { "i64 " }).collect();
    let locals = many(&format!("(func (local {locals}))"), 1);
    found("a hundred kinds of locals", &locals, Loading(PluginTooLarge));
    found(
        "a large module",
        &many(&format!(r#"(data "{}")"#, "x".repeat(17_000)), 1),
        Loading(PluginTooLarge),
    );
}

/// Modules whose translation takes far more memory than they are long. In a small arena each ends
/// the plugin; what lay in the arena is forgotten, and what the firmware had is as before.
#[test]
fn bombs() {
    arena(16 * 1024);
    let nested = format!("{} {}", "(block ".repeat(1500), ")".repeat(1500));
    let nested = module(&format!("{nested} i32.const 0"));
    found("nested blocks", &nested, Loading(PluginMemory));
    let table = format!("(block (br_table {} (local.get $len))) i32.const 0", "0 ".repeat(6000));
    found("a huge br_table", &module(&table), Loading(PluginMemory));
    let operands =
        format!("{} {} i32.const 0", "local.get $len ".repeat(3000), "drop ".repeat(3000));
    found("a tower of operands", &module(&operands), Loading(PluginMemory));
    let grows = "(loop (drop (memory.grow (i32.const 2000))) br 0) i32.const 0";
    let grows = wat(&format!(
        r#"(module (memory (export "memory") 64 (pagesize 1)) {IO}
            (func (export "ota_abi") (result i32) i32.const 0x4f540101)
            (func (export "ota_io") (result i32) i32.const 0)
            (func (export "ota_parse") (param i32 i32) (result i32) {grows}))"#
    ));
    arena(6 * 1024);
    let before = outside();
    let mut parser = slot();
    let facts = Facts { arena: 0, memory: 16 * 1024, ..facts(grows.len()) };
    for step in [Plug::Begin(&facts), Plug::Bytes(&grows), Plug::Start] {
        assert_eq!(parser.plug(3, step), Some(Ok(())));
    }
    assert_eq!(refused(&mut parser, b"Sx"), PluginMemory);
    // It is gone, and says why until another comes.
    assert_eq!(refused(&mut parser, b"Sx"), PluginMemory);
    assert_eq!(parser.usage().size, 0);
    arena(16 * 1024);
    plug(&mut parser, &good(), 64).unwrap();
    works(&mut parser);
    drop(parser);
    assert_eq!(outside(), before);
}

#[test]
fn what_is_no_module_at_all() {
    for (name, bytes) in [
        ("nothing", &b""[..]),
        ("text", b"<html>404 not found</html>"),
        ("a magic alone", b"\0asm"),
        ("another version", b"\0asm\x02\0\0\0"),
        ("a component", b"\0asm\x0d\0\x01\0"),
        ("an unknown section", b"\0asm\x01\0\0\0\x63\0"),
        ("a length without end", b"\0asm\x01\0\0\0\x01\xff\xff\xff\xff\xff"),
        ("a section over the end", b"\0asm\x01\0\0\0\x01\x05\x01"),
        ("code that divides by none", b"\0asm\x01\0\0\0\x0a\x01\0"),
    ] {
        let why = if name == "code that divides by none" { PluginExport } else { PluginMalformed };
        found(name, bytes, Loading(why));
    }
}

/// Whatever becomes of it: nothing leaks, and a good plugin works.
fn survives(module: &[u8]) -> Result<(), Failure> {
    let before = outside();
    let mut parser = slot();
    let plugged = plug(&mut parser, module, 1024);
    for document in [&b"Sfirmware"[..], b"", b"{}"] {
        parser.parse(document, 0);
    }
    drop(parser);
    assert_eq!(outside(), before);
    plugged
}

#[test]
fn every_truncation() {
    let module = good();
    let (mut at, mut whole) = (8, 0);
    for len in 0..module.len() {
        let why = survives(&module[..len]);
        // Between two sections it ends like a module: behind the code it is one, without its data.
        let ends_a_section = len == at;
        if ends_a_section {
            at += 2 + usize::from(module[at + 1] & 0x7f);
            if module[len + 1] > 0x7f {
                at += 1 + usize::from(module[len + 2]) * 128;
            }
        }
        assert!(why.is_err() || ends_a_section, "{len} of {} bytes", module.len());
        whole += usize::from(why.is_ok());
    }
    assert!(at >= module.len() && whole <= 2, "{at}, {whole}");
    works(&mut parser(&module));
}

#[test]
fn every_flipped_bit() {
    let module = good();
    let mut loaded = 0;
    for bit in 0..module.len() * 8 {
        let mut flipped = module.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        loaded += usize::from(survives(&flipped).is_ok());
        if bit % 512 == 0 {
            works(&mut parser(&module));
        }
    }
    // Numbers in code and data are as good as others.
    assert!(loaded > 100 && loaded < module.len() * 8, "{loaded}");
    works(&mut parser(&module));
}
