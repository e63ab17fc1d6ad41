//! Bad weather for any link.

use super::Letter;
use crate::link::{Clock, Delivery, LinkFault, MessageLink};
use crate::message::Message;
use crate::sim::random::Random;
use std::collections::VecDeque;

/// How bad a link is: each number is a chance in percent for one message (or one call).
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// A message never arrives: any towards the device, and those that it publishes
    /// [`AtMostOnce`](Delivery::AtMostOnce).
    pub loss: u8,
    /// A message arrives twice, in either direction.
    pub duplicate: u8,
    /// A message arrives after the one behind it.
    pub reorder: u8,
    /// One byte of a message's payload is another.
    pub corrupt: u8,
    /// The connection drops in this call.
    pub disconnect: u8,
    /// Which topics are rained upon; all, if none is said.
    pub on: Option<fn(&str) -> bool>,
}

/// A link in bad [`Weather`].
#[derive(Debug)]
pub struct Lossy<L, C> {
    link: L,
    clock: C,
    weather: Weather,
    random: Random,
    up: bool,
    /// Messages that come before anything else: second copies.
    again: VecDeque<Letter>,
    /// A message that waits until another has overtaken it.
    held: Option<Letter>,
    /// The message that `receive` lends out.
    given: Option<Letter>,
}

impl<L: MessageLink, C: Clock> Lossy<L, C> {
    /// `link` in that weather; what happens is decided by `seed`. The clock is the one by which
    /// the link waits.
    pub const fn new(link: L, clock: C, weather: Weather, seed: u64) -> Self {
        let random = Random::new(seed);
        let again = VecDeque::new();
        Lossy { link, clock, weather, random, up: false, again, held: None, given: None }
    }

    /// The weather changes.
    pub const fn set(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// The link inside.
    pub const fn inner(&mut self) -> &mut L {
        &mut self.link
    }

    fn strikes(&mut self, percent: u8, topic: &str) -> bool {
        self.weather.on.is_none_or(|on| on(topic)) && self.random.percent(percent)
    }

    /// A dropped connection takes with it what was still on the way.
    fn check(&mut self) -> Result<(), LinkFault> {
        if self.up && self.random.percent(self.weather.disconnect) {
            self.up = false;
            self.again.clear();
            self.held = None;
        }
        if self.up { Ok(()) } else { Err(LinkFault::Down) }
    }

    fn damage(&mut self, letter: &mut Letter) {
        let at = self.random.below(letter.payload.len() as u64) as usize;
        if let Some(byte) = letter.payload.get_mut(at) {
            *byte ^= 1 << self.random.below(8);
        }
    }

    /// What the next message from inside becomes; `None` if nothing of it arrives now.
    fn through(&mut self, mut letter: Letter) -> Option<Letter> {
        if self.strikes(self.weather.loss, &letter.topic) {
            return None;
        }
        if self.strikes(self.weather.corrupt, &letter.topic) {
            self.damage(&mut letter);
        }
        if self.strikes(self.weather.duplicate, &letter.topic) {
            self.again.push_back(letter.clone());
        }
        if self.held.is_none() && self.strikes(self.weather.reorder, &letter.topic) {
            self.held = Some(letter);
            return None;
        }
        self.again.extend(self.held.take());
        Some(letter)
    }
}

impl<L: MessageLink, C: Clock> MessageLink for Lossy<L, C> {
    async fn connect(&mut self) -> Result<(), LinkFault> {
        self.link.connect().await?;
        self.up = true;
        Ok(())
    }

    async fn subscribe(&mut self, topic: &str) -> Result<(), LinkFault> {
        self.check()?;
        self.link.subscribe(topic).await
    }

    async fn publish(&mut self, message: Message<'_>, how: Delivery) -> Result<(), LinkFault> {
        self.check()?;
        if how == Delivery::AtMostOnce && self.strikes(self.weather.loss, message.topic) {
            return Ok(());
        }
        let mut letter = Letter::from(message);
        if how == Delivery::AtMostOnce && self.strikes(self.weather.corrupt, message.topic) {
            self.damage(&mut letter);
        }
        if self.strikes(self.weather.duplicate, message.topic) {
            self.link.publish(letter.as_message(), how).await?;
        }
        self.link.publish(letter.as_message(), how).await
    }

    async fn receive(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault> {
        self.check()?;
        let start = self.clock.now_ms();
        let letter = loop {
            if let Some(letter) = self.again.pop_front() {
                break letter;
            }
            let waited = self.clock.now_ms().wrapping_sub(start);
            let received = self.link.receive(within_ms.saturating_sub(waited)).await;
            match received.inspect_err(|fault| self.up &= *fault != LinkFault::Down)? {
                Some(message) => {
                    let letter = Letter::from(message);
                    if let Some(letter) = self.through(letter) {
                        break letter;
                    }
                }
                // Nothing overtook it: it is merely late.
                None => match self.held.take() {
                    Some(letter) => break letter,
                    None => return Ok(None),
                },
            }
        };
        Ok(Some(self.given.insert(letter).as_message()))
    }
}
