//! AWS IoT MQTT-based file delivery, and every provider that speaks it:
//! `$aws/things/{thing}/streams/{stream}/…`, in CBOR or JSON.
//!
//! | message | published to | says |
//! |---|---|---|
//! | request | `get/cbor` | file `f`, block length `l`, first block `o`, bitmap `b`, how many `n`, token `c` |
//! | block | `data/cbor` | file `f`, block number `i`, its length `l`, its bytes `p`, token `c` |
//! | refusal | `rejected/cbor` | an error code `o`, words `m`, token `c` |
//!
//! **Which blocks are welcome.** A block is wanted if it belongs to the file that is downloaded,
//! whichever request brought it: with several requests under way, or one repeated because its
//! answer was late, the late one still helps. So the token names not the request but the download:
//! a hash of stream, file, size and block length, echoed by the provider. Blocks that were asked for
//! before a reboot or a reconnect are recognised; blocks of another file, or of the same file cut
//! otherwise, are not. Two downloads with equal tokens are of the same bytes, unless somebody
//! changed the stream between them: then the image's digest and signature tell.
//!
//! **What a request asks.** Exactly the wanted blocks, but no more than the provider sends for one
//! request ([`REQUEST_MAX`] bytes): the first that fit. The rest stay wanted, to be asked for next.

mod cbor;
mod json;

use core::marker::PhantomData;

use heapless::String;

pub use self::{cbor::Cbor, json::Json};
use super::{Arrival, BlockProtocol, Geometry, Wanted};
use crate::{
    error::Failure,
    field::Field,
    message::{Draft, Message},
    wire::{Writer, is_name},
};

/// Longest name of a thing, in bytes.
pub const THING_MAX: usize = 128;
/// Longest name of a stream, in bytes.
pub const STREAM_MAX: usize = 128;
/// Shortest block, in bytes; the longest depends on the encoding ([`Encoding::BLOCK_MAX`]).
pub const BLOCK_MIN: u32 = 256;
/// Most blocks of a file.
pub const BLOCKS_MAX: u32 = 98_304;
/// Most bytes of blocks that one request brings.
pub const REQUEST_MAX: u32 = 131_072;
/// Longest payload of a message, in bytes.
pub const PAYLOAD_MAX: u32 = 131_072;
/// Longest topic of this transport, in bytes: a buffer for topics needs no more.
pub const TOPIC_MAX: usize = PREFIX_MAX + "rejected/cbor".len();
/// Longest request, in bytes.
pub const REQUEST_PAYLOAD_MAX: usize = 96;

const PREFIX_MAX: usize =
    "$aws/things/".len() + THING_MAX + "/streams/".len() + STREAM_MAX + "/".len();

/// How messages are written: [`Cbor`] or [`Json`].
pub trait Encoding {
    /// Last level of every topic.
    const NAME: &'static str;
    /// Longest block that one message carries, in bytes.
    const BLOCK_MAX: u32;
    /// Bytes of a message around its block, at most.
    const OVERHEAD: u32;

    /// Writes a request.
    fn request(request: &Request<'_>, to: &mut Writer<'_>);

    /// Reads a block message.
    ///
    /// # Errors
    /// What is wrong with it.
    fn data<'m>(payload: &'m [u8], token: &str) -> Result<Data<'m>, Failure>;

    /// Reads a refusal; what it means, or `None` where it has another token.
    ///
    /// # Errors
    /// What is wrong with it.
    fn rejected(payload: &[u8], token: &str) -> Result<Option<Failure>, Failure>;
}

/// What a request says.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `c`
    pub token: &'a str,
    /// `f` and `l`
    pub geometry: Geometry,
    /// `o`, `n` and `b`: bit 0 is set.
    pub wanted: Wanted,
}

impl Request<'_> {
    /// The bitmap as it travels: eight blocks a byte, the first lowest, nothing behind the last.
    fn bitmap<'b>(&self, bytes: &'b mut [u8; 8]) -> &'b [u8] {
        *bytes = self.wanted.bits.to_le_bytes();
        let used = u64::BITS.saturating_sub(self.wanted.bits.leading_zeros()).div_ceil(8);
        bytes.get(..used as usize).unwrap_or_default()
    }
}

/// What a block message says, nothing of it checked.
#[derive(Clone, Copy, Debug)]
pub struct Data<'m> {
    /// It has the token asked for.
    pub ours: bool,
    /// `f`
    pub file: u64,
    /// `i`
    pub index: u64,
    /// `l`
    pub len: u64,
    /// `p`
    pub payload: Field<'m>,
}

/// Block protocol of one thing.
#[derive(Clone, Debug)]
pub struct MqttStream<E> {
    /// `$aws/things/{thing}/streams/`, and behind it `{stream}/` once opened.
    prefix: String<PREFIX_MAX>,
    /// Length of the first part of `prefix`.
    thing: usize,
    geometry: Geometry,
    token: String<8>,
    encoding: PhantomData<E>,
}

impl<E: Encoding> BlockProtocol for MqttStream<E> {
    fn new(thing: &str) -> Result<Self, Failure> {
        if !is_name(thing, THING_MAX, b":_-") {
            return Err(Failure::BadText);
        }
        let mut prefix = String::new();
        for part in ["$aws/things/", thing, "/streams/"] {
            prefix.push_str(part).map_err(|_| Failure::BadText)?;
        }
        let thing = prefix.len();
        let (geometry, token, encoding) = (Geometry::default(), String::new(), PhantomData);
        Ok(MqttStream { prefix, thing, geometry, token, encoding })
    }

    fn open(&mut self, place: &str, geometry: Geometry) -> Result<(), Failure> {
        if !is_name(place, STREAM_MAX, b"_-") {
            return Err(Failure::BadText);
        }
        if !(BLOCK_MIN..=E::BLOCK_MAX).contains(&geometry.block)
            || !(1..=BLOCKS_MAX).contains(&geometry.blocks())
        {
            return Err(Failure::Misconfigured);
        }
        self.prefix.truncate(self.thing);
        for part in [place, "/"] {
            self.prefix.push_str(part).map_err(|_| Failure::BadText)?;
        }
        self.geometry = geometry;
        self.token = token(place, geometry)?;
        Ok(())
    }

    fn subscription(&self, index: usize, topic: &mut Writer<'_>) -> bool {
        let Some(message) = ["data/", "rejected/"].get(index) else { return false };
        for part in [&self.prefix, *message, E::NAME] {
            topic.text(part);
        }
        true
    }

    fn request(&mut self, wanted: Wanted, draft: &mut Draft<'_>) -> Result<(), Failure> {
        let wanted = first_blocks(wanted, REQUEST_MAX / self.geometry.block.max(1));
        for part in [&self.prefix, "get/", E::NAME] {
            draft.topic.text(part);
        }
        let request = Request { token: &self.token, geometry: self.geometry, wanted };
        E::request(&request, &mut draft.payload);
        draft.topic.finish()?;
        draft.payload.finish().map(|_| ())
    }

    fn accept(&mut self, message: Message<'_>, wanted: Wanted, into: &mut [u8]) -> Arrival {
        let things = self.prefix.get(..self.thing).unwrap_or_default();
        let Some(tail) = message.topic.strip_prefix(things) else { return Arrival::NotMine };
        let stream = self.prefix.get(self.thing..).unwrap_or_default();
        let kind = tail.strip_prefix(stream).and_then(|kind| kind.strip_suffix(E::NAME));
        let result = match kind {
            Some("data/") => self.block(message.payload, wanted, into),
            Some("rejected/") => self.refusal(message.payload),
            _ => Err(Failure::BadBlock),
        };
        result.unwrap_or_else(Arrival::Ignored)
    }
}

impl<E: Encoding> MqttStream<E> {
    /// Checks a block against everything known of it, then writes it to `into`.
    fn block(&self, payload: &[u8], wanted: Wanted, into: &mut [u8]) -> Result<Arrival, Failure> {
        let data = E::data(payload, &self.token)?;
        let index = u32::try_from(data.index).map_err(|_| Failure::BadNumber)?;
        let len = self.geometry.block_len(index).ok_or(Failure::BadBlock)?;
        if !data.ours
            || data.file != u64::from(self.geometry.file)
            || data.len != u64::from(len)
            || !wanted.contains(index)
            // Known without decoding, unless there are escapes.
            || data.payload.decoded_len().is_some_and(|held| held != len as usize)
        {
            return Err(Failure::BadBlock);
        }
        let into = into.get_mut(..len as usize).ok_or(Failure::Misconfigured)?;
        match data.payload.decode(into)?.len() == len as usize {
            true => Ok(Arrival::Block { index, len }),
            false => Err(Failure::BadBlock),
        }
    }

    fn refusal(&self, payload: &[u8]) -> Result<Arrival, Failure> {
        match E::rejected(payload, &self.token)? {
            Some(why) => Ok(Arrival::Refused(why)),
            None => Err(Failure::BadBlock),
        }
    }
}

/// The first `most` wanted blocks, of which the very first is bit 0.
fn first_blocks(wanted: Wanted, most: u32) -> Wanted {
    let skipped = wanted.bits.trailing_zeros().min(u64::BITS - 1);
    let mut bits = wanted.bits >> skipped;
    // So many bits at most: counting them all takes longer, and seldom is one too many.
    while u64::BITS - bits.leading_zeros() > most && bits.count_ones() > most {
        bits &= u64::MAX >> 1 >> bits.leading_zeros();
    }
    Wanted { first: wanted.first.saturating_add(skipped), bits }
}

/// Names a download: FNV-1a of what it is of, in hexadecimal. Not against malice (the topic is
/// guarded by the broker), only against confusion.
fn token(stream: &str, geometry: Geometry) -> Result<String<8>, Failure> {
    let Geometry { size, block, file } = geometry;
    let numbers = [size.to_le_bytes(), block.to_le_bytes(), [file, 0, 0, 0]];
    let hash = stream
        .bytes()
        .chain(numbers.into_iter().flatten())
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mut token = [b'0'; 8];
    Writer::new(&mut token).hex(hash, 8);
    String::from_utf8(token.into()).map_err(|_| Failure::BadText)
}

/// What a refusal means for the download; `is` compares its error code.
fn refused(is: impl Fn(&str) -> bool) -> Failure {
    const CODES: [(&str, Failure); 9] = [
        ("ResourceNotFound", Failure::StreamMissing),
        ("VersionMismatch", Failure::StreamVersion),
        ("ETagMismatch", Failure::StreamVersion),
        // Our requests being valid otherwise, InvalidRequest is about blocks that the provider's
        // file does not have.
        ("OffsetOutOfBounds", Failure::StreamShort),
        ("InvalidRequest", Failure::StreamShort),
        // Asking again helps; an encoding found invalid was damaged on its way.
        ("RequestThrottled", Failure::Throttled),
        ("InternalError", Failure::Throttled),
        ("InvalidCbor", Failure::Throttled),
        ("InvalidJson", Failure::Throttled),
    ];
    let known = CODES.iter().find(|(code, _)| is(code));
    known.map_or(Failure::StreamRefused, |(_, failure)| *failure)
}
