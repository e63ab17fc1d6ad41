//! The containment on a real processor: every allocation fails once, and the plugin works after.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicUsize, Ordering};

use coreota::{
    error::Failure,
    parser::{Parse, Parser},
};
use coreota_plugins::{Arena, Home, Limits, NoHeap, PluginAlloc, PluginParser, Stack, abandon};
use plugin_bench::{DOCUMENT, PLUGIN, fail, succeed, tell};

plugin_bench::panics!(abandon());

#[global_allocator]
static ALLOCATOR: PluginAlloc<NoHeap> = PluginAlloc(NoHeap);

static ARENA: Arena<{ 64 * 1024 }> = Arena::new();
static STACK: Stack<{ 16 * 1024 }> = Stack::new();
static SIZE: AtomicUsize = AtomicUsize::new(0);

const HOME: Home = Home {
    name: "plugin",
    slot: None,
    module: Some(PLUGIN),
    limits: Limits::DEFAULT,
    arena: || ARENA.handle().at_most(SIZE.load(Ordering::Relaxed)),
    stack: || STACK.handle(),
};

/// What the document leads to in an arena of `size` bytes, and what it took.
fn outcome(size: usize) -> (Result<(), Failure>, usize) {
    SIZE.store(size, Ordering::Relaxed);
    let mut parser = PluginParser::new(HOME);
    let verdict = match parser.parse(DOCUMENT, 0) {
        Parse::Descriptor(_) => Ok(()),
        Parse::NotMine(why) | Parse::Malformed(why) => Err(why),
    };
    (verdict, parser.usage().need)
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let (Ok(()), need) = outcome(64 * 1024) else { fail("not even with all memory") };
    let mut ended = 0;
    for size in (0..need).step_by(64) {
        match outcome(size).0 {
            Err(Failure::PluginMemory) => ended += 1,
            Err(why) => fail(why.text()),
            Ok(()) => fail("with less memory than it needs"),
        }
    }
    for size in [need, need + 16, 64 * 1024] {
        if outcome(size).0.is_err() {
            fail("with all the memory it needs");
        }
    }
    tell("need", need);
    tell("ended", ended);
    succeed()
}
