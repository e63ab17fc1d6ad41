//! What the tests of this crate share: an allocator that counts, homes, and modules.
#![allow(dead_code, reason = "each test uses some of it")]
#![allow(unsafe_code)] // an allocator

pub(crate) mod collection;
mod modules;

#[allow(unused_imports, reason = "each test uses some of it")]
pub(crate) use modules::{good, module, wat, with};

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use coreota::{
    descriptor::Descriptor,
    error::Failure,
    parser::{Parse, Parser},
    plugin::{Content, Facts, Plug},
    version::Version,
};
use coreota_plugins::{Arena, Home, Limits, PluginAlloc, PluginParser, Stack};

/// The firmware's own heap, as far as a test can tell: bytes in use by this thread.
pub(crate) struct Counting;

thread_local! {
    static OUTSIDE: Cell<isize> = const { Cell::new(0) };
    static ARENA_BYTES: Cell<usize> = const { Cell::new(64 * 1024) };
}

// SAFETY: the system's, counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        OUTSIDE.set(OUTSIDE.get() + layout.size() as isize);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        OUTSIDE.set(OUTSIDE.get() - layout.size() as isize);
        // SAFETY: the caller's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: PluginAlloc<Counting> = PluginAlloc(Counting);

/// Bytes of the firmware's heap that this thread has in use.
pub(crate) fn outside() -> isize {
    OUTSIDE.get()
}

static ARENA: Arena<{ 64 * 1024 }> = Arena::new();
static STACK: Stack<{ 16 * 1024 }> = Stack::new();

/// Sets the size of the arenas of this thread.
pub(crate) fn arena(bytes: usize) {
    ARENA_BYTES.set(bytes);
}

/// Bounds that no test waits long for.
pub(crate) const LIMITS: Limits = Limits { fuel: 50_000, ..Limits::DEFAULT };

pub(crate) fn home(module: Option<&'static [u8]>) -> Home {
    Home {
        name: "plugin",
        slot: Some(3),
        module,
        limits: LIMITS,
        arena: || ARENA.handle().at_most(ARENA_BYTES.get()),
        stack: || STACK.handle(),
    }
}

/// A parser with this module compiled in.
pub(crate) fn parser(module: &[u8]) -> PluginParser {
    PluginParser::new(home(Some(module.to_vec().leak())))
}

/// An empty slot.
pub(crate) fn slot() -> PluginParser {
    PluginParser::new(home(None))
}

pub(crate) fn facts(len: usize) -> Facts {
    Facts {
        content: Content::Plugin,
        abi: 1,
        kind: 1,
        arena: 20 * 1024,
        fuel: 50_000,
        memory: 4096,
        len: len as u32,
        version: Version::default(),
    }
}

/// Plugs `module` into the slot of `parser`, in pieces of `piece` bytes.
pub(crate) fn plug(parser: &mut PluginParser, module: &[u8], piece: usize) -> Result<(), Failure> {
    let facts = Facts { arena: 0, memory: LIMITS.memory, ..facts(module.len()) };
    let mut step = |step| parser.plug(3, step).expect("it hosts the slot");
    step(Plug::Begin(&facts))?;
    for bytes in module.chunks(piece) {
        step(Plug::Bytes(bytes))?;
    }
    step(Plug::Start)
}

/// The failure of blame plugin, or any other, that `parser` has of `document`.
#[track_caller]
pub(crate) fn refused(parser: &mut PluginParser, document: &[u8]) -> Failure {
    match parser.parse(document, 0) {
        Parse::NotMine(why) => why,
        verdict => panic!("{verdict:?}"),
    }
}

/// That a good plugin works.
#[track_caller]
pub(crate) fn works(parser: &mut PluginParser) {
    let Parse::Descriptor(Descriptor { size: 100, file: 7, stream: Some(stream), .. }) =
        parser.parse(b"Sfirmware", 7)
    else {
        panic!("{:?}", parser.parse(b"Sfirmware", 7))
    };
    assert_eq!(stream.raw, b"firmware");
}

/// A protocol of `kind` whose function body is `body`: input at 64 (512 bytes, whose `a` begins at
/// 84), records at 1024 (16 of them), the text `topic` at 1536 (its first byte `t`). Its parameters
/// are `$event` and `$len`.
pub(crate) fn protocol(kind: u32, body: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module
            (memory (export "memory") 2048 2048 (pagesize 1))
            (global $told (mut i32) (i32.const 0))
            (data (i32.const 0) "\40\00\00\00\00\02\00\00\00\04\00\00\10\00\00\00")
            (data (i32.const 1536) "topic")
            (func (export "ota_abi") (result i32) i32.const {})
            (func (export "ota_io") (result i32) i32.const 0)
            (func $record (param $at i32) (param $tag i32) (param $a i32) (param $b i32) (param $c i32)
                (i32.store (i32.add (i32.const 1024) (local.get $at)) (local.get $tag))
                (i32.store (i32.add (i32.const 1028) (local.get $at)) (local.get $a))
                (i32.store (i32.add (i32.const 1032) (local.get $at)) (local.get $b))
                (i32.store (i32.add (i32.const 1036) (local.get $at)) (local.get $c)))
            (func (export "ota_event") (param $event i32) (param $len i32) (result i32)
                {body}
                i32.const 0))"#,
        0x4f54_0001 | kind << 8
    ))
}

/// Slot 5.
pub(crate) const fn protocol_home(name: &'static str, module: Option<&'static [u8]>) -> Home {
    Home {
        name,
        slot: Some(5),
        module,
        limits: LIMITS,
        arena: || ARENA.handle().at_most(ARENA_BYTES.get()),
        stack: || STACK.handle(),
    }
}

/// Plugs a protocol of `kind` by `step`.
pub(crate) fn plug_by(
    kind: u16,
    module: &[u8],
    mut step: impl FnMut(Plug<'_>) -> Option<Result<(), Failure>>,
) -> Result<(), Failure> {
    let facts = Facts { kind, arena: 0, ..facts(module.len()) };
    for plug in [Plug::Begin(&facts), Plug::Bytes(module), Plug::Start] {
        step(plug).expect("it hosts the slot")?;
    }
    Ok(())
}
