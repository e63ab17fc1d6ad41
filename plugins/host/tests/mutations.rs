//! The samples, damaged in every way chance finds: most are refused, some run and do something else.
//! Nothing leaks, nothing but the plugin ends, and a good one works right after in the same arena.
//! (The targets in `fuzz/` look longer, with modules of any shape; this runs always.)

mod common;

use common::{LIMITS, arena, facts, good, outside, plug, protocol_home, slot, works};
use coreota::{
    error::{Blame, Failure},
    job::{Ask, JobProtocol},
    message::{Draft, Message},
    parser::{Parse, Parser},
    plugin::{Facts, Plug},
    sim::random::Random,
    transport::{Arrival, BlockProtocol, Geometry, Wanted},
};
use coreota_plugins::{Home, Hosted, PluginBlocks, PluginJobs};

/// Modules made of each sample.
const ROUNDS: usize = 400;

const GEOMETRY: Geometry = Geometry { size: 700, block: 256, file: 0 };
const WANTED: Wanted = Wanted { first: 0, bits: 0b111 };

/// What stands in modules: opcodes that end, branch and call, borders of LEB128 numbers.
const SIGNS: &[u8] =
    b"\x00\x01\x0b\x0c\x0d\x10\x11\x20\x21\x28\x36\x40\x41\x60\x6a\x7e\x7f\x80\xfc\xff";

/// The samples, each with the number of its kind.
const SAMPLES: [(u16, &[u8]); 6] = [
    (1, include_bytes!("../../samples/acme-jobs/acme-jobs.wasm")),
    (1, include_bytes!("../../samples/compact-jobs/compact-jobs.wasm")),
    (1, include_bytes!("../../samples/field-jobs/field-jobs.wasm")),
    (2, include_bytes!("../../samples/raw-blocks/raw-blocks.wasm")),
    (2, include_bytes!("../../samples/mqtt-stream/mqtt-stream.wasm")),
    (3, include_bytes!("../../samples/line-jobs/line-jobs.wasm")),
];

/// A few changes to `seed`: bytes, bits, pieces left out, doubled, or taken from another sample.
fn damage(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(2) {
        let (a, b) = (random.below(bytes.len() as u64 + 1), random.below(bytes.len() as u64 + 1));
        let piece = a.min(b) as usize..a.max(b) as usize;
        match random.below(12) {
            0 => bytes.truncate(piece.end),
            1 if piece.len() < 16 => _ = bytes.drain(piece),
            2 if piece.len() < 64 => bytes.extend_from_within(piece),
            3 => bytes.insert(piece.start, random.byte()),
            4 => {
                let (_, other) = SAMPLES[random.below(SAMPLES.len() as u64) as usize];
                let from = random.below(other.len() as u64) as usize;
                let to = &mut bytes[piece];
                let len = to.len().min(other.len() - from).min(32);
                to[..len].copy_from_slice(&other[from..from + len]);
            }
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

struct Here;

impl Hosted for Here {
    const HOME: Home = protocol_home("plugin", None);
}

/// Plugs and uses it as what it was; whether it was loaded.
fn lives(kind: u16, module: &[u8]) -> Result<(), Failure> {
    let facts = Facts { kind, arena: 0, memory: LIMITS.memory, ..facts(module.len()) };
    let steps = [Plug::Begin(&facts), Plug::Bytes(module), Plug::Start];
    let (mut topic, mut payload) = ([0; 256], [0; 384]);
    match kind {
        1 => {
            let mut parser = slot();
            let plugged = plug(&mut parser, module, 1024);
            for document in
                [&br#"{"acme":2,"packages":[{"length":9,"channel":"fw"}]}"#[..], b"{}", b"\xa0"]
            {
                match parser.parse(document, 0) {
                    Parse::Descriptor(found) => {
                        assert!(found.size > 0 && found.files > 0);
                        assert!(found.stream.is_some() || found.url.is_some());
                    }
                    Parse::NotMine(_) | Parse::Malformed(_) => {}
                }
            }
            plugged
        }
        2 => {
            let mut blocks = PluginBlocks::<Here>::new("thing").expect("a name");
            let plugged =
                steps.into_iter().try_for_each(|step| blocks.plug(5, step).expect("its slot"));
            let _ = blocks.open("fw-7", GEOMETRY);
            let _ = blocks.request(WANTED, &mut Draft::new(&mut topic, &mut payload));
            let message = Message { topic: "raw-blocks/thing/fw-7/data", payload: &[0; 268] };
            let arrival = blocks.accept(message, WANTED, &mut [0; 256]);
            if let Arrival::Block { index, len } = arrival {
                assert_eq!((WANTED.contains(index), GEOMETRY.block_len(index)), (true, Some(len)));
            }
            plugged
        }
        _ => {
            let mut jobs = PluginJobs::<Here>::new("thing").expect("a name");
            let plugged =
                steps.into_iter().try_for_each(|step| jobs.plug(5, step).expect("its slot"));
            let _ = jobs.ask(Ask::Start, &mut Draft::new(&mut topic, &mut payload));
            let topic = "line-jobs/thing/answer";
            jobs.hear(Message { topic, payload: b"started fw-7\n{\"acme\":2}" });
            plugged
        }
    }
}

#[test]
fn damaged_samples_end_alone() {
    arena(64 * 1024);
    let good = good();
    let mut random = Random::new(0x6d75_7461_7465);
    for (number, (kind, sample)) in SAMPLES.into_iter().enumerate() {
        assert_eq!(lives(kind, sample), Ok(()), "sample {number} as it is");
        let mut loaded = 0;
        for round in 0..ROUNDS {
            let module = damage(sample, &mut random);
            let before = outside();
            let plugged = lives(kind, &module);
            assert_eq!(outside(), before, "sample {number}, round {round}");
            match plugged {
                Ok(()) => loaded += 1,
                Err(why) => assert_eq!(why.blame(), Blame::Plugin, "{number}, {round}: {why:?}"),
            }
            let mut parser = slot();
            assert_eq!(plug(&mut parser, &good, 1024), Ok(()), "{number}, {round}");
            works(&mut parser);
        }
        // Chance finds both: what is refused, and what runs and is something else.
        assert!((ROUNDS / 50..ROUNDS * 19 / 20).contains(&loaded), "sample {number}: {loaded}");
    }
}
