//! A parser as a plugin: loaded, and given a document.
#![no_std]
#![no_main]

use coreota::parser::{Parse, Parser};
use coreota_plugins::{Arena, Home, Limits, NoHeap, PluginAlloc, PluginParser, Stack, abandon};
use plugin_bench::{Counter, DOCUMENT, PLUGIN, fail, succeed, tell};

plugin_bench::panics!(abandon());

#[global_allocator]
static ALLOCATOR: PluginAlloc<NoHeap> = PluginAlloc(NoHeap);

static ARENA: Arena<{ 64 * 1024 }> = Arena::new();
static STACK: Stack<{ 24 * 1024 }> = Stack::new();

#[cortex_m_rt::entry]
fn main() -> ! {
    let counter = Counter::new();
    let mut parser = PluginParser::new(Home {
        name: "plugin",
        slot: None,
        module: Some(PLUGIN),
        limits: Limits::DEFAULT,
        arena: || ARENA.handle(),
        stack: || STACK.handle(),
    });
    let stack = STACK.handle();
    stack.repaint();
    let (loaded, instructions) = counter.count(|| parser.load());
    if let Err(why) = loaded {
        fail(why.text());
    }
    tell("load", instructions as usize);
    tell("load-stack", stack.used());
    tell("resident", parser.usage().used);
    // The second time: the engine's own stack has grown by then.
    let mut instructions = 0;
    for _ in 0..2 {
        stack.repaint();
        let verdict = counter.count(|| match parser.parse(DOCUMENT, 1) {
            Parse::Descriptor(_) => None,
            Parse::NotMine(why) | Parse::Malformed(why) => Some(why),
        });
        if let Some(why) = verdict.0 {
            fail(why.text());
        }
        instructions = verdict.1;
    }
    tell("parse", instructions as usize);
    tell("parse-stack", stack.used());
    tell("fuel", parser.burned() as usize);
    tell("peak", parser.usage().peak);
    tell("need", parser.usage().need);
    succeed()
}
