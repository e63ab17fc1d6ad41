//! The plugin, linked natively, against the core's own implementation: the same bytes asked, the same
//! verdicts, over messages right, wrong and cut anywhere.

use coreota::{
    error::Failure,
    message::{Draft, Message},
    transport::{
        Arrival, BlockProtocol, Geometry, Wanted,
        mqtt_stream::{Cbor, MqttStream},
    },
    wire::Writer,
};
use coreota_plugin::native::Transport;

type Ours = Transport<mqtt_stream::MqttStream>;
type Cores = MqttStream<Cbor>;

/// Three blocks: 512, 512 and 76 bytes.
const GEOMETRY: Geometry = Geometry { size: 1100, block: 512, file: 3 };
const ALL: Wanted = Wanted { first: 0, bits: 0b111 };

fn topics(protocol: &impl BlockProtocol) -> Vec<Vec<u8>> {
    let mut topics = Vec::new();
    loop {
        let mut room = [0; 400];
        let mut topic = Writer::new(&mut room);
        if !protocol.subscription(topics.len(), &mut topic) {
            return topics;
        }
        topics.push(topic.finish().expect("fits").to_vec());
    }
}

fn request(protocol: &mut impl BlockProtocol, wanted: Wanted) -> (String, Vec<u8>) {
    let (mut topic, mut payload) = ([0; 400], [0; 96]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    protocol.request(wanted, &mut draft).expect("fits");
    let message = draft.finish().expect("fits");
    (message.topic.to_owned(), message.payload.to_vec())
}

fn hear(
    protocol: &mut impl BlockProtocol,
    topic: &str,
    payload: &[u8],
    wanted: Wanted,
) -> (Arrival, Vec<u8>) {
    let mut into = [0xaa; 1024];
    let arrival = protocol.accept(Message { topic, payload }, wanted, &mut into);
    let len = match arrival {
        Arrival::Block { len, .. } => len as usize,
        _ => 0,
    };
    (arrival, into[..len].to_vec())
}

/// Both, opened alike.
fn both(thing: &str, stream: &str, geometry: Geometry) -> (Ours, Cores) {
    let mut ours = Ours::new(thing).expect("a name");
    let mut cores = Cores::new(thing).expect("a name");
    assert_eq!(ours.open(stream, geometry), Ok(()));
    assert_eq!(cores.open(stream, geometry), Ok(()));
    (ours, cores)
}

#[test]
fn they_ask_with_the_same_bytes() {
    let names = ["T", "a:b_c-d", &"t".repeat(128)];
    for thing in names {
        for stream in ["S", "AFR_OTA-7", &"s".repeat(128)] {
            for geometry in [
                GEOMETRY,
                Geometry { size: 1, block: 256, file: 0 },
                Geometry { size: 98_304 * 1024, block: 1024, file: 255 },
            ] {
                let (mut ours, mut cores) = both(thing, stream, geometry);
                assert_eq!(topics(&ours), topics(&cores));
                for first in [0, 1, 23, 24, 255, 256, 65_535, 65_536, u32::MAX] {
                    for bits in [1, 2, 0b1010, 1 << 63, u64::MAX, 0xf0f0_0000_0000_0000, 0] {
                        let wanted = Wanted { first, bits };
                        assert_eq!(request(&mut ours, wanted), request(&mut cores, wanted));
                    }
                }
            }
        }
    }
}

#[test]
fn they_refuse_the_same_names_and_geometries() {
    for thing in ["", "a/b", "a+", "\u{e9}", &"t".repeat(129)] {
        assert_eq!(Ours::new(thing).err(), Some(Failure::BadText), "{thing}");
        assert_eq!(Cores::new(thing).err(), Some(Failure::BadText), "{thing}");
    }
    let (mut ours, mut cores) = both("T", "S", GEOMETRY);
    for stream in ["", "a:b", "a#", &"s".repeat(129)] {
        assert_eq!(ours.open(stream, GEOMETRY), Err(Failure::BadText));
        assert_eq!(cores.open(stream, GEOMETRY), Err(Failure::BadText));
    }
    for (size, block) in [(0, 512), (1, 255), (1, 0), (98_304 * 256 + 1, 256)] {
        let geometry = Geometry { size, block, file: 0 };
        assert_eq!(ours.open("S", geometry), Err(Failure::Misconfigured), "{geometry:?}");
        assert_eq!(cores.open("S", geometry), Err(Failure::Misconfigured), "{geometry:?}");
    }
    // What differs: a message has to fit into the plugin.
    let large = Geometry { size: 1, block: mqtt_stream::BLOCK_MAX + 1, file: 0 };
    assert_eq!(ours.open("S", large), Err(Failure::Misconfigured));
}

/// A value of a member.
#[derive(Clone, Debug)]
enum Is {
    Number(u64),
    Negative,
    Text(&'static str),
    Token,
    Bytes(usize),
    Nested(usize),
}

/// A message of these members, in a map of known length or not.
fn message(members: &[(&str, Is)], token: &str, open: bool) -> Vec<u8> {
    let mut cbor = minicbor::Encoder::new(Vec::new());
    let infallible = "a vector takes everything";
    match open {
        true => cbor.begin_map().expect(infallible),
        false => cbor.map(members.len() as u64).expect(infallible),
    };
    for (key, is) in members {
        cbor.str(key).expect(infallible);
        match is {
            Is::Number(number) => cbor.u64(*number),
            Is::Negative => cbor.i8(-1),
            Is::Text(text) => cbor.str(text),
            Is::Token => cbor.str(token),
            Is::Bytes(len) => cbor.bytes(&vec![0x5a; *len]),
            Is::Nested(deep) => {
                for _ in 1..*deep {
                    cbor.array(1).expect(infallible);
                }
                cbor.array(0)
            }
        }
        .expect(infallible);
    }
    if open {
        cbor.end().expect(infallible);
    }
    cbor.into_writer()
}

/// Every message of members that are each right, wrong in some way, absent or there twice.
fn messages(token: &str) -> Vec<Vec<u8>> {
    let right = [
        ("c", Is::Token),
        ("f", Is::Number(3)),
        ("i", Is::Number(1)),
        ("l", Is::Number(512)),
        ("p", Is::Bytes(512)),
        ("x", Is::Nested(8)),
        ("o", Is::Text("ResourceNotFound")),
        ("code", Is::Text("RequestThrottled")),
    ];
    let wrong = [
        Is::Number(0),
        Is::Number(2),
        Is::Number(3),
        Is::Number(76),
        Is::Number(1 << 32),
        Is::Negative,
        Is::Text("InvalidCbor"),
        Is::Text("Unheard"),
        Is::Token,
        Is::Bytes(76),
        Is::Bytes(0),
        Is::Nested(9),
    ];
    let mut messages = Vec::new();
    for open in [false, true] {
        for from in 0..right.len() {
            for to in from..=right.len() {
                messages.push(message(&right[from..to], token, open));
            }
            let without =
                right.iter().enumerate().filter(|(at, _)| *at != from).map(|(_, one)| one.clone());
            messages.push(message(&without.collect::<Vec<_>>(), token, open));
            for other in &wrong {
                let mut members = right.to_vec();
                members[from].1 = other.clone();
                messages.push(message(&members, token, open));
                members.push(right[from].clone());
                messages.push(message(&members, token, open));
            }
        }
    }
    messages
}

#[test]
fn they_take_the_same_answers_for_what_they_are() {
    let (mut ours, mut cores) = both("T", "S", GEOMETRY);
    let (_, asked) = request(&mut cores, ALL);
    let token = std::str::from_utf8(&asked[4..12]).expect("hexadecimal").to_owned();
    let mut blocks = 0;
    let mut kinds = std::collections::HashSet::new();
    let mut compare = |topic: &str, payload: &[u8], wanted| {
        let (ours, cores) =
            (hear(&mut ours, topic, payload, wanted), hear(&mut cores, topic, payload, wanted));
        assert_eq!(ours, cores, "{topic} {payload:02x?}");
        blocks += usize::from(matches!(cores.0, Arrival::Block { .. }));
        kinds.insert(format!("{:?}", cores.0));
    };
    let topics = ["data/cbor", "rejected/cbor", "data/json", "get/cbor", ""];
    for payload in messages(&token).iter().chain(&messages("00000000")) {
        for topic in topics {
            compare(&format!("$aws/things/T/streams/S/{topic}"), payload, ALL);
        }
        compare("$aws/things/T/streams/S/data/cbor", payload, Wanted { first: 2, bits: 1 });
        for topic in ["$aws/things/T/streams/S2/data/cbor", "$aws/things/T/jobs/x", "else", ""] {
            compare(topic, payload, ALL);
        }
    }
    // Cut anywhere, and with any byte changed.
    let whole = message(
        &[
            ("c", Is::Token),
            ("f", Is::Number(3)),
            ("i", Is::Number(2)),
            ("l", Is::Number(76)),
            ("p", Is::Bytes(76)),
            ("o", Is::Text("InternalError")),
        ],
        &token,
        true,
    );
    for at in 0..whole.len() {
        for topic in ["$aws/things/T/streams/S/data/cbor", "$aws/things/T/streams/S/rejected/cbor"]
        {
            compare(topic, &whole[..at], ALL);
            for value in 0..=255 {
                let mut changed = whole.clone();
                changed[at] = value;
                compare(topic, &changed, ALL);
            }
        }
    }
    assert!(blocks > 100, "{blocks} blocks");
    assert!(kinds.len() > 12, "{kinds:?}");
}
