//! Answers of any kind from a plugin: a module that says, at each call, what the fuzzer chose. Whatever
//! it says, what comes out of the host keeps the rules of parsers, block protocols and job protocols.
#![no_main]

#[path = "../support/mod.rs"]
mod support;

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use coreota::{
    error::Failure,
    job::{Ask, Heard, JobProtocol, NAME_MAX, Status},
    message::{Draft, Message},
    parser::{Parse, Parser},
    plugin::Plug,
    transport::{Arrival, BlockProtocol, Geometry, Wanted},
    version::Version,
    wire::Writer,
};
use coreota_plugins::{Home, Hosted, PluginBlocks, PluginJobs, TOPICS_MAX};
use libfuzzer_sys::fuzz_target;
use support::{HOME, ROOM, facts, outside, parser, plug};

/// Says of every document or event what stands at 1020: the result, and behind it the records. Input at
/// 256, 512 bytes; room for 48 records.
const PUPPET: &str = r#"(module
    (memory (export "memory") 4096 4096 (pagesize 1))
    (data (i32.const 0) "\00\01\00\00\00\02\00\00\00\04\00\00\30\00\00\00")
    (data (i32.const 1020) "ANSWER")
    (func (export "ota_abi") (result i32) i32.const KIND)
    (func (export "ota_io") (result i32) i32.const 0)
    (func (export "FUNCTION") (param i32 i32) (result i32) (i32.load (i32.const 1020))))"#;

/// Most bytes of an answer: a result, and 48 records.
const ANSWER: usize = 4 + 48 * 16;
/// What stands in the module for the answer.
const HOLE: [u8; ANSWER] = [0xa5; ANSWER];

/// The modules of each kind, with a hole for the answer.
static PUPPETS: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    [(1, "ota_parse"), (2, "ota_event"), (3, "ota_event")].map(|(kind, function)| {
        let word = 0x4f54_0001 | kind << 8;
        let hole = "\\a5".repeat(ANSWER);
        let text = PUPPET.replace("KIND", &word.to_string()).replace("FUNCTION", function);
        wat::parse_str(text.replace("ANSWER", &hole)).expect("it is text")
    })
});

/// What the plugin says, once.
#[derive(Debug, Arbitrary)]
struct Said {
    /// Sometimes a count, so that records are looked at.
    result: Answered,
    records: Vec<Recorded>,
}

#[derive(Debug, Arbitrary)]
enum Answered {
    Records(u8),
    Refused { mine: bool, failure: u16 },
    Any(i32),
}

/// A record: mostly of a tag that there is, and a span that lies inside.
#[derive(Debug, Arbitrary)]
struct Recorded {
    tag: Tagged,
    x: u16,
    a: Number,
    b: Number,
    c: Number,
}

#[derive(Debug, Arbitrary)]
enum Tagged {
    Known(u8),
    Any(u16),
}

#[derive(Debug, Arbitrary)]
enum Number {
    Small(u8),
    Place(u16),
    Any(u32),
}

impl Number {
    fn number(&self) -> u32 {
        match *self {
            Number::Small(number) => number.into(),
            Number::Place(at) => u32::from(at) % 4200,
            Number::Any(number) => number,
        }
    }
}

impl Said {
    fn bytes(&self) -> [u8; ANSWER] {
        let mut bytes = [0; ANSWER];
        let result = match self.result {
            Answered::Records(count) => i32::from(count % 52),
            Answered::Refused { mine, failure } => {
                -((i32::from(mine) + 1) * 0x10000 + i32::from(failure))
            }
            Answered::Any(result) => result,
        };
        bytes[..4].copy_from_slice(&result.to_le_bytes());
        for (to, record) in bytes[4..].chunks_exact_mut(16).zip(&self.records) {
            let tag = match record.tag {
                Tagged::Known(tag) => u16::from(tag) % 0x68,
                Tagged::Any(tag) => tag,
            };
            to[..2].copy_from_slice(&tag.to_le_bytes());
            to[2..4].copy_from_slice(&record.x.to_le_bytes());
            for (to, number) in to[4..].chunks_exact_mut(4).zip([&record.a, &record.b, &record.c]) {
                to.copy_from_slice(&number.number().to_le_bytes());
            }
        }
        bytes
    }
}

/// The module that says so.
fn puppet(kind: usize, said: &Said) -> Vec<u8> {
    let mut module = PUPPETS[kind].clone();
    let at = module.windows(ANSWER).position(|window| window == HOLE).expect("a hole");
    module[at..at + ANSWER].copy_from_slice(&said.bytes());
    module
}

struct Here;

impl Hosted for Here {
    const HOME: Home = HOME;
}

const GEOMETRY: Geometry = Geometry { size: 700, block: 256, file: 0 };
const WANTED: Wanted = Wanted { first: 1, bits: 0b11 };

fn as_parser(said: &Said, document: &[u8], index: u8) {
    let module = puppet(0, said);
    let mut parser = parser();
    plug(&mut parser, &module, facts(&module, ROOM.memory)).expect("a puppet loads");
    match parser.parse(document, index) {
        Parse::Descriptor(found) => {
            assert!(found.size > 0 && found.files > 0);
            assert!(found.stream.is_some() || found.url.is_some());
            let signature = found.signature.map(|(_, field)| field);
            let texts = [found.stream, found.url, found.sha256, signature, found.version];
            for field in texts.into_iter().chain([found.board, found.protocol]).flatten() {
                let _ = field.decode(&mut [0; 128]).map(<[u8]>::len);
            }
        }
        Parse::NotMine(_) | Parse::Malformed(_) => {}
    }
}

/// What it subscribes to, as an orchestrator asks.
fn topics(topics: impl Fn(usize, &mut Writer<'_>) -> bool) {
    let mut count = 0;
    loop {
        let mut room = [0; 256];
        if !topics(count, &mut Writer::new(&mut room)) {
            break;
        }
        count += 1;
    }
    assert!(count <= TOPICS_MAX);
}

/// A message it writes is text and fits.
fn written(write: impl FnOnce(&mut Draft<'_>) -> Result<(), Failure>) {
    let (mut topic, mut payload) = ([0; 256], [0; 384]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    if write(&mut draft).is_ok() {
        assert!(draft.finish().is_ok());
    }
}

fn plugged(
    kind: u16,
    module: &[u8],
    mut step: impl FnMut(Plug<'_>) -> Option<Result<(), Failure>>,
) {
    let facts = coreota::plugin::Facts { kind, ..facts(module, ROOM.memory) };
    for plug in [Plug::Begin(&facts), Plug::Bytes(module), Plug::Start] {
        assert_eq!(step(plug), Some(Ok(())), "a puppet loads");
    }
}

fn as_blocks(said: &[Said], topic: &str, payload: &[u8]) {
    let mut blocks = PluginBlocks::<Here>::new("thing").expect("a name");
    for said in said {
        let module = puppet(1, said);
        plugged(2, &module, |step| blocks.plug(0, step));
        let _ = blocks.open("stream", GEOMETRY);
        topics(|index, topic| blocks.subscription(index, topic));
        written(|draft| blocks.request(WANTED, draft));
        let mut into = [0xee; 300];
        let arrival = blocks.accept(Message { topic, payload }, WANTED, &mut into);
        if let Arrival::Block { index, len } = arrival {
            assert!(WANTED.contains(index));
            assert_eq!(GEOMETRY.block_len(index), Some(len));
        }
        assert!(into[256..].iter().all(|byte| *byte == 0xee), "beyond the longest block");
    }
}

fn as_jobs(said: &[Said], topic: &str, payload: &[u8]) {
    let mut jobs = PluginJobs::<Here>::new("thing").expect("a name");
    for said in said {
        let module = puppet(2, said);
        plugged(3, &module, |step| jobs.plug(0, step));
        topics(|index, topic| jobs.subscription(index, topic));
        let _ = jobs.adopt("J");
        written(|draft| jobs.ask(Ask::Peek, draft));
        let running = Version::default();
        written(|draft| jobs.report(&Status::Staged { running }, draft));
        if let Heard::Offer(offer) = jobs.hear(Message { topic, payload }) {
            assert!((1..=NAME_MAX).contains(&offer.name.len()));
            let inside = |bytes: &[u8], of: &[u8]| {
                let (bytes, of) = (bytes.as_ptr_range(), of.as_ptr_range());
                of.start <= bytes.start && bytes.end <= of.end
            };
            for bytes in [offer.name.as_bytes(), offer.document] {
                assert!(inside(bytes, topic.as_bytes()) || inside(bytes, payload));
            }
            let _ = jobs.take();
        }
        assert!(jobs.current().len() <= NAME_MAX);
    }
}

fuzz_target!(|input: (u8, Vec<Said>, &str, &[u8])| {
    let (which, said, topic, payload) = input;
    LazyLock::force(&PUPPETS);
    let before = outside();
    let said = &said[..said.len().min(4)];
    match which % 3 {
        0 => said.iter().for_each(|said| as_parser(said, payload, which)),
        1 => as_blocks(said, topic, payload),
        _ => as_jobs(said, topic, payload),
    }
    assert_eq!(outside(), before, "the heap outside is as before");
});
