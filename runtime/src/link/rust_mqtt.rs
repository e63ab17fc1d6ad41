//! The message link over `rust-mqtt`, an async MQTT 5 client without `std`, for devices.
//!
//! It needs a global allocator, which it asks for the bytes of a received message and nothing
//! larger. At once it holds a packet of [`Settings::longest`] bytes and [`AROUND`] more, and messages
//! of [`Settings::early`] bytes: an allocator that has no room for them ends the program, and no
//! broker makes it hold more. TLS lives behind [`Connect`]; user names and passwords are not offered.
//!
//! # What becomes of long messages
//! The link announces to the broker the largest packet it takes: `longest` and [`AROUND`]. Above
//! `longest` a payload is [`LinkFault::TooLong`]; above the packet, MQTT 5 has the broker drop the
//! message without a word, and only who asks again and gets no answer will know.
//!
//! # What may be dropped halfway
//! A call that is dropped before it is done leaves the link [`LinkFault::Down`]: half a packet may
//! have been read or written. Give `receive` the time it may take instead.

mod session;

use ::rust_mqtt::client::event::Publish;
use ::rust_mqtt::client::options::TopicReference;
use alloc::collections::VecDeque;
use core::num::NonZero;
use embedded_io_async::{Read, Write};

use super::{Clock, Delivery, LinkFault, MessageLink};
use crate::message::Message;
use session::Session;

/// Bytes of a packet that are not payload: 5 of fixed header, a topic (256 at most on AWS IoT) and
/// properties.
pub const AROUND: usize = 512;

/// A message as the client gives it: it owns its bytes.
type Incoming = Publish<'static, 0, 0>;

/// Makes connections to the broker, one after the other.
#[allow(async_fn_in_trait)] // as for the link
pub trait Connect {
    /// A connection. `read` must be cancel-safe: dropped before it is done, it has taken nothing.
    type Io: Read + Write;

    /// Connects to the broker, with TLS where it asks for it. Called again after a loss, when the
    /// connection before has been dropped.
    ///
    /// # Errors
    /// When there is no connection: the link is then [`LinkFault::Down`].
    async fn connect(&mut self) -> Result<Self::Io, ()>;
}

/// What the broker is told of the device, and what the device can take.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'s> {
    /// The client identifier; on AWS IoT the thing's name.
    pub client_id: &'s str,
    /// Seconds without a packet after which the broker gives the device up. It is pinged after half
    /// of that, from within [`MessageLink::receive`], so call that often enough.
    pub keep_alive_s: NonZero<u16>,
    /// The longest payload that is received, in bytes.
    pub longest: usize,
    /// Messages that come while an acknowledgement is waited for are kept up to so many bytes,
    /// of which each takes about 100 besides topic and payload. One more ends the connection: it must not be lost in silence.
    pub early: usize,
}

/// A connection that can be made again and again. Dropping it closes what [`Connect`] gave.
pub struct RustMqttLink<'s, C: Connect, K> {
    connector: C,
    clock: K,
    settings: Settings<'s>,
    /// Out of its place while a call is under way, and not put back after a fault.
    session: Option<Session<C::Io>>,
    /// Came while an acknowledgement was waited for.
    early: Early,
    /// The one last received: its bytes are lent out.
    message: Option<Incoming>,
}

/// Messages that came while an acknowledgement was waited for.
struct Early {
    messages: VecDeque<Incoming>,
    /// Of their topics and payloads.
    bytes: usize,
    room: usize,
}

impl Early {
    fn push(&mut self, message: Incoming) -> Result<(), LinkFault> {
        let bytes = self.bytes.saturating_add(bytes(&message));
        if bytes > self.room {
            return Err(LinkFault::Down);
        }
        self.bytes = bytes;
        self.messages.push_back(message);
        Ok(())
    }

    fn pop(&mut self) -> Option<Incoming> {
        let message = self.messages.pop_front()?;
        self.bytes = self.bytes.saturating_sub(bytes(&message));
        Some(message)
    }

    fn clear(&mut self) {
        self.messages.clear();
        self.bytes = 0;
    }
}

/// Bytes that a message holds: what it carries, and itself.
fn bytes(message: &Incoming) -> usize {
    let topic = match &message.topic {
        TopicReference::Name(topic) => topic.as_ref().as_str().len(),
        _ => 0,
    };
    size_of::<Incoming>() + topic + message.message.len()
}

impl<'s, C: Connect, K: Clock> RustMqttLink<'s, C, K> {
    /// A link that is not connected yet. The clock must really wait: one that blocks in
    /// [`Clock::wait_ms`] would let nothing be received meanwhile.
    pub fn new(connector: C, clock: K, settings: Settings<'s>) -> Self {
        let early = Early { messages: VecDeque::new(), bytes: 0, room: settings.early };
        RustMqttLink { connector, clock, settings, session: None, early, message: None }
    }

    /// Lends what was received.
    fn lend(&mut self, incoming: Incoming) -> Result<Option<Message<'_>>, LinkFault> {
        if incoming.message.len() > self.settings.longest {
            return Err(LinkFault::TooLong);
        }
        let incoming = self.message.insert(incoming);
        // Aliases are not offered to the broker, so that every message has its topic.
        let TopicReference::Name(topic) = &incoming.topic else { return Ok(None) };
        let topic = topic.as_ref().as_str();
        Ok(Some(Message { topic, payload: &incoming.message }))
    }
}

impl<C: Connect, K: Clock> MessageLink for RustMqttLink<'_, C, K> {
    async fn connect(&mut self) -> Result<(), LinkFault> {
        self.session = None;
        self.early.clear();
        self.message = None;
        let session = Session::open(&mut self.connector, &mut self.clock, &self.settings).await?;
        self.session = Some(session);
        Ok(())
    }

    async fn subscribe(&mut self, topic: &str) -> Result<(), LinkFault> {
        let mut session = self.session.take().ok_or(LinkFault::Down)?;
        let granted = session.subscribe(&mut self.clock, topic, &mut self.early).await?;
        self.session = Some(session);
        if granted { Ok(()) } else { Err(LinkFault::Refused) }
    }

    async fn publish(&mut self, message: Message<'_>, how: Delivery) -> Result<(), LinkFault> {
        let mut session = self.session.take().ok_or(LinkFault::Down)?;
        let sent = session.publish(&mut self.clock, message, how, &mut self.early).await;
        if sent != Err(LinkFault::Down) {
            self.session = Some(session);
        }
        sent
    }

    async fn receive(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault> {
        self.message = None;
        let incoming = match self.early.pop() {
            Some(incoming) => incoming,
            None => {
                let mut session = self.session.take().ok_or(LinkFault::Down)?;
                let incoming = session.listen(&mut self.clock, within_ms).await?;
                self.session = Some(session);
                match incoming {
                    Some(incoming) => incoming,
                    None => return Ok(None),
                }
            }
        };
        self.lend(incoming)
    }
}
