//! Memory that runs out, at every single allocation: arenas from nothing to enough.

mod common;

use common::{arena, good, module, outside, parser, plug, refused, slot, works};
use coreota::{
    error::Failure,
    parser::{Parse, Parser},
    plugin::Plug,
};

/// What a document leads to in an arena of `bytes`.
fn outcome(bytes: usize, module: &[u8], compiled_in: bool) -> Result<(), Failure> {
    arena(bytes);
    let before = outside();
    let mut parser = if compiled_in { parser(module) } else { slot() };
    // What the test itself keeps.
    let own = outside();
    if !compiled_in {
        let facts = coreota::plugin::Facts { arena: 0, ..common::facts(module.len()) };
        let mut steps = [Plug::Begin(&facts), Plug::Bytes(module), Plug::Start].into_iter();
        steps.try_for_each(|step| parser.plug(3, step).expect("hosted"))?;
    }
    let verdict = match parser.parse(b"Sfirmware", 7) {
        Parse::Descriptor(_) => Ok(()),
        Parse::NotMine(why) | Parse::Malformed(why) => Err(why),
    };
    drop(parser);
    assert_eq!(outside(), own);
    assert!(own >= before);
    verdict
}

/// What `module` needs, as one run in a large arena measures it: in bytes of a device's arena.
fn need(module: &[u8], compiled_in: bool) -> usize {
    arena(64 * 1024);
    let mut parser = if compiled_in { parser(module) } else { slot() };
    if !compiled_in {
        plug(&mut parser, module, 64).expect("enough room");
    }
    works(&mut parser);
    parser.usage().need.div_ceil(size_of::<usize>() / 4)
}

#[test]
fn every_allocation_fails_once() {
    for compiled_in in [true, false] {
        let module = good();
        let need = need(&module, compiled_in);
        // Every size there is: arenas come in steps of 16 bytes of memory.
        let step = 16 / (size_of::<usize>() / 4);
        for bytes in (0..need).step_by(step) {
            assert_eq!(
                outcome(bytes, &module, compiled_in),
                Err(Failure::PluginMemory),
                "{bytes} of {need} bytes"
            );
        }
        for bytes in [need, need + 16, need + 160, 2 * need] {
            assert_eq!(outcome(bytes, &module, compiled_in), Ok(()), "{bytes}, {need} needed");
        }
        arena(64 * 1024);
        works(&mut common::parser(&module));
    }
}

/// Only a document that begins with `D` makes it call itself, and its stack grow beyond what there is;
/// one that begins with `U` makes it trap.
fn deep() -> Vec<u8> {
    module(
        "(local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
         (if (i32.eq (i32.load8_u (i32.const 64)) (i32.const 0x44))
             (then (drop (call 3 (local.get $len) (local.get $index)))))
         (if (i32.eq (i32.load8_u (i32.const 64)) (i32.const 0x55)) (then unreachable))
         i32.const -0x10102",
    )
}

#[test]
fn a_plugin_from_over_the_air_that_ran_out_is_told_until_it_is_plugged_again() {
    let module = deep();
    arena(need_of(&module) + 1200);
    let mut parser = slot();
    let check = |parser: &mut coreota_plugins::PluginParser| parser.plug(3, Plug::Check);
    assert_eq!(check(&mut parser), Some(Ok(())), "an empty slot lacks nothing");
    assert_eq!(parser.plug(2, Plug::Check), None);
    for _ in 0..3 {
        assert_eq!(plug(&mut parser, &module, 256), Ok(()));
        assert_eq!(refused(&mut parser, b"x"), Failure::NoSuchKey);
        assert_eq!(check(&mut parser), Some(Ok(())));
        // A call that broke off begins anew by itself.
        assert_eq!(refused(&mut parser, b"Unreachable"), Failure::PluginTrap);
        assert_eq!(check(&mut parser), Some(Ok(())));
        assert_eq!(refused(&mut parser, b"x"), Failure::NoSuchKey);
        // One that left does not.
        assert_eq!(refused(&mut parser, b"Deep"), Failure::PluginMemory);
        assert_eq!(refused(&mut parser, b"x"), Failure::PluginMemory);
        assert_eq!(check(&mut parser), Some(Err(Failure::PluginMemory)));
    }
    assert_eq!(parser.plug(3, Plug::Stop), Some(Ok(())));
    assert_eq!(check(&mut parser), Some(Ok(())), "it is not to run");
}

#[test]
fn a_plugin_that_is_compiled_in_comes_back_after_it_ran_out() {
    let module = deep();
    let need = need_of(&module);
    arena(need + 32);
    let mut parser = parser(&module);
    for _ in 0..3 {
        assert_eq!(refused(&mut parser, b"x"), Failure::NoSuchKey);
        assert_eq!(refused(&mut parser, b"Deep"), Failure::PluginMemory);
    }
}

fn need_of(module: &[u8]) -> usize {
    arena(64 * 1024);
    let mut parser = parser(module);
    assert_eq!(refused(&mut parser, b"x"), Failure::NoSuchKey);
    parser.usage().need.div_ceil(size_of::<usize>() / 4)
}
