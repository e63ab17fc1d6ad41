//! The bridge: the other end of a device's serial line, with a connection to the broker.
//!
//! What is said on the line is drawn in [`coreota::link::serial`]. Each request is one call of the
//! same link that simulated devices have; what was asked and answered last is kept, so that a
//! question that is repeated is answered again and nothing is done twice.

mod ear;

use std::io::Result;
use std::time::Duration;

use coreota::link::rumqttc::{BrokerUrl, RumqttcLink};
use coreota::link::serial::VERSION;
use coreota::link::serial::frame::{Outcome, Request, encode, split};
use coreota::link::{Delivery, LinkFault, MessageLink as _};
use coreota::message::Message;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split as halves};

use ear::{Ear, Heard};

/// A device that says nothing for so long is gone, and so is its connection. It asks every ten
/// seconds, but where it swaps slots or checks a signature.
const GONE: Duration = Duration::from_secs(120);

/// What a bridge has to say.
pub(crate) enum Said<'a> {
    /// A line on the device's console.
    Console(&'a str),
    /// Something about the connection to the broker.
    Broker(String),
}

/// Serves the device at the end of the line, until the line ends.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite>(
    line: S,
    broker: &BrokerUrl,
    mut say: impl FnMut(Said<'_>),
) -> Result<()> {
    let (reader, mut writer) = halves(line);
    let mut ear = Ear::new(reader);
    let mut bridge = Bridge { broker, link: None, room: 0 };
    let mut answered: Option<(Heard, Vec<u8>)> = None;
    loop {
        let heard = tokio::time::timeout(GONE, ear.hear(&mut say)).await;
        let Ok(heard) = heard else {
            if bridge.link.take().is_some() {
                say(Said::Broker("nothing was heard of the device: disconnected".to_owned()));
            }
            continue;
        };
        let Some(mut asked) = heard? else { return Ok(()) };
        let answer = loop {
            if let Some((_, answer)) = answered.take_if(|(before, _)| *before == asked) {
                break answer;
            }
            if asked.request != Request::Receive {
                break bridge.answer(&asked, &mut say).await;
            }
            // A device that was reset does not wait for what it asked for before.
            tokio::select! {
                newer = ear.hear(&mut say) => match newer? {
                    Some(newer) => asked = newer,
                    None => return Ok(()),
                },
                answer = bridge.receive(&asked) => break answer,
            }
        };
        writer.write_all(&answer).await?;
        writer.flush().await?;
        answered = Some((asked, answer));
    }
}

struct Bridge<'b> {
    broker: &'b BrokerUrl,
    link: Option<RumqttcLink>,
    /// The longest answer that the device can take.
    room: usize,
}

impl Bridge<'_> {
    /// Does what is asked, and frames what became of it.
    async fn answer(&mut self, asked: &Heard, say: &mut impl FnMut(Said<'_>)) -> Vec<u8> {
        let done = match asked.request {
            Request::Connect => self.connect(&asked.body, say).await,
            Request::Subscribe => self.subscribe(&asked.body).await,
            Request::Publish => self.publish(&asked.body).await,
            Request::Receive => return self.receive(asked).await,
        };
        let outcome = done.map_or_else(|fault| self.fault(fault), |()| Outcome::Done);
        framed(asked, outcome, &[])
    }

    async fn connect(
        &mut self,
        body: &[u8],
        say: &mut impl FnMut(Said<'_>),
    ) -> std::result::Result<(), LinkFault> {
        self.link = None;
        let ([version, low, high], client_id) =
            body.split_first_chunk().ok_or(LinkFault::Refused)?;
        let client_id = std::str::from_utf8(client_id).map_err(|_| LinkFault::Refused)?;
        if *version != VERSION {
            let what = format!("the device speaks version {version} on the line, not {VERSION}");
            say(Said::Broker(what));
            return Err(LinkFault::Refused);
        }
        self.room = u16::from_le_bytes([*low, *high]).into();
        let mut link = RumqttcLink::new(self.broker.options(client_id), self.room);
        match link.connect().await {
            Ok(()) => say(Said::Broker(format!("connected as {client_id}"))),
            Err(fault) => {
                let why = link.trouble().unwrap_or("it refuses the connection");
                say(Said::Broker(format!("no connection for {client_id}: {why}")));
                return Err(fault);
            }
        }
        self.link = Some(link);
        Ok(())
    }

    async fn subscribe(&mut self, body: &[u8]) -> std::result::Result<(), LinkFault> {
        let topic = std::str::from_utf8(body).map_err(|_| LinkFault::Refused)?;
        self.link.as_mut().ok_or(LinkFault::Down)?.subscribe(topic).await
    }

    async fn publish(&mut self, body: &[u8]) -> std::result::Result<(), LinkFault> {
        let link = self.link.as_mut().ok_or(LinkFault::Down)?;
        let (how, rest) = body.split_first().ok_or(LinkFault::Refused)?;
        let how = match how {
            0 => Delivery::AtMostOnce,
            _ => Delivery::AtLeastOnce,
        };
        let (topic, payload) = split(rest).ok_or(LinkFault::Refused)?;
        link.publish(Message { topic, payload }, how).await
    }

    /// Waits as long as the device does. Dropped before it is done, it has taken no message.
    async fn receive(&mut self, asked: &Heard) -> Vec<u8> {
        let within_ms = asked.body.first_chunk().map_or(0, |ms| u32::from_le_bytes(*ms));
        let room = self.room;
        let Some(link) = &mut self.link else { return framed(asked, Outcome::Down, &[]) };
        let fault = match link.receive(within_ms).await {
            Ok(None) => return framed(asked, Outcome::Nothing, &[]),
            Ok(Some(Message { topic, payload })) => {
                let len = u16::try_from(topic.len()).unwrap_or(u16::MAX).to_le_bytes();
                let message = [&len[..], topic.as_bytes(), payload];
                let fits = message.iter().map(|part| part.len()).sum::<usize>() < room;
                return match fits && topic.len() <= u16::MAX.into() {
                    true => framed(asked, Outcome::Done, &message),
                    false => framed(asked, Outcome::TooLong, &[]),
                };
            }
            Err(fault) => fault,
        };
        framed(asked, self.fault(fault), &[])
    }

    /// A connection that is down is dropped.
    fn fault(&mut self, fault: LinkFault) -> Outcome {
        match fault {
            LinkFault::Down => {
                self.link = None;
                Outcome::Down
            }
            LinkFault::TooLong => Outcome::TooLong,
            LinkFault::Refused => Outcome::Refused,
        }
    }
}

fn framed(asked: &Heard, outcome: Outcome, message: &[&[u8]]) -> Vec<u8> {
    let outcome = [outcome as u8];
    let body = [&[&outcome[..]], message].concat();
    encode(asked.request.answer(), asked.number, &body).collect()
}
