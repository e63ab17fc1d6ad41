//! A perfect link to a scripted peer.

use super::{Letter, matches};
use crate::link::{Delivery, LinkFault, MessageLink};
use crate::message::Message;
use crate::sim::clock::SimClock;
use crate::sim::wait_once;
use std::collections::VecDeque;
use std::string::String;
use std::vec::Vec;

/// The other end: a provider, as far as a scenario needs one.
pub trait Peer {
    /// The device published a message. What the peer puts into `outbox` reaches the device if it
    /// subscribed to that topic by the time it arrives.
    fn heard(&mut self, message: Message<'_>, outbox: &mut Outbox);

    /// The device subscribed to a topic.
    fn subscribed(&mut self, topic: &str, outbox: &mut Outbox) {
        let _ = (topic, outbox);
    }
}

/// What a peer sends, and when each message arrives.
#[derive(Debug, Default)]
pub struct Outbox {
    now: u64,
    /// How long a message travels if nothing else is said, in milliseconds.
    latency: u32,
    /// Sorted by arrival; messages of one moment stay in their order.
    letters: VecDeque<(u64, Letter)>,
}

impl Outbox {
    /// Milliseconds since the world began.
    pub const fn now_ms(&self) -> u64 {
        self.now
    }

    /// Sends a message that arrives after the link's latency.
    pub fn send(&mut self, topic: impl Into<String>, payload: impl Into<Vec<u8>>) {
        self.send_in(self.latency, topic, payload);
    }

    /// Sends a message that arrives in `ms` milliseconds.
    pub fn send_in(&mut self, ms: u32, topic: impl Into<String>, payload: impl Into<Vec<u8>>) {
        let letter = Letter { topic: topic.into(), payload: payload.into() };
        let due = self.now + u64::from(ms);
        let place = self.letters.partition_point(|(at, _)| *at <= due);
        self.letters.insert(place, (due, letter));
    }
}

/// A link to a [`Peer`] that loses nothing, over a clock that jumps.
#[derive(Debug)]
pub struct Wire<P> {
    peer: P,
    clock: SimClock,
    outbox: Outbox,
    filters: Vec<String>,
    up: bool,
    /// Not before this moment can the device connect.
    closed_until: u64,
    pends: bool,
    /// The message that `receive` lends out.
    given: Option<Letter>,
    /// Longest message that fits the device's buffer, in bytes of payload.
    longest: usize,
}

impl<P: Peer> Wire<P> {
    /// A link to `peer` with a latency of 20 ms and messages of up to 128 KiB, the limits of AWS.
    pub fn new(peer: P, clock: SimClock) -> Self {
        let outbox = Outbox { latency: 20, ..Outbox::default() };
        let (filters, longest) = (Vec::new(), 128 * 1024);
        Wire {
            peer,
            clock,
            outbox,
            filters,
            up: false,
            closed_until: 0,
            pends: false,
            given: None,
            longest,
        }
    }

    /// The same link with messages that travel so long each way.
    #[must_use]
    pub fn with_latency(mut self, ms: u32) -> Self {
        self.outbox.latency = ms;
        self
    }

    /// The same link to a device that takes payloads of up to so many bytes.
    #[must_use]
    pub fn with_longest(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// Makes every call wait once before it begins (or no longer).
    pub fn pend(&mut self, pends: bool) {
        self.pends = pends;
    }

    /// Drops the connection, and refuses another for `ms` milliseconds.
    pub fn cut(&mut self, ms: u32) {
        self.up = false;
        let until = self.clock.elapsed_ms() + u64::from(ms);
        self.closed_until = self.closed_until.max(until);
    }

    /// The peer, to look at it or to tell it what to do next.
    pub const fn peer(&mut self) -> &mut P {
        &mut self.peer
    }

    /// Sends a message as if the peer had.
    pub fn send(&mut self, topic: impl Into<String>, payload: impl Into<Vec<u8>>) {
        self.outbox.now = self.clock.elapsed_ms();
        self.outbox.send(topic, payload);
    }

    fn connect_now(&mut self) -> Result<(), LinkFault> {
        if self.clock.elapsed_ms() < self.closed_until {
            return Err(LinkFault::Down);
        }
        self.up = true;
        self.filters.clear();
        Ok(())
    }

    fn check(&mut self) -> Result<(), LinkFault> {
        self.outbox.now = self.clock.elapsed_ms();
        if self.up { Ok(()) } else { Err(LinkFault::Down) }
    }

    fn subscribe_now(&mut self, topic: &str) -> Result<(), LinkFault> {
        self.check()?;
        self.filters.push(topic.into());
        self.peer.subscribed(topic, &mut self.outbox);
        Ok(())
    }

    fn publish_now(&mut self, message: Message<'_>) -> Result<(), LinkFault> {
        self.check()?;
        // The way to the peer takes time too: its clock is ahead when it hears.
        self.outbox.now += u64::from(self.outbox.latency);
        self.peer.heard(message, &mut self.outbox);
        Ok(())
    }

    fn receive_now(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault> {
        self.check()?;
        let end = self.outbox.now + u64::from(within_ms);
        while self.outbox.letters.front().is_some_and(|(due, _)| *due <= end) {
            let Some((due, letter)) = self.outbox.letters.pop_front() else { break };
            self.clock.pass_until(due);
            if !self.filters.iter().any(|filter| matches(filter, &letter.topic)) {
                continue;
            }
            if letter.payload.len() > self.longest {
                return Err(LinkFault::TooLong);
            }
            return Ok(Some(self.given.insert(letter).as_message()));
        }
        self.clock.pass_until(end);
        Ok(None)
    }
}

impl<P: Peer> MessageLink for Wire<P> {
    async fn connect(&mut self) -> Result<(), LinkFault> {
        wait_once(self.pends).await;
        self.connect_now()
    }

    async fn subscribe(&mut self, topic: &str) -> Result<(), LinkFault> {
        wait_once(self.pends).await;
        self.subscribe_now(topic)
    }

    async fn publish(&mut self, message: Message<'_>, _: Delivery) -> Result<(), LinkFault> {
        wait_once(self.pends).await;
        self.publish_now(message)
    }

    async fn receive(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault> {
        wait_once(self.pends).await;
        self.receive_now(within_ms)
    }
}
