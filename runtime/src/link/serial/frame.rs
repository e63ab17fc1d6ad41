//! Frames on a serial line: bytes to frames and back, for both ends.

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

/// Begins a frame and ends it. One at its start ends what a device was saying when it was reset.
pub const END: u8 = 0xc0;
const ESCAPE: u8 = 0xdb;
const ESCAPED_END: u8 = 0xdc;
const ESCAPED_ESCAPE: u8 = 0xdd;

/// Kind, number and checksum.
pub const AROUND: usize = 2 + CHECKSUM;
const CHECKSUM: usize = 4;

/// By the bit, without a table of 1 KiB: the line is slower.
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// What a device asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Request {
    /// A connection to the broker.
    Connect = 0x81,
    /// A subscription.
    Subscribe = 0x82,
    /// That a message be published.
    Publish = 0x83,
    /// The next message.
    Receive = 0x84,
}

impl Request {
    /// The one of that kind.
    pub fn of(kind: u8) -> Option<Self> {
        use Request::{Connect, Publish, Receive, Subscribe};
        [Connect, Subscribe, Publish, Receive].into_iter().find(|request| *request as u8 == kind)
    }

    /// The kind of its answer.
    pub const fn answer(self) -> u8 {
        self as u8 | 0x10
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// It was done; the message follows where one was asked for.
    Done = 0,
    /// No message came.
    Nothing = 1,
    /// The broker is not reached, or no longer.
    Down = 2,
    /// The message is longer than the room for it.
    TooLong = 3,
    /// The broker refused it.
    Refused = 4,
}

impl Outcome {
    /// The one of that number.
    pub fn of(number: u8) -> Option<Self> {
        use Outcome::{Done, Down, Nothing, Refused, TooLong};
        let all = [Done, Nothing, Down, TooLong, Refused];
        all.into_iter().find(|outcome| *outcome as u8 == number)
    }
}

/// The bytes of a frame as they go over the line; its body is these parts, one after the other.
pub fn encode<'p>(
    kind: u8,
    number: u8,
    body: &'p [&'p [u8]],
) -> impl Iterator<Item = u8> + use<'p> {
    let mut digest = CRC.digest();
    digest.update(&[kind, number]);
    body.iter().for_each(|part| digest.update(part));
    let checksum = digest.finalize().to_le_bytes();
    let body = body.iter().flat_map(|part| part.iter().copied());
    let inside = [kind, number].into_iter().chain(body).chain(checksum);
    let inside = inside.flat_map(|byte| {
        let (first, second) = match byte {
            END => (ESCAPE, Some(ESCAPED_END)),
            ESCAPE => (ESCAPE, Some(ESCAPED_ESCAPE)),
            plain => (plain, None),
        };
        core::iter::once(first).chain(second)
    });
    core::iter::once(END).chain(inside).chain([END])
}

/// A frame that came whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'b> {
    /// A [`Request`], or the kind of its answer.
    pub kind: u8,
    /// An answer has that of its request.
    pub number: u8,
    /// What it says.
    pub body: &'b [u8],
}

/// What a byte brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// Nothing yet, or noise.
    Nothing,
    /// A character of text between frames.
    Text(u8),
    /// The end of a [`frame`](Decoder::frame).
    Frame,
}

/// Finds frames in what comes, in a buffer `B`: the longest body and [`AROUND`].
#[derive(Clone, Debug)]
pub struct Decoder<B> {
    buffer: B,
    len: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between frames, in text.
    Text,
    /// Behind an end: what comes next tells whether a frame begins.
    Between,
    Frame,
    Escaped,
    /// In a frame that is none: to its end.
    Broken,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Decoder<B> {
    /// One that has seen nothing.
    pub const fn new(buffer: B) -> Self {
        Decoder { buffer, len: 0, state: State::Text }
    }

    /// The longest body that there is room for.
    pub fn room(&self) -> usize {
        self.buffer.as_ref().len().saturating_sub(AROUND)
    }

    /// Takes the next byte from the line.
    pub fn push(&mut self, byte: u8) -> Got {
        if byte == END {
            let whole = self.state == State::Frame && self.frame().is_some();
            self.state = State::Between;
            return if whole { Got::Frame } else { Got::Nothing };
        }
        match (self.state, byte) {
            (State::Text | State::Between, 0..0x80) => {
                self.state = State::Text;
                return Got::Text(byte);
            }
            (State::Text | State::Broken, _) => {}
            (State::Between, _) => {
                self.len = 0;
                self.state = State::Frame;
                self.keep(byte);
            }
            (State::Frame, ESCAPE) => self.state = State::Escaped,
            (State::Frame, plain) => self.keep(plain),
            (State::Escaped, escaped) => {
                self.state = State::Frame;
                match escaped {
                    ESCAPED_END => self.keep(END),
                    ESCAPED_ESCAPE => self.keep(ESCAPE),
                    _ => self.state = State::Broken,
                }
            }
        }
        Got::Nothing
    }

    fn keep(&mut self, byte: u8) {
        match self.buffer.as_mut().get_mut(self.len) {
            Some(place) => {
                *place = byte;
                self.len += 1;
            }
            None => self.state = State::Broken,
        }
    }

    /// The frame that came last, until the next byte is pushed.
    pub fn frame(&self) -> Option<Frame<'_>> {
        let bytes = self.buffer.as_ref().get(..self.len)?;
        let (said, checksum) = bytes.split_last_chunk::<CHECKSUM>()?;
        let [kind, number, body @ ..] = said else { return None };
        let whole = CRC.checksum(said) == u32::from_le_bytes(*checksum);
        whole.then_some(Frame { kind: *kind, number: *number, body })
    }
}

/// A topic and a payload, one behind the other, with the topic's length before it.
pub fn split(body: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = body.split_first_chunk()?;
    let (topic, payload) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
    Some((core::str::from_utf8(topic).ok()?, payload))
}
