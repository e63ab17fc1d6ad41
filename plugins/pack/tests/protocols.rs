//! The modules of the protocol samples, run by the engine that devices have, against the core's own
//! implementation: the same bytes asked, the same answers taken, and what that costs.

use coreota::{
    message::{Draft, Message},
    transport::{
        Arrival, BlockProtocol, Geometry, Wanted,
        mqtt_stream::{Cbor, MqttStream},
    },
    wire::Writer,
};
use coreota_plugin_abi::{self as abi, Action, Answer, Event, Input, Io, Kind, Span};
use coreota_plugin_pack::samples;
use wasmi::{CompilationMode, Config, Engine, Instance, Memory, Module, Store, TypedFunc};

/// Fuel of one call: endless for what these do.
const FUEL: u64 = 1_000_000;

/// A protocol plugin that runs.
struct Plugin {
    store: Store<()>,
    memory: Memory,
    event: TypedFunc<(u32, u32), i32>,
    io: Io,
    /// Fuel of the last call.
    burned: u64,
}

impl Plugin {
    fn load(name: &str) -> Self {
        let sample = samples().find(|sample| sample.name == name).expect("there is one");
        let wasm = std::fs::read(sample.module).expect("it is committed");
        let mut config = Config::default();
        config.consume_fuel(true).wasm_custom_page_sizes(true);
        // Else the first call pays for its translation.
        config.compilation_mode(CompilationMode::Eager);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, &wasm[..]).expect("it is valid");
        let mut store = Store::new(&engine, ());
        store.set_fuel(FUEL).expect("fuel is on");
        let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
        let memory = instance.get_memory(&store, abi::MEMORY).expect("a memory");
        let call = |store: &mut Store<()>, name: &str| {
            let function = instance.get_typed_func::<(), i32>(&*store, name).expect("exported");
            function.call(store, ()).expect("it returns")
        };
        assert_eq!(Kind::from_word(call(&mut store, abi::ABI)), Ok(Kind::Blocks));
        let at = call(&mut store, abi::IO);
        let io = Io::read(memory.data(&store), at).expect("an io block");
        let event = instance.get_typed_func(&store, abi::EVENT).expect("exported");
        Plugin { store, memory, event, io, burned: 0 }
    }

    /// What the plugin answers, its bytes taken out of its memory.
    fn hear(&mut self, event: Event, input: Input<'_>) -> Result<Vec<Action<Vec<u8>>>, Answer> {
        let at = self.io.input as usize;
        let room = &mut self.memory.data_mut(&mut self.store)[at..at + self.io.input_cap as usize];
        let len = input.write(room).expect("it fits");
        self.store.set_fuel(FUEL).expect("fuel is on");
        let result = self.event.call(&mut self.store, (event.number(), len)).expect("no trap");
        self.burned = FUEL - self.store.get_fuel().expect("fuel is on");
        let memory = self.memory.data(&self.store);
        match Answer::read(result).expect("a result") {
            Answer::Records(count) => {
                let records = self.io.records(memory, count).expect("in its memory");
                let bytes = |span: Span| span.of(memory).map(<[u8]>::to_vec);
                let action = |record| {
                    Action::read(record)
                        .expect("right")
                        .expect("known")
                        .try_map(bytes)
                        .expect("there")
                };
                Ok(records.map(action).collect())
            }
            refusal => Err(refusal),
        }
    }

    fn open(&mut self, thing: &str, place: &str, geometry: Geometry) {
        let start = Input { a: thing.as_bytes(), ..Input::default() };
        assert_eq!(self.hear(Event::Start, start), Ok(vec![]));
        let Geometry { size, block, file } = geometry;
        let open = Input { a: place.as_bytes(), x: size, y: block, z: file.into(), b: b"" };
        assert_eq!(self.hear(Event::Open, open), Ok(vec![]));
    }

    fn topics(&mut self) -> Vec<Vec<u8>> {
        let mut topics = Vec::new();
        loop {
            let told = Input { x: topics.len() as u32, ..Input::default() };
            let actions = self.hear(Event::Connected, told).expect("topics");
            if actions.is_empty() {
                return topics;
            }
            topics.extend(actions.into_iter().map(|action| match action {
                Action::Subscribe(topic) => topic,
                other => panic!("{other:?}"),
            }));
        }
    }

    fn request(&mut self, wanted: Wanted) -> (Vec<u8>, Vec<u8>) {
        let actions = self.hear(Event::Wanted, input(b"", b"", wanted)).expect("a request");
        match actions.as_slice() {
            [Action::Publish { topic, payload }] => (topic.clone(), payload.clone()),
            other => panic!("{other:?}"),
        }
    }
}

fn input<'i>(a: &'i [u8], b: &'i [u8], wanted: Wanted) -> Input<'i> {
    Input { a, b, x: wanted.first, y: wanted.bits as u32, z: (wanted.bits >> 32) as u32 }
}

const GEOMETRY: Geometry = Geometry { size: 100_000, block: 1024, file: 3 };

/// The message that brings block `index`, as the service writes it.
fn block(token: &[u8], index: u32, bytes: &[u8]) -> Vec<u8> {
    let token = std::str::from_utf8(token).expect("hexadecimal");
    let mut cbor = minicbor::Encoder::new(Vec::new());
    let written: Result<(), minicbor::encode::Error<std::convert::Infallible>> = (|| {
        cbor.begin_map()?.str("c")?.str(token)?.str("f")?.u8(3)?;
        cbor.str("l")?.u32(bytes.len() as u32)?.str("i")?.u32(index)?;
        cbor.str("p")?.bytes(bytes)?.end()?;
        Ok(())
    })();
    written.expect("a vector takes everything");
    cbor.into_writer()
}

#[test]
fn mqtt_streams_are_spoken_as_the_core_speaks_them() {
    let mut plugin = Plugin::load("mqtt-stream");
    let mut core = MqttStream::<Cbor>::new("thing").expect("a name");
    plugin.open("thing", "AFR_OTA-7", GEOMETRY);
    core.open("AFR_OTA-7", GEOMETRY).expect("a stream");
    for (index, topic) in plugin.topics().into_iter().enumerate() {
        let mut room = [0; 400];
        let mut cores = Writer::new(&mut room);
        assert!(core.subscription(index, &mut cores));
        assert_eq!(topic, cores.finish().expect("fits"));
    }
    for (first, bits) in [(0, u64::MAX), (17, 0b1010), (90, 0xff), (97, 1)] {
        let wanted = Wanted { first, bits };
        let (mut topic, mut payload) = ([0; 400], [0; 96]);
        let mut draft = Draft::new(&mut topic, &mut payload);
        core.request(wanted, &mut draft).expect("fits");
        let cores = draft.finish().expect("fits");
        let asked = plugin.request(wanted);
        assert_eq!(asked, (cores.topic.as_bytes().to_vec(), cores.payload.to_vec()));
    }
    let (_, asked) = plugin.request(Wanted { first: 0, bits: 1 });
    let token = asked[4..12].to_vec();
    let bytes: Vec<u8> = (0..1024).map(|at| (at * 7) as u8).collect();
    let topic = "$aws/things/thing/streams/AFR_OTA-7/data/cbor";
    let wanted = Wanted { first: 64, bits: u64::MAX };
    for index in [64, 70, 97, 63, 98] {
        let len = GEOMETRY.block_len(index).unwrap_or(1024) as usize;
        let payload = block(&token, index, &bytes[..len]);
        for cut in [payload.len(), payload.len() - 1, 30, 0] {
            let payload = &payload[..cut];
            let mut into = [0; 1024];
            let cores = core.accept(Message { topic, payload }, wanted, &mut into);
            let ours = plugin.hear(Event::Message, input(topic.as_bytes(), payload, wanted));
            match cores {
                Arrival::Block { index, len } => {
                    let expected = abi::Field::plain(into[..len as usize].to_vec());
                    assert_eq!(ours, Ok(vec![Action::Block { index, bytes: expected }]));
                    assert!(plugin.burned < 3_000, "{} of fuel for a block", plugin.burned);
                }
                Arrival::Ignored(why) => match ours {
                    Err(Answer::Malformed(ours)) => assert_eq!(ours.number(), why.code()),
                    other => panic!("{why:?}, and the plugin {other:?}"),
                },
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_protocol_that_the_core_does_not_know_fetches_a_file() {
    let mut plugin = Plugin::load("raw-blocks");
    plugin.open("thing", "fw-7", GEOMETRY);
    assert_eq!(
        plugin.topics(),
        [&b"raw-blocks/thing/fw-7/data"[..], b"raw-blocks/thing/fw-7/refused"]
    );
    let file: Vec<u8> = (0..GEOMETRY.size).map(|at| (at % 251) as u8).collect();
    let mut fetched = Vec::new();
    for first in (0..GEOMETRY.blocks()).step_by(64) {
        let count = (GEOMETRY.blocks() - first).min(64);
        let wanted = Wanted { first, bits: u64::MAX >> (64 - count) };
        let (topic, payload) = plugin.request(wanted);
        assert_eq!(topic, b"raw-blocks/thing/fw-7/get");
        let numbers = [3, 1024, first].map(u32::to_le_bytes);
        assert_eq!(payload, [numbers.as_flattened(), &wanted.bits.to_le_bytes()].concat());
        for index in first..first + count {
            let bytes = file.chunks(1024).nth(index as usize).expect("in the file");
            let numbers = [3, 1024, index].map(u32::to_le_bytes);
            let payload = [numbers.as_flattened(), bytes].concat();
            let topic = b"raw-blocks/thing/fw-7/data";
            let actions = plugin.hear(Event::Message, input(topic, &payload, wanted));
            assert!(plugin.burned < 2_000, "{} of fuel for a block", plugin.burned);
            let Ok([Action::Block { index: said, bytes }]) = actions.as_deref() else {
                panic!("{actions:?}");
            };
            assert_eq!(*said, index);
            fetched.extend_from_slice(&bytes.raw);
        }
    }
    assert!(fetched == file);
    let topic = b"raw-blocks/thing/fw-7/refused";
    let refused = plugin.hear(Event::Message, input(topic, b"\x05\x02\0\0", Wanted::default()));
    assert_eq!(refused, Ok(vec![Action::GiveUp(abi::Failure::StreamMissing)]));
    let elsewhere = plugin.hear(Event::Message, input(b"else", b"", Wanted::default()));
    assert_eq!(elsewhere, Err(Answer::NotMine(abi::Failure::BadBlock)));
}

/// The longest names there are, and the longest message, stay within the stack that the sample asks
/// for: a stack too deep is a trap.
#[test]
fn the_longest_of_everything_fits() {
    let long = "n".repeat(128);
    for (name, prefix, tail) in [
        ("mqtt-stream", format!("$aws/things/{long}/streams/{long}/"), "data/cbor"),
        ("raw-blocks", format!("raw-blocks/{long}/{long}/"), "data"),
    ] {
        let mut plugin = Plugin::load(name);
        plugin.open(&long, &long, GEOMETRY);
        let wanted = Wanted { first: u32::MAX, bits: u64::MAX };
        let (topic, _) = plugin.request(wanted);
        assert!(topic.starts_with(prefix.as_bytes()));
        let topic = format!("{prefix}{tail}");
        let payload = vec![0x81; plugin.io.input_cap as usize - topic.len() - abi::INPUT_HEADER];
        let heard = plugin.hear(Event::Message, input(topic.as_bytes(), &payload, wanted));
        assert!(matches!(heard, Err(Answer::Malformed(_))), "{heard:?}");
        // An unknown key with lists in lists: as deep as recursion goes.
        let deep = [&b"\xa1\x61x"[..], &[0x81; 900]].concat();
        let heard = plugin.hear(Event::Message, input(topic.as_bytes(), &deep, wanted));
        assert!(matches!(heard, Err(Answer::Malformed(_))), "{heard:?}");
    }
}
