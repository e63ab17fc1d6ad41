//! A plugin as a block protocol: what it may say, and what it cannot make anybody believe.

mod common;

use common::{outside, plug_by, protocol, protocol_home};
use coreota::{
    error::Failure,
    message::{Draft, Message},
    plugin::Plug,
    transport::{Arrival, BlockProtocol, Either, Geometry, Wanted, mqtt_stream},
    wire::Writer,
};
use coreota_plugins::{Home, Hosted, PluginBlocks};

struct Here;
impl Hosted for Here {
    const HOME: Home = protocol_home("proto", None);
}

/// 250 bytes in blocks of 100.
const GEOMETRY: Geometry = Geometry { size: 250, block: 100, file: 7 };
const ALL: Wanted = Wanted { first: 0, bits: 0b111 };

/// Subscribes to `topic`, asks with the bitmap, and in a message on a topic that begins with
/// - `t` finds the block whose number comes first, a digit, and whose bytes follow;
/// - `R` is told that there is no such file; `E` has an error; `X` breaks down; `N` leads nowhere;
/// - others are not its own.
fn module() -> Vec<u8> {
    protocol(
        2,
        "(local $a i32)
         (if (i32.eq (local.get $event) (i32.const 1)) (then
            (global.set $told (i32.add (global.get $told) (i32.const 1)))
            (if (i32.ne (global.get $told) (i32.const 1)) (then unreachable))))
         (if (i32.eqz (global.get $told)) (then unreachable))
         (if (i32.eq (local.get $event) (i32.const 2)) (then
            (if (i32.ge_u (i32.load (i32.const 72)) (i32.const 2)) (then (return (i32.const 0))))
            (call $record (i32.const 0) (i32.const 0x40) (i32.const 1536)
                (i32.sub (i32.const 5) (i32.load (i32.const 72))) (i32.const 0))
            (return (i32.const 1))))
         (if (i32.eq (local.get $event) (i32.const 4)) (then
            (if (i32.eq (i32.load8_u (i32.const 84)) (i32.const 33))
                (then (return (i32.const -0x2010a))))))
         (if (i32.eq (local.get $event) (i32.const 5)) (then
            (i32.store8 (i32.const 1600) (i32.add (i32.const 48) (i32.load (i32.const 72))))
            (i32.store8 (i32.const 1601) (i32.add (i32.const 48) (i32.load (i32.const 76))))
            (call $record (i32.const 0) (i32.const 0x50041) (i32.const 1600) (i32.const 2)
                (i32.const 1536))
            (return (i32.const 1))))
         (if (i32.eq (local.get $event) (i32.const 3)) (then
            (local.set $a (i32.load8_u (i32.const 84)))
            (if (i32.eq (local.get $a) (i32.const 116)) (then
                (local.set $a (i32.add (i32.const 84) (i32.load (i32.const 64))))
                (call $record (i32.const 0) (i32.const 0x42)
                    (i32.add (local.get $a) (i32.const 1))
                    (i32.sub (i32.load (i32.const 68)) (i32.const 1))
                    (i32.sub (i32.load8_u (local.get $a)) (i32.const 48)))
                (return (i32.const 1))))
            (if (i32.eq (local.get $a) (i32.const 82)) (then
                (call $record (i32.const 0) (i32.const 0x43) (i32.const 0x205) (i32.const 0) (i32.const 0))
                (return (i32.const 1))))
            (if (i32.eq (local.get $a) (i32.const 87)) (then
                (call $record (i32.const 0) (i32.const 0x44) (i32.const 84) (i32.const 1) (i32.const 0))
                (call $record (i32.const 16) (i32.const 0x45) (i32.const 5000) (i32.const 0) (i32.const 0))
                (call $record (i32.const 32) (i32.const 0x7f) (i32.const -1) (i32.const -1) (i32.const -1))
                (return (i32.const 3))))
            (if (i32.eq (local.get $a) (i32.const 69)) (then (return (i32.const -0x20209))))
            (if (i32.eq (local.get $a) (i32.const 88)) (then unreachable))
            (if (i32.eq (local.get $a) (i32.const 78)) (then (return (i32.const 0))))
            (if (i32.eq (local.get $a) (i32.const 70)) (then
                (call $record (i32.const 0) (i32.const 0x42) (i32.const 2000) (i32.const 100) (i32.const 0))
                (return (i32.const 1))))
            (return (i32.const -0x10101))))",
    )
}

fn opened() -> PluginBlocks<Here> {
    let mut blocks = PluginBlocks::<Here>::new("thing").unwrap();
    plug_by(2, &module(), |step| blocks.plug(5, step)).unwrap();
    blocks.open("place", GEOMETRY).unwrap();
    blocks
}

fn accept(
    blocks: &mut impl BlockProtocol,
    topic: &str,
    payload: &[u8],
    into: &mut [u8],
) -> Arrival {
    blocks.accept(Message { topic, payload }, ALL, into)
}

fn block(index: u8, len: usize) -> Vec<u8> {
    [vec![b'0' + index], vec![index; len]].concat()
}

#[test]
fn topics_one_after_the_other() {
    let blocks = opened();
    let mut room = [0; 16];
    for (index, expected) in [(0, Some("topic")), (1, Some("topi")), (2, None), (8, None)] {
        let mut topic = Writer::new(&mut room);
        assert_eq!(blocks.subscription(index, &mut topic), expected.is_some());
        assert_eq!(topic.finish(), Ok(expected.unwrap_or_default().as_bytes()));
    }
}

#[test]
fn a_request_is_its_message_with_its_bitmap() {
    let mut blocks = opened();
    let (mut topic, mut payload) = ([0; 16], [0; 16]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    assert_eq!(blocks.request(Wanted { first: 1, bits: 3 }, &mut draft), Ok(()));
    assert_eq!(draft.finish(), Ok(Message { topic: "topic", payload: b"13" }));
    let (mut topic, mut payload) = ([0; 4], [0; 16]);
    let mut small = Draft::new(&mut topic, &mut payload);
    assert_eq!(blocks.request(ALL, &mut small), Err(Failure::MessageTooLong));
}

#[test]
fn blocks_of_exactly_their_length_that_are_wanted() {
    let mut blocks = opened();
    let mut into = [0xee; 100];
    let mut go = |payload: &[u8]| accept(&mut blocks, "topic", payload, &mut into);
    assert_eq!(go(&block(0, 100)), Arrival::Block { index: 0, len: 100 });
    assert_eq!(go(&block(2, 50)), Arrival::Block { index: 2, len: 50 });
    for (index, len) in [(0, 99), (1, 0), (2, 49), (3, 50), (9, 1)] {
        assert_eq!(go(&block(index, len)), Arrival::Ignored(Failure::BadBlock), "{index} {len}");
    }
    // More than a block finds no room.
    for (index, len) in [(0, 101), (2, 51)] {
        assert!(matches!(go(&block(index, len)), Arrival::Ignored(_)), "{index} {len}");
    }
    assert_eq!(
        accept(&mut blocks, "topic", &block(1, 100), &mut into),
        Arrival::Block { index: 1, len: 100 }
    );
    assert_eq!(into, [1; 100]);
    let not_wanted = Wanted { first: 1, bits: 1 };
    let message = Message { topic: "topic", payload: &block(0, 100) };
    assert_eq!(blocks.accept(message, not_wanted, &mut into), Arrival::Ignored(Failure::BadBlock));
}

#[test]
fn what_else_a_message_can_be() {
    let mut blocks = opened();
    let mut into = [0; 100];
    for (topic, expected) in [
        ("other", Arrival::NotMine),
        ("R", Arrival::Refused(Failure::StreamMissing)),
        // A request, a timer and a record of tomorrow: passed over, so that it brings nothing.
        ("W", Arrival::Ignored(Failure::BadBlock)),
        ("E", Arrival::Ignored(Failure::BadBlock)),
        ("N", Arrival::Ignored(Failure::BadBlock)),
    ] {
        assert_eq!(accept(&mut blocks, topic, b"x", &mut into), expected, "{topic}");
    }
    assert_eq!(accept(&mut blocks, "topic", &[b'0'; 600], &mut into), Arrival::NotMine);
}

#[test]
fn one_that_breaks_down_ends_its_download_and_serves_the_next() {
    for (topic, why) in [("X", Failure::PluginTrap), ("F", Failure::PluginBounds)] {
        let before = outside();
        let mut blocks = opened();
        let mut into = [0; 100];
        assert_eq!(accept(&mut blocks, topic, b"x", &mut into), Arrival::Refused(why));
        // Nothing is opened any more, and the next request says why.
        assert_eq!(accept(&mut blocks, "topic", &block(0, 100), &mut into), Arrival::NotMine);
        let (mut topic, mut payload) = ([0; 16], [0; 16]);
        let mut draft = Draft::new(&mut topic, &mut payload);
        assert_eq!(blocks.request(ALL, &mut draft), Err(why));
        assert!(!blocks.subscription(0, &mut draft.topic));
        assert_eq!(blocks.open("place", GEOMETRY), Ok(()));
        assert_eq!(
            accept(&mut blocks, "topic", &block(0, 100), &mut into),
            Arrival::Block { index: 0, len: 100 }
        );
        drop(blocks);
        assert_eq!(outside(), before);
    }
}

#[test]
fn a_place_it_does_not_like_and_a_slot_that_is_empty() {
    let mut blocks = opened();
    assert_eq!(blocks.open("!", GEOMETRY), Err(Failure::BadText));
    assert_eq!(blocks.plug(5, Plug::Stop), Some(Ok(())));
    assert_eq!(blocks.open("place", GEOMETRY), Err(Failure::NoPlugin));
    assert_eq!(blocks.plug(4, Plug::Stop), None);
    assert!(PluginBlocks::<Here>::new(&"x".repeat(129)).is_err());
}

#[test]
fn one_that_gives_up_what_it_has_to_do_is_told_so() {
    // Not its own, whatever it is told.
    let module = protocol(2, "(return (i32.const -0x10101))");
    let before = outside();
    let mut blocks = PluginBlocks::<Here>::new("thing").unwrap();
    plug_by(2, &module, |step| blocks.plug(5, step)).unwrap();
    assert_eq!(blocks.open("place", GEOMETRY), Err(Failure::PluginRefused));
    plug_by(2, &self::module(), |step| blocks.plug(5, step)).unwrap();
    assert_eq!(blocks.open("place", GEOMETRY), Ok(()));
    drop(blocks);
    assert_eq!(outside(), before);
}

#[test]
fn a_job_chooses_it_by_its_name() {
    type Both = Either<mqtt_stream::MqttStream<mqtt_stream::Cbor>, PluginBlocks<Here>>;
    let mut both = Both::new("thing").unwrap();
    plug_by(2, &module(), |step| both.plug(5, step)).unwrap();
    assert!(both.choose("") && !both.choose("another"));
    assert!(both.choose("proto"));
    both.open("place", GEOMETRY).unwrap();
    let mut into = [0; 100];
    let arrival = accept(&mut both, "topic", &block(1, 100), &mut into);
    assert_eq!(arrival, Arrival::Block { index: 1, len: 100 });
}
