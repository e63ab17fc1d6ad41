//! Frames on a serial line, from every byte to every damage. The link itself is tested with the
//! bridge at its other end, in `cli/tests/provider/serial.rs`.

use coreota::link::serial::frame::{AROUND, Decoder, Frame, Got, Request, encode, split};
use coreota::sim::random::Random;

const ROOM: usize = 300;

fn decoder() -> Decoder<[u8; ROOM + AROUND]> {
    Decoder::new([0; ROOM + AROUND])
}

/// The frames that are found, as number and body.
fn frames(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut decoder = decoder();
    let mut found = Vec::new();
    for byte in bytes {
        if decoder.push(*byte) == Got::Frame {
            let Frame { kind, number, body } = decoder.frame().expect("whole");
            assert_eq!(Request::of(kind), Some(Request::Publish));
            found.push((number, body.to_vec()));
        }
    }
    found
}

fn framed(number: u8, body: &[u8]) -> Vec<u8> {
    let (first, rest) = body.split_at(body.len() / 3);
    encode(Request::Publish as u8, number, &[first, &[], rest]).collect()
}

#[test]
fn every_byte_arrives_as_it_was() {
    let all: Vec<u8> = (0..=255).collect();
    for number in [0, 0xc0, 0xdb, 0xff] {
        assert_eq!(frames(&framed(number, &all)), [(number, all.clone())]);
    }
    assert_eq!(frames(&framed(1, &[])), [(1, Vec::new())]);
    let ends = framed(2, &[0xc0; ROOM]);
    assert_eq!(ends.iter().filter(|byte| **byte == 0xc0).count(), 2, "only its two ends");
}

#[test]
fn no_flipped_bit_and_no_lost_byte_goes_unseen() {
    let frame = framed(3, b"a body \xc0 with \xdb all sorts of bytes");
    let behind = framed(4, b"the next");
    for at in 0..frame.len() {
        let mut lost = frame.clone();
        lost.remove(at);
        let flipped = (0..8).map(|bit| {
            let mut frame = frame.clone();
            frame[at] ^= 1 << bit;
            frame
        });
        for damaged in flipped.chain([lost]) {
            let found = frames(&[damaged, behind.clone()].concat());
            // Without its first end it may be found no more; without its last, the next one's will do.
            let whole = |(number, body): &(u8, Vec<u8>)| match number {
                3 => *body == b"a body \xc0 with \xdb all sorts of bytes",
                _ => *number == 4 && body == b"the next",
            };
            assert!(found.iter().all(whole), "{at}: {found:?}");
            assert!(found.iter().any(|(number, _)| *number == 4), "{at}: the next is lost");
        }
    }
}

#[test]
fn what_there_is_no_room_for_is_passed_over() {
    let line = [framed(5, &[7; ROOM + 1]), framed(6, &[7; ROOM])].concat();
    assert_eq!(frames(&line), [(6, vec![7; ROOM])]);
    assert_eq!(decoder().room(), ROOM);
    let mut none = Decoder::new([0; 0]);
    assert!(framed(7, b"x").iter().all(|byte| none.push(*byte) == Got::Nothing));
    assert_eq!((none.room(), none.frame()), (0, None));
}

#[test]
fn noise_is_never_a_frame() {
    let mut random = Random::new(1);
    let noise: Vec<u8> = (0..200_000).map(|_| random.byte()).collect();
    assert_eq!(frames(&noise), []);
    // Many ends, and kinds that are known.
    let noise = noise.iter().map(|byte| match byte % 4 {
        0 => 0xc0,
        1 => Request::Publish as u8,
        _ => *byte,
    });
    assert_eq!(frames(&noise.collect::<Vec<u8>>()), []);
}

#[test]
fn a_message_is_split_only_where_it_can_be() {
    assert_eq!(split(b"\x02\x00ab"), Some(("ab", &b""[..])));
    assert_eq!(split(b"\x02\x00abc"), Some(("ab", &b"c"[..])));
    for wrong in [&b""[..], b"\x01", b"\x03\x00ab", b"\xff\xffab", b"\x01\x00\xff"] {
        assert_eq!(split(wrong), None);
    }
}
