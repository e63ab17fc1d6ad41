//! A firmware that did not install the allocator: nothing would be contained, so nothing is loaded.

use coreota::{
    error::Failure,
    parser::{Parse, Parser},
};
use coreota_plugins::{Arena, Home, Limits, PluginParser, Stack};

static ARENA: Arena<{ 32 * 1024 }> = Arena::new();
static STACK: Stack<{ 16 * 1024 }> = Stack::new();

#[test]
fn without_the_allocator_nothing_is_loaded() {
    let module = wat::parse_str("(module)").expect("text").leak();
    let mut parser = PluginParser::new(Home {
        name: "plugin",
        slot: None,
        module: Some(module),
        limits: Limits::DEFAULT,
        arena: || ARENA.handle(),
        stack: || STACK.handle(),
    });
    assert_eq!(parser.load(), Err(Failure::PluginUnhosted));
    assert_eq!(parser.parse(b"{}", 0), Parse::NotMine(Failure::PluginUnhosted));
}
