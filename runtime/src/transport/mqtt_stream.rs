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
mod download;
mod json;

use core::marker::PhantomData;

use self::download::Download;
pub use self::{cbor::Cbor, json::Json};
use super::{Arrival, BlockProtocol, Geometry, Wanted};
use crate::{
    error::Failure,
    field::Field,
    message::{Draft, Message},
    wire::Writer,
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
pub const TOPIC_MAX: usize = PREFIX_MAX + STREAM_MAX + "/rejected/cbor".len();
/// Longest request, in bytes.
pub const REQUEST_PAYLOAD_MAX: usize = 96;

const PREFIX_MAX: usize = "$aws/things/".len() + THING_MAX + "/streams/".len();

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
    download: Download,
    encoding: PhantomData<E>,
}

impl<E: Encoding> BlockProtocol for MqttStream<E> {
    fn new(thing: &str) -> Result<Self, Failure> {
        Ok(MqttStream { download: Download::new(thing)?, encoding: PhantomData })
    }

    fn open(&mut self, place: &str, geometry: Geometry) -> Result<(), Failure> {
        self.download.open(place, geometry, E::BLOCK_MAX)
    }

    fn subscription(&self, index: usize, topic: &mut Writer<'_>) -> bool {
        let Some(kind) = ["data/", "rejected/"].get(index) else { return false };
        self.download.topic(kind, E::NAME, topic);
        true
    }

    fn request(&mut self, wanted: Wanted, draft: &mut Draft<'_>) -> Result<(), Failure> {
        self.download.topic("get/", E::NAME, &mut draft.topic);
        E::request(&self.download.request(wanted), &mut draft.payload);
        draft.topic.whole()?;
        draft.payload.whole()
    }

    fn accept(&mut self, message: Message<'_>, wanted: Wanted, into: &mut [u8]) -> Arrival {
        let download = &self.download;
        let Some(kind) = download.kind(message.topic, E::NAME) else { return Arrival::NotMine };
        let result = match kind {
            "data/" => E::data(message.payload, download.token())
                .and_then(|data| download.accept(&data, wanted, into)),
            "rejected/" => E::rejected(message.payload, download.token())
                .and_then(|why| why.map(Arrival::Refused).ok_or(Failure::BadBlock)),
            _ => Err(Failure::BadBlock),
        };
        result.unwrap_or_else(Arrival::Ignored)
    }
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
