//! The collection of hostile modules, which the tests of `plugins/host` have too, on a processor: each
//! ends with its number, a good plugin works after it, and memory is as before.
#![no_std]
#![no_main]

use core::{
    alloc::{GlobalAlloc, Layout},
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use coreota::{
    error::Failure,
    parser::{Parse, Parser},
    plugin::{Content, Facts, Plug},
    version::Version,
};
use coreota_plugins::{Arena, Home, Limits, PluginAlloc, PluginParser, Stack, Usage, abandon};
use plugin_bench::{fail, say, succeed, tell};

plugin_bench::panics!(abandon());

/// The firmware's own heap: it has none, and notes who asks for it.
struct Outside;

static OUTSIDE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it serves nothing.
unsafe impl GlobalAlloc for Outside {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        OUTSIDE.fetch_add(1, Relaxed);
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
        OUTSIDE.fetch_add(1, Relaxed);
    }
}

#[global_allocator]
static ALLOCATOR: PluginAlloc<Outside> = PluginAlloc(Outside);

static ARENA: Arena<{ 64 * 1024 }> = Arena::new();
static STACK: Stack<{ 16 * 1024 }> = Stack::new();
static SIZE: AtomicUsize = AtomicUsize::new(0);

/// As in the tests of the host.
const LIMITS: Limits = Limits { fuel: 50_000, ..Limits::DEFAULT };

const HOME: Home = Home {
    name: "plugin",
    slot: Some(3),
    module: None,
    limits: LIMITS,
    arena: || ARENA.handle().at_most(SIZE.load(Relaxed)),
    stack: || STACK.handle(),
};

/// When a module is found out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Loading,
    Running,
    Ending,
}

struct Hostile {
    name: &'static str,
    module: &'static [u8],
    found: Found,
    why: Failure,
    arena: usize,
}

static COLLECTION: &[Hostile] = &include!(concat!(env!("OUT_DIR"), "/collection.rs"));
static GOOD: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/good.wasm"));

fn plug(parser: &mut PluginParser, module: &[u8], arena: usize) -> Result<(), Failure> {
    SIZE.store(arena, Relaxed);
    let facts = Facts {
        content: Content::Plugin,
        abi: 1,
        kind: 1,
        arena: 0,
        fuel: LIMITS.fuel,
        memory: LIMITS.memory,
        len: module.len() as u32,
        version: Version::default(),
    };
    for step in [Plug::Begin(&facts), Plug::Bytes(module), Plug::Start] {
        parser.plug(3, step).unwrap_or(Err(Failure::NoPlugin))?;
    }
    Ok(())
}

/// What becomes of a document; a descriptor must be the one that the good plugin makes.
fn parse(parser: &mut PluginParser, document: &[u8]) -> Result<(), Failure> {
    match parser.parse(document, 7) {
        Parse::Descriptor(found) if found.size == 100 && found.file == 7 => Ok(()),
        Parse::Descriptor(_) => Err(Failure::Misconfigured),
        Parse::NotMine(why) | Parse::Malformed(why) => Err(why),
    }
}

/// Plugs the good one, which has to work; what it takes of the arena.
fn good(parser: &mut PluginParser) -> Usage {
    if plug(parser, GOOD, 16 * 1024).is_err() || parse(parser, b"Sfirmware").is_err() {
        fail("the good plugin does not work");
    }
    parser.usage()
}

/// Ends with a failure unless all is as before.
fn same(parser: &mut PluginParser, before: Usage) {
    if good(parser) != before {
        fail("the arena is not as before");
    }
    if OUTSIDE.load(Relaxed) != 0 {
        fail("something was allocated outside");
    }
}

fn found(parser: &mut PluginParser, hostile: &Hostile) {
    let Hostile { name, module, found, why, arena } = *hostile;
    let plugged = plug(parser, module, arena);
    let expected = if found == Found::Loading { Err(why) } else { Ok(()) };
    // The same is told again and again.
    let told = [(); 3].map(|()| parse(parser, b"Sx"));
    let how = if found == Found::Loading { plugged } else { told[0] };
    say(&[name, ": ", how.map_or_else(|why| why.text(), |()| "it is fine"), "\n"]);
    if plugged != expected || told != [Err(why); 3] {
        fail("found out otherwise");
    }
    if found != Found::Running && parser.usage() != Usage::default() {
        fail("it is not gone");
    }
}

/// Whatever a damaged module does; whether it was loaded.
fn survives(parser: &mut PluginParser, module: &[u8]) -> bool {
    let loaded = plug(parser, module, 64 * 1024).is_ok();
    for document in [&b"Sfirmware"[..], b"", b"{}"] {
        _ = parser.parse(document, 0);
    }
    loaded
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut parser = PluginParser::new(HOME);
    let before = good(&mut parser);
    for hostile in COLLECTION {
        found(&mut parser, hostile);
        same(&mut parser, before);
    }
    tell("hostile", COLLECTION.len());

    let mut loaded = 0;
    for len in 0..GOOD.len() {
        loaded += usize::from(survives(&mut parser, &GOOD[..len]));
    }
    same(&mut parser, before);
    tell("truncated", GOOD.len());
    tell("truncated-and-loaded", loaded);

    // Every bit on the host; here one in seven, so that each of a byte has its turn.
    let (mut flipped, mut loaded) = (0, 0);
    let mut module = [0; 1024];
    let Some(module) = module.get_mut(..GOOD.len()) else { fail("no room") };
    for bit in (0..GOOD.len() * 8).step_by(7) {
        module.copy_from_slice(GOOD);
        module[bit / 8] ^= 1 << (bit % 8);
        loaded += usize::from(survives(&mut parser, module));
        flipped += 1;
    }
    same(&mut parser, before);
    tell("flipped", flipped);
    tell("flipped-and-loaded", loaded);

    // One arena holds one plugin: another has to wait, and does the first no harm.
    SIZE.store(64 * 1024, Relaxed);
    let mut second = PluginParser::new(Home { module: Some(GOOD), slot: None, ..HOME });
    if second.load() != Err(Failure::PluginBusy) {
        fail("two in one arena");
    }
    if parse(&mut parser, b"Sfirmware").is_err() {
        fail("the first no longer works");
    }
    drop(parser);
    if parse(&mut second, b"Sfirmware").is_err() {
        fail("the second does not follow");
    }
    succeed()
}
