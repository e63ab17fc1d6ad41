//! What the targets of plugins share: the allocator, which counts, and a slot.
#![allow(dead_code, reason = "each target uses its part")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use coreota::{
    error::Failure,
    parser::Parser,
    plugin::{Content, Facts, Plug},
    version::Version,
};
use coreota_plugins::{Arena, Home, Limits, PluginAlloc, PluginParser, Stack};

struct Counting;

thread_local! {
    static OUTSIDE: Cell<isize> = const { Cell::new(0) };
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

/// Bytes that this thread has in use outside of arenas.
pub(crate) fn outside() -> isize {
    OUTSIDE.get()
}

/// What a plugin may use here: less fuel than devices give, for more runs a second.
pub(crate) const ROOM: Limits = Limits { fuel: 20_000, ..Limits::DEFAULT };

/// Slot 0.
pub(crate) const HOME: Home = Home {
    name: "plugin",
    slot: Some(0),
    module: None,
    limits: ROOM,
    arena: || {
        static ARENA: Arena<{ 32 * 1024 }> = Arena::new();
        ARENA.handle()
    },
    stack: || {
        static STACK: Stack<{ 16 * 1024 }> = Stack::new();
        STACK.handle()
    },
};

/// An empty slot for a parser.
pub(crate) fn parser() -> PluginParser {
    PluginParser::new(HOME)
}

/// What the signed bytes of a parser would say.
pub(crate) fn facts(module: &[u8], memory: u32) -> Facts {
    Facts {
        content: Content::Plugin,
        abi: 1,
        kind: 1,
        arena: 0,
        fuel: ROOM.fuel,
        memory,
        len: module.len().try_into().unwrap_or(u32::MAX),
        version: Version::default(),
    }
}

/// Brings a module into the slot.
pub(crate) fn plug(parser: &mut PluginParser, module: &[u8], facts: Facts) -> Result<(), Failure> {
    let mut steps = [Plug::Begin(&facts), Plug::Bytes(module), Plug::Start].into_iter();
    steps.try_for_each(|step| parser.plug(0, step).expect("it hosts the slot"))
}
