//! MQTT streams in both encodings: what is asked for, and what is taken for an answer.

use coreota::{
    error::Failure,
    message::{Draft, Message},
    transport::{
        Arrival, BlockProtocol, Geometry, Wanted,
        mqtt_stream::{Cbor, Encoding, Json, MqttStream, REQUEST_PAYLOAD_MAX, TOPIC_MAX},
    },
};

/// Three blocks: 512, 512 and 76 bytes.
const GEOMETRY: Geometry = Geometry { size: 1100, block: 512, file: 3 };
const ALL: Wanted = Wanted { first: 0, bits: 0b111 };

fn open<E: Encoding>() -> MqttStream<E> {
    let mut stream = MqttStream::new("T").expect("a name");
    stream.open("S", GEOMETRY).expect("a stream");
    stream
}

fn request<E: Encoding>(stream: &mut MqttStream<E>, wanted: Wanted) -> (String, Vec<u8>) {
    let (mut topic, mut payload) = ([0; TOPIC_MAX], [0; REQUEST_PAYLOAD_MAX]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    stream.request(wanted, &mut draft).expect("fits");
    let message = draft.finish().expect("fits");
    (message.topic.to_owned(), message.payload.to_vec())
}

#[test]
fn a_request_asks_for_exactly_what_is_missing() {
    let wanted = Wanted { first: 8, bits: 0b1_0011_0100 };
    let (topic, payload) = request(&mut open::<Json>(), wanted);
    assert_eq!(topic, "$aws/things/T/streams/S/get/json");
    let said: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(said["f"], 3);
    assert_eq!(said["l"], 512);
    assert_eq!(said["o"], 10);
    assert_eq!(said["n"], 4);
    assert_eq!(said["b"], "4d");

    let (topic, payload) = request(&mut open::<Cbor>(), wanted);
    assert_eq!(topic, "$aws/things/T/streams/S/get/cbor");
    let token = said["c"].as_str().expect("a token");
    let expected = [
        b"\xa6\x61c\x68".as_slice(),
        token.as_bytes(),
        b"\x61f\x03\x61l\x19\x02\x00\x61o\x0a\x61n\x04\x61b\x41\x4d",
    ]
    .concat();
    assert_eq!(payload, expected);
}

#[test]
fn a_block_is_taken_in_either_encoding() {
    let block = [7; 512];
    let mut stream = open::<Cbor>();
    let (_, sent) = request(&mut stream, ALL);
    let token = &sent[4..12];
    let mut payload = b"\xbf\x61f\x03\x61i\x01\x61l\x19\x02\x00\x61p\x59\x02\x00".to_vec();
    payload.extend(block);
    payload.extend(b"\x61c\x68");
    payload.extend(token);
    payload.push(0xff);
    let mut into = [0; 512];
    let message = Message { topic: "$aws/things/T/streams/S/data/cbor", payload: &payload };
    assert_eq!(stream.accept(message, ALL, &mut into), Arrival::Block { index: 1, len: 512 });
    assert_eq!(into, block);
    let had = Wanted { first: 0, bits: 0b101 };
    assert_eq!(stream.accept(message, had, &mut into), Arrival::Ignored(Failure::BadBlock));

    let mut stream = open::<Json>();
    let token = String::from_utf8(token.to_vec()).expect("ASCII");
    let text = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, block);
    let payload = format!(r#"{{"f":3,"i":1,"l":512,"p":"{text}","c":"{token}"}}"#);
    let mut into = [0; 512];
    let message =
        Message { topic: "$aws/things/T/streams/S/data/json", payload: payload.as_bytes() };
    assert_eq!(stream.accept(message, ALL, &mut into), Arrival::Block { index: 1, len: 512 });
    assert_eq!(into, block);
}
