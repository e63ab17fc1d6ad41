//! Bytes from outside, damaged in every way chance finds: any input has an answer, and what is taken
//! in spite of damage keeps the rules. (The targets in `fuzz/` look longer; this runs always.)

mod messages;

use core::{error::Error, str::Utf8Error};

use coreota::{
    descriptor::{Algorithm, Descriptor},
    field::Coding,
    job::{Ask, Heard, JobProtocol, aws_iot},
    message::{Draft, Message},
    parser::{
        Parse, Parser,
        afr_ota::{AfrOta, Sha1},
        table::{Coded, Signed, Table, TableSpec},
    },
    sim::random::Random,
    transport::{
        Arrival,
        mqtt_stream::{Cbor, Json},
    },
    wire::{self, NESTING},
};
use messages::{ALL, GEOMETRY, Is, Speaks, block, hear, open};

const ROUNDS: usize = 20_000;

/// Bytes that mean something to some reader.
const SIGNS: &[u8] = b"{}[]\":,\\0-9en\xff\xbf";

/// A few changes to `seed`: bytes, bits, pieces left out or doubled, the end cut off.
fn damage(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let (a, b) = (random.below(bytes.len() as u64 + 1), random.below(bytes.len() as u64 + 1));
        let piece = a.min(b) as usize..a.max(b) as usize;
        match random.below(7) {
            0 => bytes.truncate(piece.end),
            1 if piece.len() < 16 => _ = bytes.drain(piece),
            2 => bytes.extend_from_within(piece),
            3 => bytes.insert(piece.start, random.byte()),
            _ => {
                let Some(byte) = bytes.get_mut(piece.start) else { continue };
                *byte = match random.below(3) {
                    0 => random.byte(),
                    1 => *byte ^ 1 << random.below(8),
                    _ => SIGNS[random.below(SIGNS.len() as u64) as usize],
                };
            }
        }
    }
    bytes
}

const DOCUMENT: &str = r#"{"afr_ota":{"protocols":["MQTT"],"streamname":"AFR_OTA-1","files":[{"filesize":647324,"fileid":3,"update_data_url":null,"sig-sha1-rsa":null,"sig-sha256-ecdsa":"MEQC\/w==","sha256":"00ff"}]}}"#;

/// What a descriptor promises, whatever it was made of.
fn check(found: Descriptor<'_>, document: &[u8]) {
    assert!(found.size > 0 && found.files > 0);
    assert!(found.stream.is_some() || found.url.is_some());
    let signature = found.signature.map(|(_, field)| field);
    for field in [found.stream, found.url, found.sha256, signature, found.version, found.board] {
        let Some(field) = field else { continue };
        assert!(document.as_ptr_range().contains(&field.raw.as_ptr()) || field.raw.is_empty());
        for room in [0, 5, 4096] {
            let mut into = vec![0; room];
            let _ = field.decode(&mut into);
        }
    }
}

#[test]
fn job_documents() {
    static SPEC: TableSpec = TableSpec {
        name: "t",
        size: "/afr_ota/files/0/filesize",
        file: Some("/afr_ota/files/0/fileid"),
        stream: Some("/afr_ota/streamname"),
        url: Some("/afr_ota/protocols/0"),
        sha256: Some(Coded { path: "/afr_ota/files/0/sha256", coding: Coding::Hex }),
        signature: Some(Signed {
            path: "/afr_ota/files/0/sig-sha256-ecdsa",
            coding: Coding::Base64,
            algorithm: Algorithm::EcdsaP256,
        }),
        version: Some("/v"),
        board: Some(""),
        protocol: Some("/afr_ota/protocols"),
    };
    static NO_BOARD: TableSpec = TableSpec { board: None, protocol: None, ..SPEC };
    let mut random = Random::new(11);
    let mut taken = [0; 2];
    for _ in 0..ROUNDS {
        let document = damage(DOCUMENT.as_bytes(), &mut random);
        let (mut ours, mut table) = (AfrOta::new(Sha1::Refuse), Table::new(&NO_BOARD));
        let mut everywhere = Table::new(&SPEC);
        // The root is an object and no text.
        assert!(!matches!(everywhere.parse(&document, 0), Parse::Descriptor(_)));
        for (parse, taken) in
            [ours.parse(&document, 0), table.parse(&document, 0)].into_iter().zip(&mut taken)
        {
            if let Parse::Descriptor(found) = parse {
                check(found, &document);
                *taken += 1;
            }
        }
    }
    assert!(taken.iter().all(|taken| (100..ROUNDS / 2).contains(taken)), "{taken:?}");
}

#[test]
fn answers_of_a_job_provider() {
    let mut asking = aws_iot::AwsIotJobs::new("T").expect("a name");
    let (mut topic, mut payload) = ([0; aws_iot::TOPIC_MAX], [0; aws_iot::PAYLOAD_MAX]);
    asking.ask(Ask::Start, &mut Draft::new(&mut topic, &mut payload)).expect("fits");
    let answer = format!(
        r#"{{"clientToken":"1","execution":{{"jobId":"J","status":"IN_PROGRESS","versionNumber":2,"jobDocument":{DOCUMENT}}},"executionState":{{"status":"QUEUED","versionNumber":7}},"code":"VersionMismatch"}}"#
    );
    let mut random = Random::new(12);
    let (mut offers, mut others) = (0, 0);
    for _ in 0..ROUNDS {
        let payload = damage(answer.as_bytes(), &mut random);
        for topic in ["start-next/accepted", "start-next/rejected", "notify-next"] {
            let mut jobs = asking.clone();
            let topic = format!("$aws/things/T/jobs/{topic}");
            match jobs.hear(Message { topic: &topic, payload: &payload }) {
                Heard::Offer(offer) => {
                    assert!((1..=64).contains(&offer.name.len()));
                    assert!(offer.document.starts_with(b"{") && offer.document.ends_with(b"}"));
                    offers += 1;
                }
                _ => others += 1,
            }
        }
    }
    assert!(offers > 1_000 && others > 1_000, "{offers} {others}");
}

fn stream_messages<E: Speaks>() {
    let mut stream = open::<E>();
    let mut members = block(&mut stream);
    members.insert(2, ("unknown", Is::Lists(2)));
    let whole = E::write(&members);
    let refusal = E::write(&vec![("o", Is::Text("Unauthorized".into())), ("m", Is::Null)]);
    let mut random = Random::new(13);
    let mut taken = 0;
    for _ in 0..ROUNDS {
        hear(&mut stream, "rejected", &damage(&refusal, &mut random), ALL);
        match hear(&mut stream, "data", &damage(&whole, &mut random), ALL).0 {
            Arrival::Block { index, len } => {
                assert_eq!(GEOMETRY.block_len(index), Some(len));
                taken += 1;
            }
            Arrival::Ignored(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // Most changes hit the block itself, which only its digest can tell.
    assert!((100..ROUNDS - 100).contains(&taken), "{taken}");
}

#[test]
fn stream_messages_in_cbor() {
    stream_messages::<Cbor>();
}

#[test]
fn stream_messages_in_json() {
    stream_messages::<Json>();
}

/// What the CBOR reader passes over, `minicbor` finds well-formed too; but texts need not be UTF-8.
#[test]
fn cbor_is_read_alike() {
    let mut random = Random::new(14);
    let seeds: [&[u8]; 4] = [
        b"\xbf\x61a\x83\x01\x20\xf6\x61b\x5f\x41x\x42yz\xff\x61c\xc1\x1a\0\0\0\x01\xff",
        b"\x9f\x9f\xa1\x01\x02\xff\x7f\x61a\xff\xfa\0\0\0\0\xff",
        b"\xa2\x18\x20\x39\xff\xff\x1b\0\0\0\0\0\0\0\x01\x81\x81\x80",
        b"\x82\x58\x02ab\x78\x02ab",
    ];
    let mut good = 0;
    for round in 0..ROUNDS {
        let message = damage(seeds[round % seeds.len()], &mut random);
        let mut ours = wire::Cbor::new(&message);
        let ours = ours.skip(NESTING).and_then(|()| ours.end());
        let mut theirs = minicbor::Decoder::new(&message);
        let read = match theirs.skip() {
            Ok(()) => theirs.position() == message.len(),
            Err(error) => error.source().is_some_and(|source| source.is::<Utf8Error>()),
        };
        if ours.is_ok() {
            assert!(read, "{message:02x?}");
            good += 1;
        }
    }
    assert!(good > 500, "{good}");
}
