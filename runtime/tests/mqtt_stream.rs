//! MQTT streams in both encodings: what is asked for, and what is taken for an answer.

mod messages;

use coreota::{
    error::Failure,
    message::Message,
    transport::{
        Arrival, BlockProtocol, Geometry, Wanted,
        mqtt_stream::{
            BLOCK_MIN, BLOCKS_MAX, Cbor, Json, MqttStream, PAYLOAD_MAX, REQUEST_MAX,
            REQUEST_PAYLOAD_MAX, STREAM_MAX, THING_MAX, TOPIC_MAX,
        },
    },
    wire::Writer,
};
use messages::{ALL, GEOMETRY, Is, Speaks, block, hear, open, request, with, write_members};

/// Runs a test in both encodings.
macro_rules! in_both {
    ($($name:ident)*) => {
        mod cbor { $(#[test] fn $name() { super::$name::<super::Cbor>(); })* }
        mod json { $(#[test] fn $name() { super::$name::<super::Json>(); })* }
    };
}
in_both! {
    a_block_in_any_order_of_keys
    a_block_of_another_download
    a_late_block_of_an_earlier_request
    refusals_and_what_they_mean
    names_and_sizes_have_limits
    a_request_is_cut_to_what_the_provider_sends
    unknown_keys_are_passed_over_so_deep
}

#[test]
fn a_request_asks_for_exactly_what_is_missing() {
    let wanted = Wanted { first: 8, bits: 0b1_0011_0100 };
    let (topic, payload) = request(&mut open::<Json>(), wanted);
    assert_eq!(topic, "$aws/things/T/streams/S/get/json");
    let token = Json::token(&payload);
    let said = format!(r#"{{"c":"{token}","f":3,"l":512,"o":10,"n":4,"b":"4d"}}"#);
    assert_eq!(String::from_utf8(payload), Ok(said));

    let (topic, payload) = request(&mut open::<Cbor>(), wanted);
    assert_eq!(topic, "$aws/things/T/streams/S/get/cbor");
    let expected = [
        b"\xa6\x61c\x68".as_slice(),
        token.as_bytes(),
        b"\x61f\x03\x61l\x19\x02\x00\x61o\x0a\x61n\x04\x61b\x41\x4d",
    ]
    .concat();
    assert_eq!(payload, expected);
}

#[test]
fn topics_to_subscribe_to() {
    let stream = open::<Cbor>();
    let mut topics = vec![];
    loop {
        let mut room = [0; TOPIC_MAX];
        let mut topic = Writer::new(&mut room);
        if !stream.subscription(topics.len(), &mut topic) {
            break;
        }
        topics.push(String::from_utf8(topic.finish().expect("fits").to_vec()).expect("UTF-8"));
    }
    assert_eq!(
        topics,
        ["$aws/things/T/streams/S/data/cbor", "$aws/things/T/streams/S/rejected/cbor"]
    );
}

fn a_block_in_any_order_of_keys<E: Speaks>() {
    let mut stream = open::<E>();
    let mut members = block(&mut stream);
    let taken = (Arrival::Block { index: 1, len: 512 }, true);
    for turn in 0..members.len() {
        members.rotate_left(turn);
        assert_eq!(hear(&mut stream, "data", &E::write(&members), ALL), taken);
        members.swap(0, 1);
        assert_eq!(hear(&mut stream, "data", &E::write(&members), ALL), taken);
    }
    // The last one is short.
    let last = with(&with(&members, "i", Is::Number(2)), "l", Is::Number(76));
    let last = with(&last, "p", Is::Bytes(vec![9; 76]));
    let taken = (Arrival::Block { index: 2, len: 76 }, true);
    assert_eq!(hear(&mut stream, "data", &E::write(&last), ALL), taken);
}

#[test]
fn cbor_maps_of_known_length_and_long_numbers() {
    let mut stream = open::<Cbor>();
    let members = block(&mut stream);
    let mut cbor = minicbor::Encoder::new(Vec::new());
    cbor.map(5).expect("a vector");
    write_members(&mut cbor, &members);
    let mut payload = cbor.into_writer();
    let taken = (Arrival::Block { index: 1, len: 512 }, true);
    assert_eq!(hear(&mut stream, "data", &payload, ALL), taken);
    // Block number 1 in eight bytes.
    let at = payload.windows(3).position(|three| three == b"\x61i\x01").expect("a block number");
    payload.splice(at + 2..at + 3, *b"\x1b\0\0\0\0\0\0\0\x01");
    assert_eq!(hear(&mut stream, "data", &payload, ALL), taken);
    // One pair less than promised, and one more.
    for pairs in [4, 6] {
        payload[0] = 0xa0 | pairs;
        let (arrival, written) = hear(&mut stream, "data", &payload, ALL);
        assert!(matches!(arrival, Arrival::Ignored(_)) && !written, "{pairs}: {arrival:?}");
    }
}

#[test]
fn json_base64_with_escaped_slashes() {
    let mut stream = open::<Json>();
    let members = with(&block(&mut stream), "p", Is::Bytes(vec![0xff; 512]));
    let payload = String::from_utf8(Json::write(&members)).expect("ASCII").replace('/', r"\/");
    assert!(payload.contains(r"\/\/"));
    let taken = (Arrival::Block { index: 1, len: 512 }, true);
    assert_eq!(hear(&mut stream, "data", payload.as_bytes(), ALL), taken);
    let short = payload.replacen(r"\/\/\/\/", "", 1);
    let (arrival, _) = hear(&mut stream, "data", short.as_bytes(), ALL);
    assert_eq!(arrival, Arrival::Ignored(Failure::BadBlock));
}

fn a_block_of_another_download<E: Speaks>() {
    let mut stream = open::<E>();
    let members = block(&mut stream);
    let payload = E::write(&members);
    for geometry in [
        Geometry { size: 1101, ..GEOMETRY },
        Geometry { file: 4, ..GEOMETRY },
        Geometry { block: 256, ..GEOMETRY },
    ] {
        stream.open("S", geometry).expect("a stream");
        let ignored = (Arrival::Ignored(Failure::BadBlock), false);
        assert_eq!(hear(&mut stream, "data", &payload, ALL), ignored, "{geometry:?}");
    }
    stream.open("other", GEOMETRY).expect("a stream");
    let ignored = (Arrival::Ignored(Failure::BadBlock), false);
    assert_eq!(hear(&mut stream, "data", &payload, ALL), ignored);
    let topic = format!("$aws/things/U/streams/S/data/{}", E::NAME);
    let elsewhere = Message { topic: &topic, payload: &payload };
    assert_eq!(stream.accept(elsewhere, ALL, &mut [0; 512]), Arrival::NotMine);
}

fn a_late_block_of_an_earlier_request<E: Speaks>() {
    let mut stream = open::<E>();
    let payload = E::write(&block(&mut stream));
    request(&mut stream, Wanted { first: 2, bits: 1 });
    stream.open("other", GEOMETRY).expect("a stream");
    stream.open("S", GEOMETRY).expect("a stream");
    let taken = (Arrival::Block { index: 1, len: 512 }, true);
    assert_eq!(hear(&mut stream, "data", &payload, ALL), taken);
    // And a device that was reset since.
    assert_eq!(hear(&mut open::<E>(), "data", &payload, ALL), taken);
}

fn refusals_and_what_they_mean<E: Speaks>() {
    let mut stream = open::<E>();
    let token = E::token(&request(&mut stream, ALL).1);
    for (code, why) in [
        ("ResourceNotFound", Failure::StreamMissing),
        ("VersionMismatch", Failure::StreamVersion),
        ("ETagMismatch", Failure::StreamVersion),
        ("OffsetOutOfBounds", Failure::StreamShort),
        ("InvalidRequest", Failure::StreamShort),
        ("RequestThrottled", Failure::Throttled),
        ("InternalError", Failure::Throttled),
        ("InvalidCbor", Failure::Throttled),
        ("InvalidJson", Failure::Throttled),
        ("Unauthorized", Failure::StreamRefused),
        ("BlockSizeOutOfBounds", Failure::StreamRefused),
        ("SomethingNew", Failure::StreamRefused),
    ] {
        let refused = (Arrival::Refused(why), false);
        let said = |key| vec![(key, Is::Text(code.into())), ("m", Is::Text("words".into()))];
        for mut members in [said("o"), said("code")] {
            assert_eq!(hear(&mut stream, "rejected", &E::write(&members), ALL), refused, "{code}");
            members.insert(0, ("c", Is::Text(token.clone())));
            assert_eq!(hear(&mut stream, "rejected", &E::write(&members), ALL), refused, "{code}");
            let other = E::write(&with(&members, "c", Is::Text("00000000".into())));
            let ignored = (Arrival::Ignored(Failure::BadBlock), false);
            assert_eq!(hear(&mut stream, "rejected", &other, ALL), ignored, "{code}");
        }
    }
    for (members, why) in [
        (vec![("m", Is::Text("words".into()))], Failure::MissingField),
        (vec![("o", Is::Number(5))], Failure::WrongType),
    ] {
        let ignored = (Arrival::Ignored(why), false);
        assert_eq!(hear(&mut stream, "rejected", &E::write(&members), ALL), ignored);
    }
}

fn names_and_sizes_have_limits<E: Speaks>() {
    let thing = "t".repeat(THING_MAX);
    let mut stream = MqttStream::<E>::new(&thing).expect("a name");
    for bad in ["", "a/b", "+", "é", &"t".repeat(THING_MAX + 1)] {
        assert_eq!(MqttStream::<E>::new(bad).err(), Some(Failure::BadText), "{bad}");
    }
    for bad in ["", "a/b", "#", "a:b", &"s".repeat(STREAM_MAX + 1)] {
        assert_eq!(stream.open(bad, GEOMETRY), Err(Failure::BadText), "{bad}");
    }
    let sized = |size, block| Geometry { size, block, file: 0 };
    for (geometry, ok) in [
        (sized(1, BLOCK_MIN), true),
        (sized(1, BLOCK_MIN - 1), false),
        (sized(1, E::BLOCK_MAX), true),
        (sized(1, E::BLOCK_MAX + 1), false),
        (sized(0, 512), false),
        (sized(1, 0), false),
        (sized(BLOCKS_MAX * 256, 256), true),
        (sized(BLOCKS_MAX * 256 + 1, 256), false),
        (sized(u32::MAX, 65_536), true),
    ] {
        let expected = if ok { Ok(()) } else { Err(Failure::Misconfigured) };
        assert_eq!(stream.open("S", geometry), expected, "{geometry:?}");
    }
    // The longest of everything.
    stream.open(&"s".repeat(STREAM_MAX), sized(u32::MAX, 65_536)).expect("a stream");
    let (topic, _) = request(&mut stream, Wanted { first: u32::MAX - 63, bits: u64::MAX });
    assert_eq!(topic.len() + "rejected/cbor".len() - "get/cbor".len(), TOPIC_MAX);
    let longest = Geometry { size: u32::MAX, block: 50_000, file: 255 };
    stream.open("S", longest).expect("a stream");
    let bits = 1 | 1 << 63;
    let (_, payload) = request(&mut stream, Wanted { first: u32::MAX - 63, bits });
    assert!(payload.len() <= REQUEST_PAYLOAD_MAX - 8, "{}", payload.len());
    // A whole message around the longest block.
    stream.open("S", sized(u32::MAX, E::BLOCK_MAX)).expect("a stream");
    let mut members = block(&mut stream);
    members = with(&members, "p", Is::Bytes(vec![0; E::BLOCK_MAX as usize]));
    members = with(&members, "l", Is::Number(E::BLOCK_MAX.into()));
    members = with(&members, "i", Is::Number(BLOCKS_MAX.into()));
    members = with(&members, "f", Is::Number(255));
    let payload = E::write(&members);
    assert!(payload.len() <= PAYLOAD_MAX as usize, "{}", payload.len());
}

fn a_request_is_cut_to_what_the_provider_sends<E: Speaks>() {
    let mut stream = open::<E>();
    for (block, most) in [(512, 64), (4096, 32), (65_536, 2), (40_000, 3)] {
        assert!(block * most <= REQUEST_MAX);
        stream.open("S", Geometry { size: block * 1000, block, file: 0 }).expect("a stream");
        let (_, all) = request(&mut stream, Wanted { first: 7, bits: u64::MAX });
        let first = u64::MAX >> (64 - most);
        let (_, some) = request(&mut stream, Wanted { first: 7, bits: first });
        assert_eq!(all, some, "{block}");
        let (_, fewer) = request(&mut stream, Wanted { first: 7, bits: first >> 1 });
        assert_ne!(all, fewer, "{block}");
    }
}

fn unknown_keys_are_passed_over_so_deep<E: Speaks>() {
    let mut stream = open::<E>();
    let members = block(&mut stream);
    for at in 0..=members.len() {
        for (deep, arrival) in [
            (8, Arrival::Block { index: 1, len: 512 }),
            (9, Arrival::Ignored(Failure::TooDeep)),
            (1000, Arrival::Ignored(Failure::TooDeep)),
        ] {
            let mut members = members.clone();
            members.insert(at, ("unknown", Is::Lists(deep)));
            members.insert(at, ("x", Is::Null));
            let heard = hear(&mut stream, "data", &E::write(&members), ALL);
            assert_eq!(heard.0, arrival, "{at} {deep}");
        }
    }
}
