//! Modules that mean harm: each ends with its number, the firmware's heap is as before, and a good
//! plugin works right after, in the very same arena.

mod common;

use std::collections::BTreeSet;

use common::{
    arena,
    collection::{Found, Hostile, collection},
    good, outside, parser, plug, refused, slot, works,
};
use coreota::{
    error::{Blame, Failure},
    parser::Parser,
};

/// The failure of that name.
fn failure(name: &str) -> Failure {
    let plugins = (0x0601..=0x0612).filter_map(Failure::from_code);
    let mut named = plugins.filter(|failure| format!("{failure:?}") == name);
    named.next().unwrap_or_else(|| panic!("no failure of plugins is called {name}"))
}

/// Loads and runs `hostile` both from a slot and compiled in, and a good one after it.
fn found(hostile: &Hostile) {
    let Hostile { name, module, .. } = hostile;
    let why = failure(hostile.why);
    // What a provider is told.
    assert_eq!(why.blame(), Blame::Plugin, "{name}");
    assert!((1..64).contains(&why.text().len()), "{name}: {}", why.text());
    for compiled_in in [false, true] {
        let mut parser = if compiled_in { parser(module) } else { slot() };
        let before = outside();
        arena(hostile.arena);
        let loaded = match compiled_in {
            true => parser.load(),
            false => plug(&mut parser, module, 256),
        };
        let expected = if hostile.found == Found::Loading { Err(why) } else { Ok(()) };
        assert_eq!(loaded, expected, "{name}");
        for _ in 0..3 {
            assert_eq!(refused(&mut parser, b"Sx"), why, "{name}");
        }
        // One that is compiled in is loaded again whenever it is asked.
        let gone = hostile.found != Found::Running && !compiled_in;
        assert!(!gone || parser.usage().size == 0, "{name}");
        arena(16 * 1024);
        assert_eq!(plug(&mut parser, &good(), 64), Ok(()), "{name}");
        works(&mut parser);
        drop(parser);
        assert_eq!(outside(), before, "{name}: the heap is not as before");
    }
}

#[test]
fn every_one_is_found_out_and_the_heap_is_as_before() {
    let collection = collection();
    assert!(collection.len() > 70, "{}", collection.len());
    collection.iter().for_each(found);
}

/// What no module can cause has tests elsewhere.
#[test]
fn every_failure_of_a_module_is_in_the_collection() {
    let there: BTreeSet<_> =
        collection().iter().map(|hostile| failure(hostile.why).code()).collect();
    let elsewhere = [
        // A slot is empty: `parser.rs`. Two in one arena: the image of `examples/plugin-bench`.
        Failure::NoPlugin,
        Failure::PluginBusy,
        // A bug of the engine: the tests of `contain.rs`.
        Failure::PluginPanic,
        // A protocol's own: `blocks.rs`. A firmware without the allocator: `unhosted.rs`.
        Failure::PluginRefused,
        Failure::PluginUnhosted,
    ];
    for failure in (0x0601..).map_while(Failure::from_code) {
        let there = there.contains(&failure.code());
        assert!(there != elsewhere.contains(&failure), "{failure:?}");
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
