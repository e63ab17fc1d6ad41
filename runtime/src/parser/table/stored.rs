//! A table that came over the air.

use super::{binary, walk};
use crate::{
    error::Failure,
    parser::{Parse, Parser},
    plugin::{Content, Facts, Plug, Plugged},
};
use heapless::Vec;

/// The parser of a table in a slot of the store; without one, no document is its own.
#[derive(Clone, Debug)]
pub struct StoredTable {
    slot: u8,
    name: &'static str,
    /// The table in its [binary form](super#binary-form), or the beginning of it.
    bytes: Vec<u8, { binary::LEN_MAX }>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is none.
    Empty,
    /// One of that many bytes is on its way.
    Filling(usize),
    /// It is there, and was read once.
    Ready,
}

impl StoredTable {
    /// A parser of that name, for the table in `slot`.
    pub const fn new(slot: u8, name: &'static str) -> Self {
        StoredTable { slot, name, bytes: Vec::new(), state: State::Empty }
    }

    fn begin(&mut self, facts: &Facts) -> Result<(), Failure> {
        self.stop();
        if facts.content != Content::Table {
            return Err(Failure::PluginKind);
        }
        let len = usize::try_from(facts.len).map_err(|_| Failure::PluginTooLarge)?;
        if len > binary::LEN_MAX {
            return Err(Failure::PluginTooLarge);
        }
        self.state = State::Filling(len);
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let State::Filling(len) = self.state else { return Err(Failure::NoPlugin) };
        if bytes.len() > len.saturating_sub(self.bytes.len()) {
            self.stop();
            return Err(Failure::PluginTooLarge);
        }
        self.bytes.extend_from_slice(bytes).map_err(|_| Failure::PluginTooLarge)
    }

    fn start(&mut self) -> Result<(), Failure> {
        let State::Filling(len) = self.state else { return Err(Failure::NoPlugin) };
        let read = match self.bytes.len() == len {
            true => binary::read(&self.bytes, self.name).map(|_| ()),
            false => Err(Failure::PluginMalformed),
        };
        match read {
            Ok(()) => self.state = State::Ready,
            Err(_) => self.stop(),
        }
        read
    }

    fn stop(&mut self) {
        self.bytes.clear();
        self.state = State::Empty;
    }
}

impl Parser for StoredTable {
    fn name(&self) -> &'static str {
        self.name
    }

    fn parse<'a>(&'a mut self, document: &'a [u8], index: u8) -> Parse<'a> {
        if self.state != State::Ready {
            return Parse::NotMine(Failure::NoPlugin);
        }
        match binary::read(&self.bytes, self.name) {
            Ok(spec) => walk::parse(&spec, document, index),
            Err(why) => Parse::NotMine(why),
        }
    }

    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
        if slot != self.slot {
            return None;
        }
        Some(match step {
            Plug::Begin(facts) => self.begin(facts),
            Plug::Bytes(bytes) => self.bytes(bytes),
            Plug::Start => self.start(),
            Plug::Check => Ok(()), // nothing runs that could end
            Plug::Stop => {
                self.stop();
                Ok(())
            }
        })
    }
}
