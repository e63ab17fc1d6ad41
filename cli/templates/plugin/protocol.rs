//! Fetches blocks as `raw-blocks` does, the protocol that `cargo ota serve` has for plugins
//! (docs/provider.md): to be changed into yours. All numbers are little-endian.
//!
//! ```text
//! raw-blocks/THING/STREAM/get      u32 file, u32 block size, u32 first, u64 wanted: bit k is block first + k
//! raw-blocks/THING/STREAM/data     u32 file, u32 block size, u32 index, then the bytes
//! raw-blocks/THING/STREAM/refused  u32 why
//! ```

#![cfg_attr(target_family = "wasm", no_std)]

use coreota_plugin::{Arrival, Blocks, Draft, Error, Failure, Field, Geometry, Message, Wanted, Writer};

// Its input holds the largest message: a block of 1 KiB, its topic, and 32 bytes more.
coreota_plugin::blocks!(Protocol, input = 1400, scratch = 320);

/// Longest names of a thing and of a stream, in bytes.
const NAME: usize = 128;

/// A name, kept.
struct Name {
    bytes: [u8; NAME],
    len: usize,
}

impl Name {
    const NONE: Name = Name { bytes: [0; NAME], len: 0 };

    fn set(&mut self, name: &[u8]) -> Result<(), Failure> {
        let room = self.bytes.get_mut(..name.len()).ok_or(Failure::BadText)?;
        room.copy_from_slice(name);
        self.len = name.len();
        Ok(())
    }

    fn get(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What is known while a file is fetched.
pub struct Protocol {
    thing: Name,
    stream: Name,
    geometry: Geometry,
}

impl Protocol {
    /// Writes a topic of the open stream.
    fn topic(&self, to: &mut Writer<'_>, last: &[u8]) {
        for part in [b"raw-blocks/", self.thing.get(), b"/", self.stream.get(), last] {
            to.put(part);
        }
    }

    /// What the topic of a message ends with, where it is of the open stream.
    fn last<'m>(&self, topic: &'m [u8]) -> Option<&'m [u8]> {
        topic
            .strip_prefix(b"raw-blocks/")?
            .strip_prefix(self.thing.get())?
            .strip_prefix(b"/")?
            .strip_prefix(self.stream.get())
    }
}

impl Blocks for Protocol {
    const NEW: Self = Protocol { thing: Name::NONE, stream: Name::NONE, geometry: Geometry::NONE };

    fn start(&mut self, thing: &[u8]) -> Result<(), Failure> {
        self.thing.set(thing)
    }

    fn open(&mut self, place: &[u8], geometry: Geometry) -> Result<(), Failure> {
        self.geometry = geometry;
        self.stream.set(place)
    }

    fn subscription(&self, index: u32, topic: &mut Writer<'_>) -> bool {
        let last: &[u8] = match index {
            0 => b"/data",
            1 => b"/refused",
            _ => return false,
        };
        self.topic(topic, last);
        true
    }

    fn request(&mut self, wanted: Wanted, draft: &mut Draft<'_>) {
        self.topic(draft.topic(), b"/get");
        let payload = draft.payload();
        for number in [self.geometry.file.into(), self.geometry.block, wanted.first] {
            payload.put(&number.to_le_bytes());
        }
        payload.put(&wanted.bits.to_le_bytes());
    }

    fn accept<'m>(&mut self, message: Message<'m>, _: Wanted) -> Result<Arrival<'m>, Error> {
        let last = self.last(message.topic).ok_or(Error::NotMine(Failure::BadText))?;
        if last == b"/refused" {
            return Ok(Arrival::Refused(match word(message.payload) {
                Some((0x0205, _)) => Failure::StreamMissing,
                _ => Failure::StreamRefused,
            }));
        }
        if last != b"/data" {
            return Err(Error::NotMine(Failure::BadText));
        }
        let (file, rest) = word(message.payload).ok_or(Failure::BadBlock)?;
        let (block, rest) = word(rest).ok_or(Failure::BadBlock)?;
        let (index, bytes) = word(rest).ok_or(Failure::BadBlock)?;
        if file != self.geometry.file.into() || block != self.geometry.block {
            return Err(Failure::BadBlock.into());
        }
        Ok(Arrival::Block { index, bytes: Field::plain(bytes) })
    }
}

/// The number in front, and what is behind it.
fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Protocol {
        let mut protocol = Protocol::NEW;
        protocol.start(b"lamp").unwrap();
        protocol.open(b"fw", Geometry { size: 2500, block: 1024, file: 3 }).unwrap();
        protocol
    }

    #[test]
    fn it_asks_for_what_is_wanted() {
        let mut room = [0; 100];
        let mut draft = Draft::new(&mut room);
        opened().request(Wanted { first: 1, bits: 0b11 }, &mut draft);
        let (topic, payload) = draft.finish().unwrap();
        assert_eq!(topic, b"raw-blocks/lamp/fw/get");
        assert_eq!(payload, b"\x03\0\0\0\0\x04\0\0\x01\0\0\0\x03\0\0\0\0\0\0\0");
    }

    #[test]
    fn a_block_is_what_stands_behind_the_numbers() {
        let payload = b"\x03\0\0\0\0\x04\0\0\x02\0\0\0abc";
        let message = Message { topic: b"raw-blocks/lamp/fw/data", payload };
        let bytes = Field::plain(b"abc");
        let arrival = opened().accept(message, Wanted::default());
        assert_eq!(arrival, Ok(Arrival::Block { index: 2, bytes }));
    }

    #[test]
    fn a_refusal_says_why_and_strangers_are_left_alone() {
        let mut protocol = opened();
        let mut accept =
            |topic: &[u8], payload: &[u8]| protocol.accept(Message { topic, payload }, Wanted::default()).err();
        assert_eq!(accept(b"raw-blocks/lamp/fw/refused", b"\x05\x02\0\0"), None);
        assert_eq!(accept(b"raw-blocks/lamp/fw/data", b"\x03\0"), Some(Error::Malformed(Failure::BadBlock)));
        assert_eq!(accept(b"raw-blocks/lamp/other/data", b""), Some(Error::NotMine(Failure::BadText)));
    }
}
