//! The download under way, whatever its messages are written in: names, geometry, token.

use heapless::String;

use super::{
    Arrival, BLOCK_MIN, BLOCKS_MAX, Data, Geometry, PREFIX_MAX, REQUEST_MAX, Request, STREAM_MAX,
    THING_MAX, Wanted,
};
use crate::{
    error::Failure,
    wire::{Writer, is_name},
};

/// A file of a stream of a thing.
#[derive(Clone, Debug)]
pub(super) struct Download {
    /// `$aws/things/{thing}/streams/`, and behind it `{stream}/` once one is opened.
    prefix: String<{ PREFIX_MAX + STREAM_MAX + 1 }>,
    /// Length of the first part of `prefix`.
    thing: usize,
    geometry: Geometry,
    token: String<8>,
}

impl Download {
    pub(super) fn new(thing: &str) -> Result<Self, Failure> {
        if !is_name(thing, THING_MAX, b":_-") {
            return Err(Failure::BadText);
        }
        let mut prefix = String::new();
        for part in ["$aws/things/", thing, "/streams/"] {
            prefix.push_str(part).map_err(|_| Failure::BadText)?;
        }
        let thing = prefix.len();
        Ok(Download { prefix, thing, geometry: Geometry::default(), token: String::new() })
    }

    pub(super) fn open(
        &mut self,
        stream: &str,
        geometry: Geometry,
        block_max: u32,
    ) -> Result<(), Failure> {
        if !is_name(stream, STREAM_MAX, b"_-") {
            return Err(Failure::BadText);
        }
        if !(BLOCK_MIN..=block_max).contains(&geometry.block)
            || !(1..=BLOCKS_MAX).contains(&geometry.blocks())
        {
            return Err(Failure::Misconfigured);
        }
        let mut prefix = String::new();
        for part in [self.things(), stream, "/"] {
            prefix.push_str(part).map_err(|_| Failure::BadText)?;
        }
        self.prefix = prefix;
        self.geometry = geometry;
        self.token = token(stream, geometry)?;
        Ok(())
    }

    #[inline]
    pub(super) fn topic(&self, kind: &str, encoding: &str, topic: &mut Writer<'_>) {
        topic.text(&self.prefix);
        topic.text(kind);
        topic.text(encoding);
    }

    /// What a topic of this thing's streams is about: `data/`, `rejected/`, or nothing where it is
    /// about another stream or encoding.
    pub(super) fn kind<'m>(&self, topic: &'m str, encoding: &str) -> Option<&'m str> {
        match topic.strip_prefix(self.prefix.as_str()) {
            Some(tail) => Some(tail.strip_suffix(encoding).unwrap_or_default()),
            None => topic.starts_with(self.things()).then_some(""),
        }
    }

    /// `$aws/things/{thing}/streams/`
    fn things(&self) -> &str {
        self.prefix.get(..self.thing).unwrap_or_default()
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn request(&self, wanted: Wanted) -> Request<'_> {
        let wanted = first_blocks(wanted, REQUEST_MAX / self.geometry.block.max(1));
        Request { token: &self.token, geometry: self.geometry, wanted }
    }

    /// Checks a block against everything known of it, then writes it to `into`.
    pub(super) fn accept(
        &self,
        data: &Data<'_>,
        wanted: Wanted,
        into: &mut [u8],
    ) -> Result<Arrival, Failure> {
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
