//! The message link: the one thing a job source and an MQTT transport need of a network.
//!
//! Narrow on purpose: a client library, its TLS, its reconnecting and its keep-alive live behind
//! these four calls; over TCP, [`tls`] is TLS for them. The blocking half is the same contract without `async`;
//! [`blocking::Ready`](crate::blocking::Ready) makes one of the other, so that drivers exist once.

#[cfg(feature = "rumqttc")]
pub mod rumqttc;
#[cfg(feature = "rust-mqtt")]
pub mod rust_mqtt;
#[cfg(feature = "serial")]
pub mod serial;
#[cfg(feature = "tls")]
pub mod tls;

use crate::message::Message;

/// How hard a message is tried to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Delivery {
    /// At most once (MQTT QoS 0): block requests, which are repeated anyway.
    AtMostOnce,
    /// At least once (MQTT QoS 1): job questions and reports.
    AtLeastOnce,
}

/// Why a link call did not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LinkFault {
    /// The connection is gone (or was never there): call `connect`, then subscribe again.
    Down,
    /// The message is larger than a buffer of the link; the connection stands.
    TooLong,
    /// The broker refused it; the connection stands.
    Refused,
}

/// A connection to a message broker.
///
/// Order of calls: `connect`, then `subscribe` for each topic, then `publish` and `receive` in any
/// order. After [`LinkFault::Down`] everything starts again with `connect`.
#[allow(async_fn_in_trait)] // device executors are single-threaded: futures need not be Send
pub trait MessageLink {
    /// Connects, or connects again; subscriptions of an earlier connection need not survive.
    async fn connect(&mut self) -> Result<(), LinkFault>;

    /// Subscribes to one topic.
    async fn subscribe(&mut self, topic: &str) -> Result<(), LinkFault>;

    /// Publishes one message.
    async fn publish(&mut self, message: Message<'_>, how: Delivery) -> Result<(), LinkFault>;

    /// Waits at most `within_ms` for a message; `Ok(None)` when the time is over. A message longer
    /// than the link's buffer must not be lost in silence: it is [`LinkFault::TooLong`].
    async fn receive(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault>;
}

/// Time: a monotonic clock and a pause.
#[allow(async_fn_in_trait)]
pub trait Clock {
    /// Milliseconds since some moment; wraps.
    fn now_ms(&mut self) -> u32;

    /// Waits.
    async fn wait_ms(&mut self, ms: u32);
}
