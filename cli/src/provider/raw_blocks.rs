//! `raw-blocks`: a block protocol that no firmware here knows by itself, for plugins to speak. Blocks
//! travel as they are, behind three numbers; docs/provider.md says it whole.
//!
//! ```text
//! raw-blocks/THING/STREAM/get      u32 file, u32 block size, u32 first, u64 wanted: bit k is block first + k
//! raw-blocks/THING/STREAM/data     u32 file, u32 block size, u32 index, bytes: one message a block
//! raw-blocks/THING/STREAM/refused  u32 why: 0x0204 a request that makes no sense, 0x0205 no such stream or file
//! ```
//! All numbers are little-endian.

use super::state::Stream;
use super::{Outgoing, Provider, names};

/// Its topics begin so.
const PREFIX: &str = "raw-blocks/";
/// What to subscribe to.
pub(super) const FILTER: &str = "raw-blocks/+/+/get";
/// Bytes of a block.
const BLOCK: std::ops::RangeInclusive<u32> = 64..=131_072;
/// Bytes of file that one request yields at most.
const REQUEST_MAX: u64 = 128 * 1024;

/// Why a request is refused: the numbers that devices have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Request = 0x0204,
    Missing = 0x0205,
}

/// A request, as read.
struct Get {
    file: u32,
    block: u32,
    first: u32,
    wanted: u64,
}

impl Get {
    fn read(payload: &[u8]) -> Option<Self> {
        let (words, wanted) = payload.split_at_checked(12)?;
        let word = |at: usize| Some(u32::from_le_bytes(words.get(at..at + 4)?.try_into().ok()?));
        Some(Get {
            file: word(0)?,
            block: word(4)?,
            first: word(8)?,
            wanted: u64::from_le_bytes(wanted.try_into().ok()?),
        })
    }

    /// The blocks it is answered with, up to what a request yields.
    fn blocks(&self) -> impl Iterator<Item = u64> {
        let (first, wanted) = (u64::from(self.first), self.wanted);
        let blocks = (0..64).filter(move |bit| wanted >> bit & 1 == 1).map(move |bit| first + bit);
        blocks.take((REQUEST_MAX / u64::from(self.block)) as usize)
    }
}

impl Provider {
    /// Answers a request of this protocol; `None` where the topic is not one.
    pub(super) fn raw_blocks(&mut self, topic: &str, payload: &[u8]) -> Option<Vec<Outgoing>> {
        let place = topic.strip_prefix(PREFIX)?.strip_suffix("/get")?;
        let (thing, name) = place.split_once('/')?;
        if !names::is_thing(thing) || name.contains('/') {
            return None;
        }
        self.see(thing);
        let answer = |verb: &str, payload: Vec<u8>| Outgoing {
            topic: format!("{PREFIX}{place}/{verb}"),
            payload,
            acknowledged: false,
        };
        Some(match self.raw_answer(name, payload) {
            Ok(blocks) => blocks.into_iter().map(|block| answer("data", block)).collect(),
            Err(why) => vec![answer("refused", (why as u32).to_le_bytes().to_vec())],
        })
    }

    fn raw_answer(&self, name: &str, payload: &[u8]) -> Result<Vec<Vec<u8>>, Why> {
        let get = Get::read(payload).ok_or(Why::Request)?;
        let stream: &Stream = self.state.streams.get(name).ok_or(Why::Missing)?;
        let number = u8::try_from(get.file).map_err(|_| Why::Missing)?;
        let file = stream.files.get(&number).ok_or(Why::Missing)?;
        let blocks = file.size.div_ceil(u64::from(get.block.max(1)));
        let sound = BLOCK.contains(&get.block) && get.wanted != 0;
        if !sound || get.blocks().any(|index| index >= blocks) {
            return Err(Why::Request);
        }
        let block = |index: u64| {
            let offset = index * u64::from(get.block);
            let len = u64::from(get.block).min(file.size - offset) as usize;
            let bytes = self.images.read(&file.image, offset, len).map_err(|_| Why::Missing)?;
            let numbers = [get.file, get.block, index as u32].map(u32::to_le_bytes);
            Ok([numbers.as_flattened(), &bytes].concat())
        };
        get.blocks().map(block).collect()
    }
}
