//! Block protocols as plugins, a file of 16 KiB each, and the one of them that the core speaks
//! itself: the same requests, the same blocks, counted alike.
#![no_std]
#![no_main]

use coreota::{
    message::{Draft, Message},
    transport::{
        Arrival, BlockProtocol, Geometry, Wanted,
        mqtt_stream::{Cbor, MqttStream},
    },
};
use coreota_plugins::{
    Arena, Home, Hosted, Limits, NoHeap, PluginAlloc, PluginBlocks, Stack, abandon,
};
use plugin_bench::{Counter, fail, succeed, tell};

plugin_bench::panics!(abandon());

#[global_allocator]
static ALLOCATOR: PluginAlloc<NoHeap> = PluginAlloc(NoHeap);

static ARENA: Arena<{ 64 * 1024 }> = Arena::new();
static STACK: Stack<{ 16 * 1024 }> = Stack::new();

const fn home(name: &'static str, module: &'static [u8]) -> Home {
    let (limits, module) = (Limits::DEFAULT, Some(module));
    Home { name, slot: None, module, limits, arena: || ARENA.handle(), stack: || STACK.handle() }
}

struct Streams;

impl Hosted for Streams {
    const HOME: Home = home(
        "mqtt-stream",
        include_bytes!("../../../../plugins/samples/mqtt-stream/mqtt-stream.wasm"),
    );
}

struct Raw;

impl Hosted for Raw {
    const HOME: Home = home(
        "raw-blocks",
        include_bytes!("../../../../plugins/samples/raw-blocks/raw-blocks.wasm"),
    );
}

const BLOCK: usize = 1024;
const BLOCKS: u32 = 16;
const GEOMETRY: Geometry = Geometry { size: BLOCKS * BLOCK as u32, block: BLOCK as u32, file: 3 };
const WANTED: Wanted = Wanted { first: 0, bits: (1 << BLOCKS) - 1 };

/// Begins at a word, as does the block in either message: otherwise what copying takes would be up to
/// where the compiler puts things.
#[repr(align(8))]
struct Aligned<T>(T);

/// Room for a message.
type Payload = [u8; BLOCK + 64];

/// What was asked, and what it took: to write the request, and to take a block, on average.
struct Cost {
    asked: ([u8; 96], usize),
    request: u32,
    block: u32,
}

/// Fetches a file; `message` writes the one that brings a block to a request.
fn fetch(
    counter: &Counter,
    protocol: &mut impl BlockProtocol,
    topic: &str,
    message: impl Fn(&[u8], u8, &mut Payload) -> usize,
) -> Cost {
    if protocol.open("fw-7", GEOMETRY).is_err() {
        fail("not opened");
    }
    let (mut to, mut asked) = ([0; 128], [0; 96]);
    let mut ask = || {
        let mut draft = Draft::new(&mut to, &mut asked);
        let written = protocol.request(WANTED, &mut draft);
        written.and_then(|()| draft.finish()).map_or(0, |message| message.payload.len())
    };
    // The second time: the engine's own stack has grown by then.
    ask();
    let (len, request) = counter.count(ask);
    let mut sum = 0;
    for index in 0..BLOCKS as u8 {
        let (mut payload, mut into) = (Aligned([0; BLOCK + 64]), Aligned([0; BLOCK]));
        let (payload, into) = (&mut payload.0, &mut into.0);
        let end = message(&asked[..len], index, payload);
        let message = Message { topic, payload: &payload[..end] };
        let (arrival, instructions) = counter.count(|| protocol.accept(message, WANTED, into));
        let whole = Arrival::Block { index: index.into(), len: BLOCK as u32 };
        if arrival != whole || *into != bytes(index) {
            fail("not the block");
        }
        sum += instructions;
    }
    Cost { asked: (asked, len), request, block: sum / BLOCKS }
}

/// The bytes of a block.
fn bytes(index: u8) -> [u8; BLOCK] {
    core::array::from_fn(|at| (at as u8).wrapping_mul(7) ^ index)
}

/// Writes pieces one behind the other; where they end.
fn write(to: &mut Payload, pieces: &[&[u8]]) -> usize {
    let mut end = 0;
    for piece in pieces {
        to[end..][..piece.len()].copy_from_slice(piece);
        end += piece.len();
    }
    end
}

/// As the service writes it: a map without length, and in it the token of the request.
fn stream(asked: &[u8], index: u8, to: &mut Payload) -> usize {
    let token = &asked[4..12];
    let head = [b"\xbf\x61c\x68", token, b"\x61f\x03\x61l\x19\x04\x00\x61i", &[index]];
    let head = [head[0], head[1], head[2], head[3], b"\x61p\x59\x04\x00", &bytes(index), b"\xff"];
    write(to, &head)
}

/// File, length of blocks and number, in four bytes each.
fn raw(_: &[u8], index: u8, to: &mut Payload) -> usize {
    write(to, &[b"\x03\0\0\0\0\x04\0\0", &[index, 0, 0, 0], &bytes(index)])
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let counter = Counter::new();
    let topic = "$aws/things/thermostat-0042/streams/fw-7/data/cbor";
    let Ok(mut native) = MqttStream::<Cbor>::new("thermostat-0042") else { fail("no name") };
    let native = fetch(&counter, &mut native, topic, stream);
    tell("native-request", native.request as usize);
    tell("native-block", native.block as usize);

    let Ok(mut plugin) = PluginBlocks::<Streams>::new("thermostat-0042") else { fail("no name") };
    let streams = fetch(&counter, &mut plugin, topic, stream);
    if streams.asked != native.asked {
        fail("they ask for different things");
    }
    tell("mqtt-stream-request", streams.request as usize);
    tell("mqtt-stream-block", streams.block as usize);
    tell("mqtt-stream-fuel", plugin.burned() as usize);
    tell("mqtt-stream-need", plugin.usage().need);
    drop(plugin);

    let topic = "raw-blocks/thermostat-0042/fw-7/data";
    let Ok(mut plugin) = PluginBlocks::<Raw>::new("thermostat-0042") else { fail("no name") };
    let blocks = fetch(&counter, &mut plugin, topic, raw);
    tell("raw-blocks-request", blocks.request as usize);
    tell("raw-blocks-block", blocks.block as usize);
    tell("raw-blocks-fuel", plugin.burned() as usize);
    tell("raw-blocks-need", plugin.usage().need);
    succeed()
}
