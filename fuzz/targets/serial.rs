//! A serial line: whatever comes on it, what is taken for a frame has its checksum and fits the room.
#![no_main]

use coreota::link::serial::frame::{AROUND, Decoder, Frame, Got, encode, split};
use libfuzzer_sys::fuzz_target;

const ROOM: usize = 64;
/// Requests and answers.
const KINDS: [u8; 8] = [0x81, 0x82, 0x83, 0x84, 0x91, 0x92, 0x93, 0x94];

/// How many frames there are in the bytes, each held against the rules.
fn frames(line: impl Iterator<Item = u8>) -> usize {
    let mut decoder = Decoder::new([0; ROOM + AROUND]);
    let mut found = 0;
    for byte in line {
        if decoder.push(byte) != Got::Frame {
            continue;
        }
        let Frame { kind, body, .. } = decoder.frame().expect("it was just said");
        assert!(body.len() <= ROOM && kind >= 0x80);
        if let Some((topic, payload)) = split(body) {
            assert_eq!(topic.len() + payload.len() + 2, body.len());
        }
        found += 1;
    }
    found
}

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (kind, number, bytes) = input;
    frames(bytes.iter().copied());
    // Behind whatever noise, a whole frame is heard.
    let body = [&bytes[..bytes.len().min(ROOM)]];
    let whole = || encode(KINDS[usize::from(kind % 8)], number, &body);
    assert_eq!(frames(whole()), 1);
    assert!(frames(bytes.iter().copied().chain(whole())) >= 1);
});
