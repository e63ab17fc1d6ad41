//! Parsers as text. Also built by the image of `examples/plugin-bench` that runs [the
//! collection](super::collection) on a processor: nothing here needs the host.

pub(crate) fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

/// A parser whose function body is `body`; input at 64 (512 bytes), records at 1024 (16 of them).
/// Its parameters are `$len` and `$index`; `$record` writes one.
pub(crate) fn module(body: &str) -> Vec<u8> {
    with("", body)
}

/// As [`module`], with further `fields`.
pub(crate) fn with(fields: &str, body: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module
            {fields}
            (memory (export "memory") 2048 4096 (pagesize 1))
            (data (i32.const 0) "\40\00\00\00\00\02\00\00\00\04\00\00\10\00\00\00")
            (func (export "ota_abi") (result i32) i32.const 0x4f540101)
            (func (export "ota_io") (result i32) i32.const 0)
            (func $record (param $at i32) (param $tag i32) (param $a i32) (param $b i32) (param $c i32)
                (i32.store (i32.add (i32.const 1024) (local.get $at)) (local.get $tag))
                (i32.store (i32.add (i32.const 1028) (local.get $at)) (local.get $a))
                (i32.store (i32.add (i32.const 1032) (local.get $at)) (local.get $b))
                (i32.store (i32.add (i32.const 1036) (local.get $at)) (local.get $c)))
            (func (export "ota_parse") (param $len i32) (param $index i32) (result i32)
                {body}))"#
    ))
}

/// A good parser: `S` and a name is a file of 100 bytes in the stream of that name.
pub(crate) fn good() -> Vec<u8> {
    module(
        "(if (i32.eqz (local.get $len)) (then (return (i32.const -0x20107))))
         (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 0x53))
             (then (return (i32.const -0x10102))))
         (call $record (i32.const 0) (i32.const 1) (i32.const 100) (i32.const 0) (i32.const 0))
         (call $record (i32.const 16) (i32.const 4) (i32.const 65)
             (i32.sub (local.get $len) (i32.const 1)) (i32.const 0))
         (call $record (i32.const 32) (i32.const 2) (local.get $index) (i32.const 0) (i32.const 0))
         i32.const 3",
    )
}
