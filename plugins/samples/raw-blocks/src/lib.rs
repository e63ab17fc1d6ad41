//! `raw-blocks`: a block protocol that the core does not know, as the local provider speaks it
//! (`docs/provider.md`). Blocks as they are, behind three numbers, all little-endian.
//!
//! ```text
//! raw-blocks/THING/STREAM/get      u32 file, u32 block size, u32 first, u64 wanted: bit k is block first + k
//! raw-blocks/THING/STREAM/data     u32 file, u32 block size, u32 index, bytes: one message a block
//! raw-blocks/THING/STREAM/refused  u32 why: 0x0204 a request that makes no sense, 0x0205 no such stream or file
//! ```

#![cfg_attr(target_family = "wasm", no_std)]

use coreota_plugin::{
    Arrival, Blocks, Draft, Error, Failure, Field, Geometry, Message, Wanted, Writer, behind, is,
    is_name,
};

coreota_plugin::blocks!(RawBlocks, input = INPUT, scratch = 320);

/// Longest name of a thing or a stream, in bytes.
const NAME_MAX: usize = 128;
const PREFIX: &str = "raw-blocks/";
/// `raw-blocks/THING/STREAM/`
const PREFIX_MAX: usize = PREFIX.len() + 2 * (NAME_MAX + 1);
/// Longest block, in bytes.
const BLOCK_MAX: u32 = 1024;
/// Longest message that comes in: its header, its topic, three numbers, a block.
const INPUT: usize = 20 + PREFIX_MAX + "refused".len() + 12 + BLOCK_MAX as usize;

/// A file of a stream of a thing.
#[derive(Clone, Debug)]
pub struct RawBlocks {
    /// `raw-blocks/THING/`, and behind it `STREAM/` once one is opened.
    prefix: [u8; PREFIX_MAX],
    /// Length of the first part of it, and of both.
    thing: usize,
    stream: usize,
    geometry: Geometry,
}

impl RawBlocks {
    /// Appends a name and a slash to the `at` bytes of the prefix; how long it is now.
    fn name(&mut self, at: usize, name: &[u8], also: &str) -> Result<usize, Failure> {
        if !is_name(name, NAME_MAX, also) {
            return Err(Failure::BadText);
        }
        let mut writer = Writer::new(self.prefix.get_mut(at..).unwrap_or_default());
        writer.put(name);
        writer.put(b"/");
        Ok(at + writer.len())
    }

    fn prefix(&self, len: usize) -> &[u8] {
        self.prefix.get(..len).unwrap_or_default()
    }
}

impl Blocks for RawBlocks {
    const NEW: Self =
        RawBlocks { prefix: [0; PREFIX_MAX], thing: 0, stream: 0, geometry: Geometry::NONE };

    fn start(&mut self, thing: &[u8]) -> Result<(), Failure> {
        Writer::new(&mut self.prefix).put(PREFIX.as_bytes());
        self.thing = self.name(PREFIX.len(), thing, ":_-")?;
        self.stream = self.thing;
        Ok(())
    }

    fn open(&mut self, place: &[u8], geometry: Geometry) -> Result<(), Failure> {
        if !(64..=BLOCK_MAX).contains(&geometry.block) {
            return Err(Failure::Misconfigured);
        }
        self.stream = self.name(self.thing, place, "_-")?;
        self.geometry = geometry;
        Ok(())
    }

    fn subscription(&self, index: u32, topic: &mut Writer<'_>) -> bool {
        topic.put(self.prefix(self.stream));
        topic.put(if index == 0 { b"data" } else { b"refused" });
        index < 2
    }

    fn request(&mut self, wanted: Wanted, draft: &mut Draft<'_>) {
        let topic = draft.topic();
        topic.put(self.prefix(self.stream));
        topic.put(b"get");
        let payload = draft.payload();
        let Wanted { first, bits } = wanted;
        payload.word(self.geometry.file.into());
        payload.word(self.geometry.block);
        payload.word(first);
        payload.word(bits as u32);
        payload.word((bits >> 32) as u32);
    }

    fn accept<'m>(&mut self, message: Message<'m>, wanted: Wanted) -> Result<Arrival<'m>, Error> {
        let tail = match behind(message.topic, self.prefix(self.stream)) {
            Some(tail) => tail,
            None if behind(message.topic, self.prefix(self.thing)).is_some() => b"",
            None => return Err(Error::NotMine(Failure::BadBlock)),
        };
        let mut payload = message.payload;
        if is(tail, "refused") {
            return match word(&mut payload) {
                Some(0x0205) => Ok(Arrival::Refused(Failure::StreamMissing)),
                Some(_) => Ok(Arrival::Refused(Failure::StreamRefused)),
                None => Err(Failure::BadBlock.into()),
            };
        }
        let numbers = [word(&mut payload), word(&mut payload), word(&mut payload)];
        let Geometry { file, block, .. } = self.geometry;
        match numbers {
            [Some(its_file), Some(its_block), Some(index)]
                if is(tail, "data")
                    && its_file == u32::from(file)
                    && its_block == block
                    && wanted.contains(index) =>
            {
                Ok(Arrival::Block { index, bytes: Field::plain(payload) })
            }
            _ => Err(Failure::BadBlock.into()),
        }
    }
}

/// The next number of a payload.
fn word(payload: &mut &[u8]) -> Option<u32> {
    let (word, rest) = payload.split_first_chunk()?;
    *payload = rest;
    Some(u32::from_le_bytes(*word))
}
