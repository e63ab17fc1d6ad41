//! What is asked, and what is taken for an answer: `docs/provider.md` says what is right.

use coreota::{
    error::Failure,
    message::{Draft, Message},
    transport::{Arrival, BlockProtocol, Geometry, Wanted},
    wire::Writer,
};
use coreota_plugin::native::Transport;
use raw_blocks::RawBlocks;

/// Three blocks: 512, 512 and 76 bytes.
const GEOMETRY: Geometry = Geometry { size: 1100, block: 512, file: 3 };
const ALL: Wanted = Wanted { first: 0, bits: 0b111 };

fn open() -> Transport<RawBlocks> {
    let mut protocol = Transport::<RawBlocks>::new("thing:1").expect("a name");
    protocol.open("fw-7", GEOMETRY).expect("a stream");
    protocol
}

fn data(file: u32, block: u32, index: u32, bytes: &[u8]) -> Vec<u8> {
    [[file, block, index].map(u32::to_le_bytes).as_flattened(), bytes].concat()
}

fn hear(verb: &str, payload: &[u8], wanted: Wanted) -> (Arrival, [u8; 512]) {
    let mut into = [0; 512];
    let topic = format!("raw-blocks/thing:1/{verb}");
    let arrival = open().accept(Message { topic: &topic, payload }, wanted, &mut into);
    (arrival, into)
}

#[test]
fn it_asks_with_five_numbers() {
    let (mut topic, mut payload) = ([0; 64], [0; 64]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    let wanted = Wanted { first: 0x0102_0304, bits: 0x8000_0000_0000_0005 };
    open().request(wanted, &mut draft).expect("fits");
    let message = draft.finish().expect("fits");
    assert_eq!(message.topic, "raw-blocks/thing:1/fw-7/get");
    assert_eq!(message.payload, b"\x03\0\0\0\0\x02\0\0\x04\x03\x02\x01\x05\0\0\0\0\0\0\x80");
}

#[test]
fn it_listens_to_data_and_refusals() {
    let protocol = open();
    for (index, expected) in [
        (0, Some("raw-blocks/thing:1/fw-7/data")),
        (1, Some("raw-blocks/thing:1/fw-7/refused")),
        (2, None),
    ] {
        let mut room = [0; 64];
        let mut topic = Writer::new(&mut room);
        let found = protocol.subscription(index, &mut topic);
        let text = topic.finish().expect("fits");
        assert_eq!(found.then_some(text), expected.map(str::as_bytes));
    }
}

#[test]
fn a_block_is_taken_as_it_is() {
    for (index, len) in [(0u32, 512usize), (1, 512), (2, 76)] {
        let bytes: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let (arrival, into) = hear("fw-7/data", &data(3, 512, index, &bytes), ALL);
        assert_eq!(arrival, Arrival::Block { index, len: len as u32 });
        assert_eq!(into[..len], bytes);
    }
}

#[test]
fn what_was_not_asked_for_is_not_taken() {
    let whole = [7; 512];
    let right = data(3, 512, 1, &whole);
    for (payload, wanted) in [
        (data(2, 512, 1, &whole), ALL),
        (data(3, 256, 1, &whole), ALL),
        (data(3, 512, 3, &whole), Wanted { first: 0, bits: u64::MAX }),
        (data(3, 512, u32::MAX, &whole), Wanted { first: u32::MAX, bits: 1 }),
        (data(3, 512, 1, &whole[1..]), ALL),
        (data(3, 512, 2, &whole), ALL),
        (data(3, 512, 1, &[7; 513]), ALL),
        (right.clone(), Wanted { first: 2, bits: 1 }),
        (right[..11].to_vec(), ALL),
        (Vec::new(), ALL),
    ] {
        let (arrival, _) = hear("fw-7/data", &payload, wanted);
        assert!(matches!(arrival, Arrival::Ignored(_)), "{payload:?}");
    }
    for verb in ["fw-7/get", "fw-7/", "fw-70/data", "other/data", ""] {
        assert_eq!(hear(verb, &right, ALL).0, Arrival::Ignored(Failure::BadBlock), "{verb}");
    }
    let mut into = [0; 512];
    for topic in ["raw-blocks/thing:12/fw-7/data", "else", ""] {
        let message = Message { topic, payload: &right };
        assert_eq!(open().accept(message, ALL, &mut into), Arrival::NotMine, "{topic}");
    }
}

#[test]
fn a_refusal_says_why() {
    let refused = |payload: &[u8]| hear("fw-7/refused", payload, ALL).0;
    assert_eq!(refused(b"\x05\x02\0\0"), Arrival::Refused(Failure::StreamMissing));
    assert_eq!(refused(b"\x04\x02\0\0"), Arrival::Refused(Failure::StreamRefused));
    assert_eq!(refused(b"\x05\x02"), Arrival::Ignored(Failure::BadBlock));
}

#[test]
fn names_and_blocks_have_limits() {
    for thing in ["", "a/b", "a#", &"t".repeat(129)] {
        assert_eq!(Transport::<RawBlocks>::new(thing).err(), Some(Failure::BadText));
    }
    let mut protocol = Transport::<RawBlocks>::new(&"t".repeat(128)).expect("a name");
    assert_eq!(protocol.open(&"s".repeat(128), GEOMETRY), Ok(()));
    assert_eq!(protocol.open("a/b", GEOMETRY), Err(Failure::BadText));
    for block in [0, 63, 1025] {
        let geometry = Geometry { block, ..GEOMETRY };
        assert_eq!(protocol.open("s", geometry), Err(Failure::Misconfigured));
    }
}
