//! MQTT streams in CBOR: the core's `runtime/src/transport/mqtt_stream` as a plugin. It asks with the
//! same bytes and takes the same answers; what it costs to have it as a plugin can so be told.
//!
//! | message | published to | says |
//! |---|---|---|
//! | request | `get/cbor` | file `f`, block length `l`, first block `o`, bitmap `b`, how many `n`, token `c` |
//! | block | `data/cbor` | file `f`, block number `i`, its length `l`, its bytes `p`, token `c` |
//! | refusal | `rejected/cbor` | an error code `o`, words `m`, token `c` |
//!
//! One thing differs: blocks are of at most [`BLOCK_MAX`] bytes, for a message has to fit into the
//! plugin's memory.

#![cfg_attr(target_family = "wasm", no_std)]

use coreota_plugin::{
    Arrival, Blocks, Cbor, Draft, Error, Failure, Field, Geometry, Message, Wanted, Writer, behind,
    find, is, is_name,
};

coreota_plugin::blocks!(MqttStream, input = INPUT, scratch = SCRATCH);

/// Longest name of a thing or a stream, in bytes.
const NAME_MAX: usize = 128;
/// Shortest block, in bytes.
const BLOCK_MIN: u32 = 256;
/// Longest block, in bytes.
pub const BLOCK_MAX: u32 = 1024;
/// Most blocks of a file.
const BLOCKS_MAX: u32 = 98_304;
/// Most bytes of blocks that one request brings.
const REQUEST_MAX: u32 = 131_072;
/// `$aws/things/{thing}/streams/{stream}/`
const PREFIX_MAX: usize = "$aws/things//streams//".len() + 2 * NAME_MAX;
const TOPIC_MAX: usize = PREFIX_MAX + "rejected/cbor".len();
/// Longest message that comes in: its header, its topic, what is around a block, a block.
const INPUT: usize = 20 + TOPIC_MAX + 64 + BLOCK_MAX as usize;
/// Longest request, with its topic.
const SCRATCH: usize = PREFIX_MAX + "get/cbor".len() + 56;

/// What a refusal's code means for the download.
const CODES: [&str; 9] = [
    "ResourceNotFound",
    "VersionMismatch",
    "ETagMismatch",
    "OffsetOutOfBounds",
    "InvalidRequest",
    "RequestThrottled",
    "InternalError",
    "InvalidCbor",
    "InvalidJson",
];
const MEANINGS: [Failure; 9] = [
    Failure::StreamMissing,
    Failure::StreamVersion,
    Failure::StreamVersion,
    Failure::StreamShort,
    Failure::StreamShort,
    Failure::Throttled,
    Failure::Throttled,
    Failure::Throttled,
    Failure::Throttled,
];

/// A file of a stream of a thing.
#[derive(Clone, Debug)]
pub struct MqttStream {
    /// `$aws/things/{thing}/streams/`, and behind it `{stream}/` once one is opened.
    prefix: [u8; PREFIX_MAX],
    /// Length of the first part of it, and of both.
    things: usize,
    stream: usize,
    geometry: Geometry,
    token: [u8; 8],
}

impl MqttStream {
    /// Writes a name, and what is around it, from `at` on in the prefix; how long it is now.
    fn write(&mut self, at: usize, parts: [&[u8]; 3]) -> usize {
        let mut writer = Writer::new(self.prefix.get_mut(at..).unwrap_or_default());
        for part in parts {
            writer.put(part);
        }
        at + writer.len()
    }

    fn prefix(&self, len: usize) -> &[u8] {
        self.prefix.get(..len).unwrap_or_default()
    }

    fn topic(&self, kind: &[u8], topic: &mut Writer<'_>) {
        topic.put(self.prefix(self.stream));
        topic.put(kind);
        topic.put(b"/cbor");
    }

    /// The block of a message, where it is of this file, whole and wanted.
    #[inline(never)]
    fn data<'m>(&self, payload: &'m [u8], wanted: Wanted) -> Result<Arrival<'m>, Failure> {
        let mut cbor = Cbor::new(payload);
        let (mut seen, mut ours, mut numbers, mut block) = (0, false, [0; 3], &[] as &[u8]);
        let mut left = cbor.map();
        while let Some(key) = cbor.key(&mut left) {
            let which = match key {
                b"f" => Some(0),
                b"i" => Some(1),
                b"l" => Some(2),
                b"p" => Some(3),
                b"c" => Some(4),
                _ => None,
            };
            match once(&mut cbor, which, &mut seen) {
                Some(3) => block = cbor.bytes(),
                Some(4) => ours = same(cbor.text(), &self.token),
                Some(which) => {
                    let number = cbor.number();
                    if let Some(to) = numbers.get_mut(which as usize) {
                        *to = number;
                    }
                }
                None => cbor.skip(),
            }
        }
        cbor.end()?;
        if seen & 0b1111 != 0b1111 {
            return Err(Failure::MissingField);
        }
        let [file, index, len] = numbers;
        let index = u32::try_from(index).map_err(|_| Failure::BadNumber)?;
        let right = ours
            && file == u64::from(self.geometry.file)
            && self.geometry.block_len(index).map(u64::from) == Some(len)
            && block.len() as u64 == len
            && wanted.contains(index);
        if right {
            Ok(Arrival::Block { index, bytes: Field::plain(block) })
        } else {
            Err(Failure::BadBlock)
        }
    }

    /// What a refusal means, where it is one of this download's requests.
    fn rejected(&self, payload: &[u8]) -> Result<Failure, Failure> {
        let mut cbor = Cbor::new(payload);
        let mut seen = 0;
        // A request too broken to have a token is refused without one.
        let [mut code, mut legacy, mut token] = [&[] as &[u8], &[], &self.token];
        let mut left = cbor.map();
        while let Some(key) = cbor.key(&mut left) {
            let which = match key {
                b"o" => Some(0),
                b"c" => Some(2),
                // The older name of the code.
                _ => is(key, "code").then_some(1),
            };
            match once(&mut cbor, which, &mut seen) {
                Some(0) => code = cbor.text(),
                Some(1) => legacy = cbor.text(),
                Some(_) => token = cbor.text(),
                None => cbor.skip(),
            }
        }
        cbor.end()?;
        match seen & 0b11 {
            0 => return Err(Failure::MissingField),
            0b10 => code = legacy,
            _ => {}
        }
        if !same(token, &self.token) {
            return Err(Failure::BadBlock);
        }
        Ok(find(code, &CODES, &MEANINGS).unwrap_or(Failure::StreamRefused))
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    behind(a, b).is_some_and(<[u8]>::is_empty)
}

/// Notes a key that is known: each may stand once.
fn once(cbor: &mut Cbor<'_>, which: Option<u32>, seen: &mut u32) -> Option<u32> {
    let bit = 1 << (which? & 31);
    if *seen & bit != 0 {
        cbor.fail(Failure::DuplicateKey);
    }
    *seen |= bit;
    which
}

impl Blocks for MqttStream {
    const NEW: Self = MqttStream {
        prefix: [0; PREFIX_MAX],
        things: 0,
        stream: 0,
        geometry: Geometry::NONE,
        token: [0; 8],
    };

    fn start(&mut self, thing: &[u8]) -> Result<(), Failure> {
        if !is_name(thing, NAME_MAX, ":_-") {
            return Err(Failure::BadText);
        }
        self.things = self.write(0, [b"$aws/things/", thing, b"/streams/"]);
        self.stream = self.things;
        Ok(())
    }

    fn open(&mut self, place: &[u8], geometry: Geometry) -> Result<(), Failure> {
        if !is_name(place, NAME_MAX, "_-") {
            return Err(Failure::BadText);
        }
        if !(BLOCK_MIN..=BLOCK_MAX).contains(&geometry.block)
            || !(1..=BLOCKS_MAX).contains(&geometry.blocks())
        {
            return Err(Failure::Misconfigured);
        }
        self.stream = self.write(self.things, [place, b"/", b""]);
        self.geometry = geometry;
        Writer::new(&mut self.token).hex(token(place, geometry), 8);
        Ok(())
    }

    fn subscription(&self, index: u32, topic: &mut Writer<'_>) -> bool {
        self.topic(if index == 0 { b"data" } else { b"rejected" }, topic);
        index < 2
    }

    #[inline(never)]
    fn request(&mut self, wanted: Wanted, draft: &mut Draft<'_>) {
        let wanted = first_blocks(wanted, REQUEST_MAX / self.geometry.block.max(1));
        self.topic(b"get", draft.topic());
        let to = draft.payload();
        // A map of six pairs; every key is a text of one letter. The token is one of eight.
        to.put(b"\xa6\x61c\x68");
        to.put(&self.token);
        for (letter, number) in [
            (b'f', self.geometry.file.into()),
            (b'l', self.geometry.block),
            (b'o', wanted.first),
            (b'n', wanted.bits.count_ones()),
        ] {
            to.put(&[0x61, letter]);
            to.cbor_number(number);
        }
        // The bitmap: eight blocks a byte, the first lowest, nothing behind the last.
        let used = (u64::BITS - wanted.bits.leading_zeros()).div_ceil(8);
        to.put(&[0x61, b'b', 0x40 | used as u8]);
        for at in 0..used {
            to.put(&[(wanted.bits >> (8 * at)) as u8]);
        }
    }

    fn accept<'m>(&mut self, message: Message<'m>, wanted: Wanted) -> Result<Arrival<'m>, Error> {
        let Message { topic, payload } = message;
        match behind(topic, self.prefix(self.stream)) {
            Some(tail) if is(tail, "data/cbor") => Ok(self.data(payload, wanted)?),
            Some(tail) if is(tail, "rejected/cbor") => {
                Ok(Arrival::Refused(self.rejected(payload)?))
            }
            None if behind(topic, self.prefix(self.things)).is_none() => {
                Err(Error::NotMine(Failure::BadBlock))
            }
            // About another stream, or in another encoding.
            _ => Err(Failure::BadBlock.into()),
        }
    }
}

/// The first `most` wanted blocks, of which the very first is bit 0.
fn first_blocks(wanted: Wanted, most: u32) -> Wanted {
    let skipped = wanted.bits.trailing_zeros().min(u64::BITS - 1);
    let mut bits = wanted.bits >> skipped;
    while bits.count_ones() > most {
        bits &= u64::MAX >> 1 >> bits.leading_zeros();
    }
    Wanted { first: wanted.first.saturating_add(skipped), bits }
}

/// Names a download: FNV-1a of what it is of.
fn token(stream: &[u8], geometry: Geometry) -> u32 {
    let Geometry { size, block, file } = geometry;
    let numbers = [size.to_le_bytes(), block.to_le_bytes(), [file, 0, 0, 0]];
    stream
        .iter()
        .chain(numbers.iter().flatten())
        .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
