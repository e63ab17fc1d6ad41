//! The message link over a serial line, for devices without a network: no TCP, no MQTT, no
//! allocator; one buffer for what comes, none for what goes.
//!
//! At the other end is a bridge (`cargo ota bridge`) with a connection to the broker, which does
//! there what the device asks for. Device and bridge take turns: the bridge speaks only to answer,
//! so nothing comes while the device is busy with its flash, and never more than it has room for.
//!
//! # The line
//! Bytes are framed as in SLIP (RFC 1055), with a checksum. A request and its answer:
//! ```text
//! END  kind  number  body …  crc32  END        END: c0; in between c0 is db dc, db is db dd
//!
//! 81 connect    version 1 (u8)   room (u16)   client identifier
//! 82 subscribe  topic
//! 83 publish    how (u8): 0 at most once, 1 at least once   topic length (u16)   topic   payload
//! 84 receive    within (u32, milliseconds)
//!
//! 91 … 94       outcome (u8): 0 done, 1 nothing came, 2 down, 3 too long, 4 refused
//!               a message that was received: topic length (u16)   topic   payload
//! ```
//! Numbers are little-endian. `room` is the longest body that the device can take. The checksum is
//! that of Ethernet, over kind, number and body. Text that begins with a byte of ASCII may stand
//! between frames: it is the device's console.
//!
//! # What becomes of noise, resets and long messages
//! What has no right checksum was not said. The device asks again when no answer came in time,
//! with the same number; the bridge, asked with the same bytes as last, answers with the same bytes
//! and does nothing twice. So a message is lost only with the connection, and is then asked for
//! anew. Either end may begin anew at any time, in the middle of a frame: the next `END` ends what
//! there was of it. A message longer than `room` is [`LinkFault::TooLong`]. A device that waits
//! for a message says so again every ten seconds, which tells each end that the other is there.
//!
//! Nothing on the line is secret or proved: who holds it speaks for the device, as who holds the
//! device does. What is installed is proved by its signature all the same.

pub mod frame;

use super::{Clock, Delivery, LinkFault, MessageLink};
use crate::message::Message;
use frame::{Decoder, Got, Outcome, Request};

/// The version of what is said on the line.
pub const VERSION: u8 = 1;
/// Bytes of a message that are not payload: a topic (256 at most on AWS IoT), and what frames it.
pub const AROUND: usize = 256 + 3 + frame::AROUND;
/// How long an answer may take, besides the time that was asked for, at 9600 baud.
const PATIENCE_MS: u32 = 2500;
/// How often a request is sent before the line is given up: for longer than the bridge waits for
/// the broker.
const TRIES: u32 = 5;
/// The longest wait for a message that is asked for at once.
const LISTEN_MS: u32 = 10_000;

/// A serial line, byte by byte. What blocks has no `await` in it, and sleeps while it waits.
#[allow(async_fn_in_trait)] // as for the link
pub trait Line {
    /// Sends a byte.
    async fn send(&mut self, byte: u8);

    /// The next byte, if one comes within the time.
    async fn receive(&mut self, within_ms: u32) -> Option<u8>;
}

/// The device's end.
#[derive(Debug)]
pub struct SerialLink<'b, L, K> {
    line: L,
    clock: K,
    client_id: &'b str,
    /// Of the last request.
    number: u8,
    decoder: Decoder<&'b mut [u8]>,
}

impl<'b, L: Line, K: Clock> SerialLink<'b, L, K> {
    /// A link that is not connected yet. `client_id` is what the bridge tells the broker; on AWS
    /// IoT the thing's name. `buffer` is for the longest payload, and [`AROUND`]; what is above
    /// 64 KiB of it is not used.
    pub fn new(line: L, clock: K, client_id: &'b str, buffer: &'b mut [u8]) -> Self {
        SerialLink { line, clock, client_id, number: 0, decoder: Decoder::new(buffer) }
    }

    /// The longest answer that there is room for.
    fn room(&self) -> u16 {
        self.decoder.room().try_into().unwrap_or(u16::MAX)
    }

    /// Asks until it is answered; the answer is what the decoder found last.
    async fn ask(
        &mut self,
        request: Request,
        body: &[&[u8]],
        within_ms: u32,
    ) -> Result<Outcome, LinkFault> {
        self.number = self.number.wrapping_add(1);
        for _ in 0..TRIES {
            for byte in frame::encode(request as u8, self.number, body) {
                self.line.send(byte).await;
            }
            if let Some(outcome) = self.answer(request, within_ms).await {
                return match outcome {
                    Outcome::Down => Err(LinkFault::Down),
                    Outcome::TooLong => Err(LinkFault::TooLong),
                    Outcome::Refused => Err(LinkFault::Refused),
                    Outcome::Done | Outcome::Nothing => Ok(outcome),
                };
            }
        }
        Err(LinkFault::Down)
    }

    async fn answer(&mut self, request: Request, within_ms: u32) -> Option<Outcome> {
        let patience = within_ms.saturating_add(PATIENCE_MS).saturating_add(self.room().into());
        let began = self.clock.now_ms();
        loop {
            let over = self.clock.now_ms().wrapping_sub(began);
            let byte = self.line.receive(patience.checked_sub(over)?).await?;
            if self.decoder.push(byte) != Got::Frame {
                continue;
            }
            // Answers to what was asked before, and by who was here before, are passed over.
            let Some(answer) = self.decoder.frame() else { continue };
            if (answer.kind, answer.number) == (request.answer(), self.number) {
                return Outcome::of(*answer.body.first()?);
            }
        }
    }
}

impl<L: Line, K: Clock> MessageLink for SerialLink<'_, L, K> {
    async fn connect(&mut self) -> Result<(), LinkFault> {
        let [low, high] = self.room().to_le_bytes();
        let client_id = self.client_id.as_bytes();
        self.ask(Request::Connect, &[&[VERSION, low, high], client_id], 0).await.map(drop)
    }

    async fn subscribe(&mut self, topic: &str) -> Result<(), LinkFault> {
        self.ask(Request::Subscribe, &[topic.as_bytes()], 0).await.map(drop)
    }

    async fn publish(&mut self, message: Message<'_>, how: Delivery) -> Result<(), LinkFault> {
        let how = match how {
            Delivery::AtMostOnce => 0,
            Delivery::AtLeastOnce => 1,
        };
        let Ok(len) = u16::try_from(message.topic.len()) else { return Err(LinkFault::TooLong) };
        let [low, high] = len.to_le_bytes();
        let body = [&[how, low, high], message.topic.as_bytes(), message.payload];
        self.ask(Request::Publish, &body, 0).await.map(drop)
    }

    async fn receive(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault> {
        let began = self.clock.now_ms();
        loop {
            let over = self.clock.now_ms().wrapping_sub(began);
            let left = within_ms.saturating_sub(over);
            let listen = left.min(LISTEN_MS);
            let outcome = self.ask(Request::Receive, &[&listen.to_le_bytes()], listen).await?;
            if outcome == Outcome::Done {
                break;
            }
            if left <= LISTEN_MS {
                return Ok(None);
            }
        }
        let answer = self.decoder.frame().ok_or(LinkFault::Down)?;
        let (topic, payload) =
            answer.body.get(1..).and_then(frame::split).ok_or(LinkFault::Down)?;
        Ok(Some(Message { topic, payload }))
    }
}
