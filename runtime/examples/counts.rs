//! Does one thing of the device path over and over, for counting instructions:
//! `counts CASE REPETITIONS`. What one repetition costs is the difference of two runs, divided.
//! Not a benchmark by itself: it takes no time.

use std::hint::black_box;

use base64::{Engine, prelude::BASE64_STANDARD};
use coreota::{
    job::{Ask, Heard, JobProtocol, aws_iot},
    message::{Draft, Message},
    parser::{
        Parse, Parser,
        afr_ota::{AfrOta, Sha1},
    },
    transport::{
        Arrival, BlockProtocol, Geometry, Wanted,
        mqtt_stream::{self, Cbor, Encoding, Json, MqttStream},
    },
};

type Case = (&'static str, fn(usize));

const CASES: &[Case] = &[
    ("afr-ota-335", afr_ota),
    ("start-next-584", start_next),
    ("block-cbor-4096", block::<Cbor>),
    ("block-json-4096", block::<Json>),
    ("request-cbor", request::<Cbor>),
    ("request-json", request::<Json>),
    // What the JSON reader is measured against.
    ("afr-ota-335-serde-json-core", serde_json_core),
];

const DOCUMENT: &str = r#"{"afr_ota":{"protocols":["MQTT"],"streamname":"AFR_OTA-7bcdeb77-bf2c-4b38-a3b2-3f1bd4d9a5e6","files":[{"filepath":"/device/images/sensors.bin","filesize":647324,"fileid":0,"certfile":"/certs/sign.pem","fileType":0,"sig-sha256-ecdsa":"MEQCIF2QDvww1G/kpRGZ8FYvQrok1bSZvXjXefRk7sqNcyPTAiB4dvGt8fozIY5NC0vUDJ2MY42ZERYEcrbwA4n6q7vrBg=="}]}}"#;

const GEOMETRY: Geometry = Geometry { size: 647_324, block: 4096, file: 0 };
const STREAM: &str = "AFR_OTA-7bcdeb77-bf2c-4b38-a3b2-3f1bd4d9a5e6";
const WANTED: Wanted = Wanted { first: 64, bits: 0xff };

fn main() {
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse().ok());
    match (CASES.iter().find(|(name, _)| *name == case), times) {
        (Some((_, run)), Some(times)) => run(times),
        _ => {
            let names: Vec<_> = CASES.iter().map(|(name, _)| *name).collect();
            eprintln!("usage: counts {} REPETITIONS", names.join("|"));
            std::process::exit(2);
        }
    }
}

fn afr_ota(times: usize) {
    assert_eq!(DOCUMENT.len(), 335);
    for _ in 0..times {
        let mut parser = AfrOta::new(Sha1::Refuse);
        let parsed = parser.parse(black_box(DOCUMENT.as_bytes()), 0);
        assert!(matches!(black_box(parsed), Parse::Descriptor(_)));
    }
}

/// The same members of the document, by derived code.
fn serde_json_core(times: usize) {
    #[derive(serde::Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        afr_ota: Update<'a>,
    }
    #[derive(serde::Deserialize)]
    struct Update<'a> {
        #[serde(borrow)]
        streamname: Option<&'a str>,
        files: [File<'a>; 1],
    }
    #[derive(serde::Deserialize)]
    struct File<'a> {
        filesize: u32,
        fileid: u8,
        #[serde(borrow)]
        update_data_url: Option<&'a str>,
        auth_scheme: Option<&'a str>,
        #[serde(rename = "sig-sha256-ecdsa")]
        ecdsa: Option<&'a str>,
        #[serde(rename = "sig-sha256-rsa")]
        rsa: Option<&'a str>,
        #[serde(rename = "sig-sha1-ecdsa")]
        weak_ecdsa: Option<&'a str>,
        #[serde(rename = "sig-sha1-rsa")]
        weak_rsa: Option<&'a str>,
    }
    for _ in 0..times {
        let parsed = serde_json_core::from_slice::<Document<'_>>(black_box(DOCUMENT.as_bytes()));
        let (Document { afr_ota: Update { streamname, files: [file] } }, _) =
            parsed.expect("a document");
        black_box((streamname, file.filesize, file.fileid, file.update_data_url));
        black_box((file.auth_scheme, file.ecdsa, file.rsa, file.weak_ecdsa, file.weak_rsa));
    }
}

/// The whole answer: heard, and its document parsed.
fn start_next(times: usize) {
    let mut jobs = aws_iot::AwsIotJobs::new("thermostat-0042").expect("a name");
    let (mut topic, mut payload) = ([0; aws_iot::TOPIC_MAX], [0; aws_iot::PAYLOAD_MAX]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    jobs.ask(Ask::Start, &mut draft).expect("fits");
    let answer = format!(
        r#"{{"clientToken":"1","timestamp":1700000000,"execution":{{"jobId":"AFR_OTA-fleet-2026-11-every-sensor","status":"IN_PROGRESS","queuedAt":1700000000,"startedAt":1700000000,"lastUpdatedAt":1700000000,"versionNumber":2,"executionNumber":1,"jobDocument":{DOCUMENT}}}}}"#
    );
    assert_eq!(answer.len(), 584);
    let topic = "$aws/things/thermostat-0042/jobs/start-next/accepted";
    for _ in 0..times {
        // A question is answered once.
        let mut jobs = black_box(&jobs).clone();
        let message = Message { topic, payload: black_box(answer.as_bytes()) };
        let Heard::Offer(offer) = jobs.hear(message) else { panic!("no offer") };
        let mut parser = AfrOta::new(Sha1::Refuse);
        assert!(matches!(black_box(parser.parse(offer.document, 0)), Parse::Descriptor(_)));
    }
}

fn open<E: Encoding>() -> MqttStream<E> {
    let mut stream = MqttStream::new("thermostat-0042").expect("a name");
    stream.open(STREAM, GEOMETRY).expect("a stream");
    stream
}

fn request<E: Encoding>(times: usize) {
    let mut stream = open::<E>();
    let mut topic = [0; mqtt_stream::TOPIC_MAX];
    let mut payload = [0; mqtt_stream::REQUEST_PAYLOAD_MAX];
    for _ in 0..times {
        let mut draft = Draft::new(&mut topic, &mut payload);
        stream.request(black_box(WANTED), &mut draft).expect("fits");
        black_box(&draft);
    }
}

fn block<E: Encoding>(times: usize) {
    let mut stream = open::<E>();
    let (topic, payload) = message(&mut stream);
    let mut into = [0; 4096];
    for _ in 0..times {
        let message = Message { topic: &topic, payload: black_box(&payload) };
        let arrival = stream.accept(message, black_box(WANTED), &mut into);
        assert_eq!(black_box(arrival), Arrival::Block { index: 66, len: 4096 });
        black_box(&into);
    }
}

/// A block as the service sends it.
fn message<E: Encoding>(stream: &mut MqttStream<E>) -> (String, Vec<u8>) {
    let (mut topic, mut payload) = ([0; mqtt_stream::TOPIC_MAX], [0; 96]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    stream.request(WANTED, &mut draft).expect("fits");
    let request = draft.finish().expect("fits");
    let topic = request.topic.replace("/get/", "/data/");
    // The token stands behind `{"c":"` and behind the four bytes that say the same in CBOR.
    let at = if E::NAME == "json" { 6 } else { 4 };
    let token = &request.payload[at..at + 8];
    let block: Vec<u8> = (0..4096u32).map(|at| (at.wrapping_mul(31) >> 3) as u8).collect();
    let payload = match E::NAME {
        "json" => format!(
            r#"{{"c":"{}","f":0,"l":4096,"i":66,"p":"{}"}}"#,
            String::from_utf8_lossy(token),
            BASE64_STANDARD.encode(block)
        )
        .into_bytes(),
        _ => [
            b"\xbf\x61f\x00\x61i\x18\x42\x61l\x19\x10\x00\x61p\x59\x10\x00".as_slice(),
            &block,
            b"\x61c\x68",
            token,
            b"\xff",
        ]
        .concat(),
    };
    (topic, payload)
}
