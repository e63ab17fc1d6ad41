//! The protocol samples in the real host, behind the core's traits.

use std::alloc::System;

use coreota::{
    error::Failure,
    job::{Ask, Heard, JobProtocol, Offer, Status},
    message::{Draft, Message},
    transport::{
        Arrival, BlockProtocol, Geometry, Wanted,
        mqtt_stream::{Cbor, MqttStream},
    },
    version::Version,
    wire::Writer,
};
use coreota_plugins::{Arena, Home, Hosted, Limits, PluginAlloc, PluginBlocks, PluginJobs, Stack};

#[global_allocator]
static ALLOCATOR: PluginAlloc<System> = PluginAlloc(System);

/// A home for the module of a sample.
macro_rules! home {
    ($name:ident, $sample:literal) => {
        struct $name;
        impl Hosted for $name {
            const HOME: Home = {
                static ARENA: Arena<{ 96 * 1024 }> = Arena::new();
                static STACK: Stack<{ 64 * 1024 }> = Stack::new();
                Home {
                    name: $sample,
                    slot: None,
                    module: Some(include_bytes!(concat!(
                        "../../samples/",
                        $sample,
                        "/",
                        $sample,
                        ".wasm"
                    ))),
                    limits: Limits::DEFAULT,
                    arena: || ARENA.handle(),
                    stack: || STACK.handle(),
                }
            };
        }
    };
}
home!(Streams, "mqtt-stream");
home!(Raw, "raw-blocks");
home!(Lines, "line-jobs");

const GEOMETRY: Geometry = Geometry { size: 10_000, block: 1024, file: 3 };

fn topics(topics: impl Fn(usize, &mut Writer<'_>) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let mut room = [0; 400];
        let mut topic = Writer::new(&mut room);
        if !topics(all.len(), &mut topic) {
            return all;
        }
        let text = topic.finish().expect("fits").to_vec();
        all.push(String::from_utf8(text).expect("text"));
    }
}

/// Topic and payload of what `write` writes.
fn written(
    write: impl FnOnce(&mut Draft<'_>) -> Result<(), Failure>,
) -> Result<(String, Vec<u8>), Failure> {
    let (mut topic, mut payload) = ([0; 400], [0; 384]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    write(&mut draft)?;
    let message = draft.finish()?;
    Ok((message.topic.to_owned(), message.payload.to_vec()))
}

/// Fetches a file of [`GEOMETRY`] as an orchestrator does, from a provider that answers a request.
fn fetch(
    protocol: &mut impl BlockProtocol,
    provider: impl Fn(&str, &[u8]) -> Vec<(String, Vec<u8>)>,
) -> Vec<u8> {
    let mut file = vec![0; GEOMETRY.size as usize];
    let mut wanted = Wanted { first: 0, bits: (1 << GEOMETRY.blocks()) - 1 };
    while wanted.count() > 0 {
        let (topic, payload) = written(|draft| protocol.request(wanted, draft)).expect("fits");
        let before = wanted.count();
        for (topic, payload) in provider(&topic, &payload) {
            let mut into = [0; 1024];
            let message = Message { topic: &topic, payload: &payload };
            match protocol.accept(message, wanted, &mut into) {
                Arrival::Block { index, len } => {
                    let at = (index * GEOMETRY.block) as usize;
                    file[at..at + len as usize].copy_from_slice(&into[..len as usize]);
                    wanted.bits &= !(1 << index);
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(wanted.count() < before, "nothing came");
    }
    file
}

fn file() -> Vec<u8> {
    (0..GEOMETRY.size).map(|at| (at % 251) as u8).collect()
}

/// The wanted blocks, with their numbers.
fn blocks(first: u32, bits: u64) -> Vec<(u32, Vec<u8>)> {
    let file = file();
    let numbered = (0..).zip(file.chunks(GEOMETRY.block as usize));
    let wanted = Wanted { first, bits };
    numbered
        .filter(|(index, _)| wanted.contains(*index))
        .map(|(index, bytes)| (index, bytes.to_vec()))
        .collect()
}

#[test]
fn a_file_comes_by_a_protocol_that_the_core_does_not_know() {
    let mut protocol = PluginBlocks::<Raw>::new("bench:1").expect("a name");
    assert!(protocol.choose("raw-blocks") && !protocol.choose(""));
    protocol.open("fw-7", GEOMETRY).expect("it loads");
    let prefix = "raw-blocks/bench:1/fw-7/";
    let subscribed = topics(|index, topic| protocol.subscription(index, topic));
    assert_eq!(subscribed, [format!("{prefix}data"), format!("{prefix}refused")]);
    let fetched = fetch(&mut protocol, |topic, asked| {
        assert_eq!(topic, format!("{prefix}get"));
        let word = |at: usize| u32::from_le_bytes(asked[at..at + 4].try_into().expect("four"));
        assert_eq!((word(0), word(4), asked.len()), (3, 1024, 20));
        // Three blocks for a request, the last first.
        let mut sent = blocks(word(8), u64::from(word(12)) | u64::from(word(16)) << 32);
        sent.truncate(3);
        sent.reverse();
        let message = |(index, bytes): (u32, Vec<u8>)| {
            let numbers = [3, 1024, index].map(u32::to_le_bytes);
            (format!("{prefix}data"), [numbers.as_flattened(), &bytes].concat())
        };
        sent.into_iter().map(message).collect()
    });
    assert!(fetched == file());
    let refused = Message { topic: &format!("{prefix}refused"), payload: b"\x05\x02\0\0" };
    let wanted = Wanted { first: 0, bits: 1 };
    let arrival = protocol.accept(refused, wanted, &mut [0; 1024]);
    assert_eq!(arrival, Arrival::Refused(Failure::StreamMissing));
}

#[test]
fn a_file_comes_by_the_plugin_as_by_the_core() {
    let mut plugin = PluginBlocks::<Streams>::new("bench:1").expect("a name");
    let mut core = MqttStream::<Cbor>::new("bench:1").expect("a name");
    plugin.open("fw-7", GEOMETRY).expect("it loads");
    core.open("fw-7", GEOMETRY).expect("a stream");
    assert_eq!(
        topics(|index, topic| plugin.subscription(index, topic)),
        topics(|index, topic| core.subscription(index, topic))
    );
    // The service's side: what is asked is told by the core's own request, which has to be the same.
    let asked = std::cell::RefCell::new(Vec::new());
    let provider = |topic: &str, payload: &[u8]| {
        asked.borrow_mut().push((topic.to_owned(), payload.to_vec()));
        let token = std::str::from_utf8(&payload[4..12]).expect("hexadecimal");
        let sent = blocks(0, u64::MAX).into_iter().map(|(index, bytes)| {
            let mut cbor = minicbor::Encoder::new(Vec::new());
            cbor.map(5)
                .and_then(|cbor| cbor.str("p")?.bytes(&bytes)?.str("i")?.u32(index))
                .and_then(|cbor| cbor.str("l")?.u32(bytes.len() as u32)?.str("f")?.u8(3))
                .and_then(|cbor| cbor.str("c")?.str(token))
                .expect("a vector");
            ("$aws/things/bench:1/streams/fw-7/data/cbor".to_owned(), cbor.into_writer())
        });
        sent.collect()
    };
    assert!(fetch(&mut plugin, provider) == file());
    assert!(fetch(&mut core, provider) == file());
    let asked = asked.into_inner();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
    assert!(plugin.burned() < 3_000, "{} of fuel for a block", plugin.burned());
}

#[test]
fn a_job_goes_from_its_offer_to_its_end() {
    let mut jobs = PluginJobs::<Lines>::new("bench:1").expect("a name");
    let said = |verb: &str, line: &str| {
        Ok((format!("line-jobs/bench:1/{verb}"), line.as_bytes().to_vec()))
    };
    assert_eq!(
        topics(|index, topic| jobs.subscription(index, topic)),
        ["line-jobs/bench:1/answer", "line-jobs/bench:1/changed"]
    );
    assert_eq!(written(|draft| jobs.ask(Ask::Start, draft)), said("ask", "start"));
    let topic = "line-jobs/bench:1/answer";
    let document: &[u8] = b"{\"acme\":2}";
    let offer = Message { topic, payload: b"started fw-7\n{\"acme\":2}" };
    assert_eq!(jobs.hear(offer), Heard::Offer(Offer { name: "fw-7", started: true, document }));
    jobs.take().expect("one is offered");
    assert_eq!(jobs.current(), "fw-7");
    assert_eq!(written(|draft| jobs.ask(Ask::Current, draft)), said("ask", "current fw-7"));
    let versions = (Version::new(1, 2, 0), Version::new(1, 1, 0));
    for (status, line) in [
        (Status::Started, "fw-7 started"),
        (Status::Receiving { received: 3, total: 10 }, "fw-7 receiving 3 10"),
        (Status::Staged { running: versions.1 }, "fw-7 staged 1.1.0"),
        (Status::Testing { from: versions.1 }, "fw-7 testing 1.1.0"),
        (
            Status::Failed { why: Failure::Signature, note: "attempt 2" },
            "fw-7 failed 770 a signature does not hold attempt 2",
        ),
        (Status::Succeeded { running: versions.0, from: versions.1 }, "fw-7 succeeded 1.2.0 1.1.0"),
    ] {
        assert_eq!(written(|draft| jobs.report(&status, draft)), said("report", line));
    }
    assert_eq!(jobs.hear(Message { topic, payload: b"ok" }), Heard::Accepted);
    assert_eq!(jobs.current(), "");
    assert_eq!(jobs.hear(Message { topic, payload: b"?" }), Heard::Malformed(Failure::BadText));
    assert_eq!(jobs.hear(Message { topic: "else", payload: b"ok" }), Heard::NotMine);
}
