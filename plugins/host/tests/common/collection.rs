//! Modules that mean harm, and how each is found out: one list for the tests here, and for the image of
//! `examples/plugin-bench` that runs it on a processor.

use super::modules::{module, wat, with};

/// When a module is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// When it is loaded.
    Loading,
    /// When it is given a document; it stays loaded and begins anew.
    Running,
    /// When it is given a document; it is gone then.
    Ending,
}
use Found::{Ending, Loading, Running};

/// One that means harm.
pub(crate) struct Hostile {
    pub(crate) name: String,
    pub(crate) module: Vec<u8>,
    pub(crate) found: Found,
    /// The name of the core's `Failure`.
    pub(crate) why: &'static str,
    /// Bytes of its arena.
    pub(crate) arena: usize,
}

/// The whole collection.
pub(crate) fn collection() -> Vec<Hostile> {
    let mut all = Collection(Vec::new(), 64 * 1024);
    time(&mut all);
    memory(&mut all);
    stack(&mut all);
    traps(&mut all);
    answers(&mut all);
    interface(&mut all);
    sheer_size(&mut all);
    what_is_no_module_at_all(&mut all);
    bombs(&mut all);
    all.0
}

struct Collection(Vec<Hostile>, usize);

impl Collection {
    fn add(&mut self, name: &str, module: &[u8], found: Found, why: &'static str) {
        let (name, module) = (name.to_owned(), module.to_vec());
        self.0.push(Hostile { name, module, found, why, arena: self.1 });
    }
}

/// Input of 16 bytes at 16, a record at 32.
const IO: &str = r#"(data (i32.const 0) "\10\00\00\00\10\00\00\00\20\00\00\00\01\00\00\00")"#;

fn time(all: &mut Collection) {
    all.add("a loop", &module("(loop br 0) i32.const 0"), Running, "PluginFuel");
    let body = "(loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 2048)) br 0) i32.const 0";
    all.add("endless filling", &module(body), Running, "PluginFuel");
    for function in ["ota_abi", "ota_io"] {
        let text = format!(
            r#"(module (memory (export "memory") 64 (pagesize 1))
                (func (export "ota_abi") (result i32) {} i32.const 0x4f540101)
                (func (export "ota_io") (result i32) {} i32.const 0)
                (func (export "ota_parse") (param i32 i32) (result i32) i32.const 0))"#,
            if function == "ota_abi" { "(loop br 0)" } else { "" },
            if function == "ota_io" { "(loop br 0)" } else { "" },
        );
        all.add(&format!("a loop in {function}"), &wat(&text), Loading, "PluginFuel");
    }
    let start = with("(func $start (loop br 0)) (start $start)", "i32.const 0");
    all.add("a start function that loops", &start, Loading, "PluginStart");
}

fn memory(all: &mut Collection) {
    let body = "(loop (drop (memory.grow (i32.const 16))) br 0) i32.const 0";
    all.add("growing for ever", &module(body), Running, "PluginFuel");
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
        all.add(&format!("memory {memory}"), &declared(memory), Loading, "PluginTooLarge");
    }
    all.add("no upper bound", &declared("64 (pagesize 1)"), Running, "PluginFuel");
    let table = with("(table 1000000 funcref)", "i32.const 0");
    all.add("a huge table", &table, Loading, "PluginTooLarge");
    let table = with(
        "(table $t 1 funcref)",
        "(loop (drop (table.grow $t (ref.null func) (i32.const 10))) br 0) i32.const 0",
    );
    all.add("a growing table", &table, Running, "PluginFuel");
}

fn stack(all: &mut Collection) {
    let calls = with("(func $f (result i32) call $f)", "call $f");
    all.add("recursion", &calls, Running, "PluginStack");
    let locals = format!("(local {})", "i64 ".repeat(200));
    let calls = with(&format!("(func $f (result i32) {locals} call $f)"), "call $f");
    all.add("recursion with many locals", &calls, Running, "PluginStack");
    let locals = module(&format!("(local {}) i32.const 0", "i64 ".repeat(2000)));
    all.add("more locals than values", &locals, Running, "PluginStack");
}

fn traps(all: &mut Collection) {
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
        all.add(name, &module(body), Running, "PluginTrap");
    }
    let nobody = with("(table 2 funcref)", "(call_indirect (result i32) (i32.const 0))");
    all.add("a call of nobody", &nobody, Running, "PluginTrap");
    let beyond = with("(table 2 funcref)", "(call_indirect (result i32) (i32.const 2))");
    all.add("a call beyond the table", &beyond, Running, "PluginTrap");
    let other = with(
        "(table 1 funcref) (elem (i32.const 0) $f) (func $f)",
        "(call_indirect (result i32) (i32.const 0))",
    );
    all.add("a call of another type", &other, Running, "PluginTrap");
    let data =
        wat(r#"(module (memory (export "memory") 8 (pagesize 1)) (data (i32.const 6) "abc"))"#);
    all.add("data outside the memory", &data, Loading, "PluginTrap");
}

fn answers(all: &mut Collection) {
    let record = |at: u32, numbers: [u32; 4]| {
        let numbers = numbers.map(|number| format!("(i32.const {number})")).concat();
        format!("(call $record (i32.const {at}) {numbers})")
    };
    let size = record(0, [1, 100, 0, 0]);
    let second = |numbers| format!("{size} {} i32.const 2", record(16, numbers));
    for (name, body, why) in [
        ("more records than room", format!("{size} i32.const 17"), "PluginAnswer"),
        ("records without end", format!("{size} i32.const 0x7fffffff"), "PluginAnswer"),
        ("no record", "i32.const 0".to_owned(), "PluginAnswer"),
        ("a refusal without number", "i32.const -1".to_owned(), "PluginAnswer"),
        ("a refusal of no verdict", "i32.const -0x30101".to_owned(), "PluginAnswer"),
        ("the least number", "i32.const 0x80000000".to_owned(), "PluginAnswer"),
        ("a refusal by a failure of flash", "i32.const -0x10401".to_owned(), "PluginAnswer"),
        ("size 0", format!("{} i32.const 1", record(0, [1, 0, 0, 0])), "PluginAnswer"),
        ("a size of 64 bits", format!("{} i32.const 1", record(0, [1, 1, 1, 0])), "PluginAnswer"),
        ("two sizes", second([1, 5, 0, 0]), "PluginAnswer"),
        ("file 256", second([2, 256, 0, 0]), "PluginAnswer"),
        ("no files", second([3, 0, 0, 0]), "PluginAnswer"),
        ("content 3", second([10, 3, 0, 0]), "PluginAnswer"),
        ("coding 3", second([0x3_0004, 64, 4, 0]), "PluginAnswer"),
        ("flags of the future", second([0x200_0004, 64, 4, 0]), "PluginAnswer"),
        ("algorithm 3", second([7, 64, 4, 3]), "PluginAnswer"),
        ("a span behind the memory", second([4, 2048, 1, 0]), "PluginBounds"),
        ("a span over the end", second([4, 2000, 49, 0]), "PluginBounds"),
        ("a huge length", second([4, 64, u32::MAX, 0]), "PluginBounds"),
        ("a span that wraps", second([4, u32::MAX, u32::MAX, 0]), "PluginBounds"),
    ] {
        all.add(name, &module(&body), Running, why);
    }
    for (name, io) in [
        ("an input buffer outside", r"\00\08\00\00\01\00\00\00\00\04\00\00\01\00\00\00"),
        ("a huge input buffer", r"\40\00\00\00\ff\ff\ff\ff\00\04\00\00\01\00\00\00"),
        ("records outside", r"\40\00\00\00\00\02\00\00\fc\07\00\00\01\00\00\00"),
        ("room for records without end", r"\40\00\00\00\00\02\00\00\00\04\00\00\ff\ff\ff\ff"),
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
        all.add(name, &wat(&text), Loading, "PluginBounds");
    }
}

/// Modules that do not fit the interface.
fn interface(all: &mut Collection) {
    let text = |abi: &str, io: &str, parse: &str| {
        wat(&format!(r#"(module (memory (export "memory") 64 (pagesize 1)) {abi} {io} {parse})"#))
    };
    let abi = r#"(func (export "ota_abi") (result i32) i32.const 0x4f540101)"#;
    let io = r#"(func (export "ota_io") (result i32) i32.const 0)"#;
    let parse = r#"(func (export "ota_parse") (param i32 i32) (result i32) i32.const 0)"#;
    let word = |word: &str| text(&abi.replace("0x4f540101", word), io, parse);
    let result = abi.replace("(result i32) i32.const 0x4f540101", "");
    for (name, module, why) in [
        ("no ota_abi", text("", io, parse), "PluginExport"),
        ("no ota_io", text(abi, "", parse), "PluginExport"),
        ("no ota_parse", text(abi, io, ""), "PluginExport"),
        ("an ota_abi without result", text(&result, io, parse), "PluginExport"),
        (
            "an ota_parse of one number",
            text(abi, io, &parse.replace("i32 i32", "i32")),
            "PluginExport",
        ),
        ("no memory", wat("(module)"), "PluginExport"),
        ("the next version", word("0x4f540102"), "PluginAbi"),
        ("another word", word("0x4f550101"), "PluginAbi"),
        ("a block protocol", word("0x4f540201"), "PluginKind"),
        (
            "an io block over the end",
            text(abi, &io.replace("const 0", "const 49"), parse),
            "PluginBounds",
        ),
        ("an io block below", text(abi, &io.replace("const 0", "const -1"), parse), "PluginBounds"),
        (
            "an io block that is not aligned",
            text(abi, &io.replace("const 0", "const 2"), parse),
            "PluginBounds",
        ),
        ("an import", with(r#"(import "env" "f" (func))"#, "i32.const 0"), "PluginImport"),
        ("a start function", with("(func $start) (start $start)", "i32.const 0"), "PluginStart"),
        (
            "a floating-point number",
            with("(func (result f32) f32.const 0)", "i32.const 0"),
            "PluginMalformed",
        ),
        ("a larger table", with("(table 65 funcref)", "i32.const 0"), "PluginTooLarge"),
        ("a second memory", with("(memory 1)", "i32.const 0"), "PluginTooLarge"),
    ] {
        all.add(name, &module, Loading, why);
    }
}

fn sheer_size(all: &mut Collection) {
    let many = |field: &str, count: usize| with(&field.repeat(count), "i32.const 0");
    let params = format!("(func (param {}))", "i32 ".repeat(1000));
    let locals: String = (0..100).map(|at| if at % 2 == 0 { "i32 " } else { "i64 " }).collect();
    for (name, module) in [
        ("thousands of functions", many("(func)", 3000)),
        ("thousands of globals", many("(global i32 (i32.const 0))", 1000)),
        ("thousands of segments", many(r#"(data "")"#, 1000)),
        ("a thousand parameters", many(&params, 1)),
        ("a hundred kinds of locals", many(&format!("(func (local {locals}))"), 1)),
        ("a large module", many(&format!(r#"(data "{}")"#, "x".repeat(17_000)), 1)),
    ] {
        all.add(name, &module, Loading, "PluginTooLarge");
    }
}

fn what_is_no_module_at_all(all: &mut Collection) {
    for (name, bytes) in [
        ("nothing", &b""[..]),
        ("text", b"<html>404 not found</html>"),
        ("a magic alone", b"\0asm"),
        ("another version", b"\0asm\x02\0\0\0"),
        ("a component", b"\0asm\x0d\0\x01\0"),
        ("an unknown section", b"\0asm\x01\0\0\0\x63\0"),
        ("a length without end", b"\0asm\x01\0\0\0\x01\xff\xff\xff\xff\xff"),
        ("a section over the end", b"\0asm\x01\0\0\0\x01\x05\x01"),
    ] {
        all.add(name, bytes, Loading, "PluginMalformed");
    }
    // Where the engine's strict limits were on, it would divide by this count.
    all.add("code that divides by none", b"\0asm\x01\0\0\0\x0a\x01\0", Loading, "PluginExport");
}

/// Modules whose translation takes far more memory than they are long. In a small arena each ends
/// the plugin; what lay in the arena is forgotten, and what the firmware had is as before.
fn bombs(all: &mut Collection) {
    all.1 = 16 * 1024;
    let nested = format!("{} {}", "(block ".repeat(1500), ")".repeat(1500));
    let nested = module(&format!("{nested} i32.const 0"));
    all.add("nested blocks", &nested, Loading, "PluginMemory");
    let table = format!("(block (br_table {} (local.get $len))) i32.const 0", "0 ".repeat(6000));
    all.add("a huge br_table", &module(&table), Loading, "PluginMemory");
    let operands =
        format!("{} {} i32.const 0", "local.get $len ".repeat(3000), "drop ".repeat(3000));
    all.add("a tower of operands", &module(&operands), Loading, "PluginMemory");
    all.1 = 12 * 1024;
    let grows = "(loop (drop (memory.grow (i32.const 2000))) br 0) i32.const 0";
    let grows = wat(&format!(
        r#"(module (memory (export "memory") 64 (pagesize 1)) {IO}
            (func (export "ota_abi") (result i32) i32.const 0x4f540101)
            (func (export "ota_io") (result i32) i32.const 0)
            (func (export "ota_parse") (param i32 i32) (result i32) {grows}))"#
    ));
    all.add("memory beyond the arena", &grows, Ending, "PluginMemory");
}
