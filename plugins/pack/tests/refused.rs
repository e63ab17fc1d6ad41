//! Modules that no device takes are refused, with what is wrong in words.

use coreota_plugin_pack::{Error, check, inspect, shrink};

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's own text is right")
}

/// A parser as a linker makes it, with this in it besides.
fn linked(besides: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module
            (memory (export "memory") 1)
            (global (export "__heap_base") i32 (i32.const 2000))
            (global $stack (mut i32) (i32.const 1024))
            (func (export "ota_abi") (result i32) i32.const 0x4f540101)
            (func (export "ota_io") (result i32) i32.const 0)
            (func (export "ota_parse") (param i32 i32) (result i32) global.get $stack)
            (func (export "else"))
            {besides})"#
    ))
}

fn words(result: Result<impl Sized, Error>) -> String {
    result.err().map(|why| why.to_string()).unwrap_or_default()
}

#[test]
fn a_linked_module_gets_small() {
    let small = shrink(&linked("(table 1 1 funcref) (@custom \"note\" \"abc\")")).unwrap();
    let facts = check(&small).unwrap();
    assert_eq!((facts.memory, facts.memory_max), (2000, Some(2000)));
    let names: Vec<_> = facts.exports.iter().map(|export| export.name.as_str()).collect();
    assert_eq!(names, ["memory", "ota_abi", "ota_io", "ota_parse"]);
    assert_eq!(facts.kind, Some(coreota_plugin_abi::Kind::Parser));
    assert!(!small.windows(4).any(|window| window == b"note"));
    // What is small stays as it is.
    assert_eq!(shrink(&small).unwrap(), small);
}

#[test]
fn what_no_device_takes_is_refused_in_words() {
    for (besides, expected) in [
        ("(start $f) (func $f)", "start function"),
        ("(func (drop (memory.grow (i32.const 1))))", "grows"),
    ] {
        let refused = words(check(&linked(besides)));
        assert!(refused.contains(expected), "{besides}: {refused}");
    }
    let import = wat(r#"(module (import "env" "abort" (func)) (memory (export "memory") 1))"#);
    assert!(words(check(&import)).contains("it imports env.abort"));
    for (missing, kind) in
        [("ota_abi", 1), ("ota_io", 1), ("ota_parse", 1), ("memory", 1), ("ota_event", 2)]
    {
        let all = format!(
            r#"(module (memory (export "memory") 1)
                (func (export "ota_abi") (result i32) i32.const 0x4f54010{kind})
                (func (export "ota_io") (result i32) i32.const 0)
                (func (export "ota_parse") (param i32 i32) (result i32) i32.const 0))"#
        )
        .replace("0x4f54010", "0x4f540")
        .replace(&format!("0x4f540{kind}"), &format!("0x4f540{kind}01"));
        let refused = words(check(&wat(&all.replace(&format!("\"{missing}\""), "\"x\""))));
        assert!(refused.contains(missing), "{missing}: {refused}");
    }
}

#[test]
fn what_is_no_module_is_said_to_be_none() {
    for bytes in [&b""[..], b"\0asm", b"<html>", b"\0asm\x01\0\0\0\x05\x03\x01\x00\x01\x00"] {
        let refused = words(inspect(bytes));
        assert!(refused.starts_with("not a valid wasm module"), "{refused}");
    }
    // Every cut of a valid one.
    let module = linked("");
    for cut in 9..module.len() {
        _ = inspect(&module[..cut]);
        _ = shrink(&module[..cut]);
    }
}

#[test]
fn a_module_that_does_not_say_what_memory_it_uses_is_refused() {
    let silent = wat(r#"(module (memory (export "memory") 1))"#);
    assert!(words(shrink(&silent)).contains("--export=__heap_base"));
    let grows = linked("(func (drop (memory.size)))");
    assert!(words(shrink(&grows)).contains("grows or measures"));
}

#[test]
fn floats_are_refused() {
    let floats = linked("(func (param f32))");
    assert!(words(check(&floats)).starts_with("not a valid wasm module"));
}
