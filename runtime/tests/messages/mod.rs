//! Stream messages of any content, right or wrong, in both encodings; and a stream that hears them.

#![allow(dead_code)] // each test binary uses its part

use base64::{Engine, prelude::BASE64_STANDARD};
use coreota::{
    message::{Draft, Message},
    transport::{
        Arrival, BlockProtocol, Geometry, Wanted,
        mqtt_stream::{Encoding, MqttStream, REQUEST_PAYLOAD_MAX, TOPIC_MAX},
    },
};

/// Three blocks: 512, 512 and 76 bytes.
pub(crate) const GEOMETRY: Geometry = Geometry { size: 1100, block: 512, file: 3 };
pub(crate) const ALL: Wanted = Wanted { first: 0, bits: 0b111 };

/// A value of a member.
#[derive(Clone, Debug)]
pub(crate) enum Is {
    Number(i128),
    Text(String),
    Bytes(Vec<u8>),
    Null,
    /// Lists in lists, so many.
    Lists(usize),
}

pub(crate) type Members = Vec<(&'static str, Is)>;

/// What every test says in both encodings.
pub(crate) trait Speaks: Encoding {
    fn write(members: &Members) -> Vec<u8>;
    /// The token of a request.
    fn token(request: &[u8]) -> String;
}

impl Speaks for coreota::transport::mqtt_stream::Json {
    fn write(members: &Members) -> Vec<u8> {
        let members: Vec<_> = members
            .iter()
            .map(|(key, is)| match is {
                Is::Number(number) => format!("\"{key}\":{number}"),
                Is::Text(text) => format!("\"{key}\":\"{text}\""),
                Is::Bytes(bytes) => format!("\"{key}\":\"{}\"", BASE64_STANDARD.encode(bytes)),
                Is::Null => format!("\"{key}\":null"),
                Is::Lists(deep) => format!("\"{key}\":{}{}", "[".repeat(*deep), "]".repeat(*deep)),
            })
            .collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    }

    fn token(request: &[u8]) -> String {
        let request: serde_json::Value = serde_json::from_slice(request).expect("JSON");
        request["c"].as_str().expect("a token").to_owned()
    }
}

impl Speaks for coreota::transport::mqtt_stream::Cbor {
    /// As the service does: a map of indefinite length.
    fn write(members: &Members) -> Vec<u8> {
        let mut cbor = minicbor::Encoder::new(Vec::new());
        cbor.begin_map().expect("a vector");
        write_members(&mut cbor, members);
        cbor.end().expect("a vector");
        cbor.into_writer()
    }

    fn token(request: &[u8]) -> String {
        let mut cbor = minicbor::Decoder::new(request);
        for _ in 0..cbor.map().expect("a map").expect("of known length") {
            if cbor.str().expect("a key") == "c" {
                return cbor.str().expect("a token").to_owned();
            }
            cbor.skip().expect("a value");
        }
        panic!("no token");
    }
}

pub(crate) fn write_members(cbor: &mut minicbor::Encoder<Vec<u8>>, members: &Members) {
    for (key, is) in members {
        cbor.str(key).expect("a vector");
        match is {
            Is::Number(number) => {
                let number = minicbor::data::Int::try_from(*number).expect("64 bits");
                cbor.int(number)
            }
            Is::Text(text) => cbor.str(text),
            Is::Bytes(bytes) => cbor.bytes(bytes),
            Is::Null => cbor.null(),
            Is::Lists(deep) => {
                for _ in 1..*deep {
                    cbor.array(1).expect("a vector");
                }
                cbor.array(0)
            }
        }
        .expect("a vector");
    }
}

pub(crate) fn open<E: Encoding>() -> MqttStream<E> {
    let mut stream = MqttStream::new("T").expect("a name");
    stream.open("S", GEOMETRY).expect("a stream");
    stream
}

/// Topic and payload of a request.
pub(crate) fn request<E: Encoding>(
    stream: &mut MqttStream<E>,
    wanted: Wanted,
) -> (String, Vec<u8>) {
    let (mut topic, mut payload) = ([0; TOPIC_MAX], [0; REQUEST_PAYLOAD_MAX]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    stream.request(wanted, &mut draft).expect("fits");
    let message = draft.finish().expect("fits");
    (message.topic.to_owned(), message.payload.to_vec())
}

/// A good message with block 1 for a stream that is open.
pub(crate) fn block<E: Speaks>(stream: &mut MqttStream<E>) -> Members {
    let token = E::token(&request(stream, ALL).1);
    vec![
        ("f", Is::Number(3)),
        ("i", Is::Number(1)),
        ("l", Is::Number(512)),
        ("p", Is::Bytes(vec![7; 512])),
        ("c", Is::Text(token)),
    ]
}

/// `members` with `key` saying something else.
pub(crate) fn with(members: &Members, key: &str, is: Is) -> Members {
    let mut members = members.clone();
    let member = members.iter_mut().find(|(name, _)| *name == key).expect("a member");
    member.1 = is;
    members
}

/// Hears a message on `T`'s stream `S`; also whether a byte of the buffer changed.
pub(crate) fn hear<E: Encoding>(
    stream: &mut MqttStream<E>,
    kind: &str,
    payload: &[u8],
    wanted: Wanted,
) -> (Arrival, bool) {
    let topic = format!("$aws/things/T/streams/S/{kind}/{}", E::NAME);
    let mut into = [0; 512];
    let arrival = stream.accept(Message { topic: &topic, payload }, wanted, &mut into);
    (arrival, into != [0; 512])
}
