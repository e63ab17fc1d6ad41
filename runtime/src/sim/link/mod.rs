//! Message links in one process: one to a scripted peer, and bad weather for any link.
//!
//! - [`Wire`] is a perfect link over a [`SimClock`](super::clock::SimClock) to a [`Peer`], the
//!   provider of a scenario: what the device publishes goes in, what the peer sends comes out;
//! - [`Lossy`] wraps any link and loses, repeats, swaps and damages messages and drops the
//!   connection, as its [`Weather`] says, by chance from a seed.

mod lossy;
mod wire;

pub use lossy::{Lossy, Weather};
pub use wire::{Outbox, Peer, Wire};

use crate::message::Message;
use std::borrow::ToOwned;
use std::string::String;
use std::vec::Vec;

/// A message that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Where it is published.
    pub topic: String,
    /// What it says.
    pub payload: Vec<u8>,
}

impl Letter {
    /// The message as links give it.
    pub fn as_message(&self) -> Message<'_> {
        Message { topic: &self.topic, payload: &self.payload }
    }
}

impl From<Message<'_>> for Letter {
    fn from(message: Message<'_>) -> Self {
        Letter { topic: message.topic.to_owned(), payload: message.payload.to_owned() }
    }
}

/// Whether an MQTT topic filter, with its `+` and `#`, takes a topic.
fn matches(filter: &str, topic: &str) -> bool {
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(expected), Some(level)) if expected == level => {}
            _ => return false,
        }
    }
}
