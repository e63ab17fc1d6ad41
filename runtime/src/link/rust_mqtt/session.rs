//! One connection of the link: what is sent, what comes, and the pings between. Every error but a
//! refusal of one message ends it: who holds it drops it then.

use ::rust_mqtt::{
    Bytes,
    buffer::AllocBuffer,
    client::{
        Client, MqttError,
        event::Event,
        options::{ConnectOptions, PublicationOptions, SubscriptionOptions, TopicReference},
    },
    config::KeepAlive,
    types::{MqttString, QoS, ReasonCode, TopicFilter, TopicName},
};
use alloc::boxed::Box;
use core::{future::poll_fn, num::NonZero, pin::pin, task::Poll};
use embedded_io_async::{Read, Write};

use super::{AROUND, Connect, Early, Incoming, Settings};
use crate::{
    link::{Clock, Delivery, LinkFault},
    message::Message,
};

/// How long a broker may take to acknowledge, and a packet to come whole once it began.
const PATIENCE_MS: u32 = 10_000;

/// One subscription under way, 16 messages to us and 8 from us not acknowledged yet; no
/// subscription identifiers, user properties or topic aliases.
type Mqtt<Io> = Client<'static, 'static, Io, AllocBuffer, 1, 16, 8, 0, 0, 0, 0>;

pub(super) struct Session<Io: Read + Write> {
    client: Mqtt<Io>,
    /// Half the keep-alive that broker and link agreed on; `None` when the broker wants none.
    half_ms: Option<u32>,
    /// When the last packet was sent.
    sent_at: u32,
    /// Nothing was heard since the last ping.
    unanswered: bool,
}

impl<Io: Read + Write> Session<Io> {
    pub(super) async fn open<C: Connect<Io = Io>>(
        connector: &mut C,
        clock: &mut impl Clock,
        settings: &Settings<'_>,
    ) -> Result<Self, LinkFault> {
        let id = MqttString::from_str(settings.client_id).map_err(|_| LinkFault::Refused)?;
        let packet = u32::try_from(settings.longest.saturating_add(AROUND)).unwrap_or(u32::MAX);
        let options = ConnectOptions::new()
            // Every connection subscribes anew.
            .clean_start()
            .keep_alive(KeepAlive::Seconds(settings.keep_alive_s))
            .maximum_packet_size(NonZero::new(packet).unwrap_or(NonZero::<u32>::MAX));
        // The buffer has no size: nothing is allocated here, and nothing leaks.
        let mut client = Mqtt::new(Box::leak(Box::new(AllocBuffer)));
        let opening = async {
            let io = connector.connect().await.map_err(|()| LinkFault::Down)?;
            client.connect(io, &options, Some(id)).await.map_err(|_| LinkFault::Down)
        };
        within(clock, PATIENCE_MS, opening).await.ok_or(LinkFault::Down)??;
        let half_ms = match client.shared_config().keep_alive {
            KeepAlive::Seconds(seconds) => Some(u32::from(seconds.get()) * 500),
            KeepAlive::Infinite => None,
        };
        Ok(Session { client, half_ms, sent_at: clock.now_ms(), unanswered: false })
    }

    /// Whether the broker granted it.
    pub(super) async fn subscribe(
        &mut self,
        clock: &mut impl Clock,
        topic: &str,
        early: &mut Early,
    ) -> Result<bool, LinkFault> {
        let filter = MqttString::from_str(topic).ok().and_then(TopicFilter::new);
        let Some(filter) = filter else { return Ok(false) };
        let options = SubscriptionOptions::new().at_least_once();
        let asked = within(clock, PATIENCE_MS, self.client.subscribe(filter, &options)).await;
        let Some(Ok(asked)) = asked else { return Err(LinkFault::Down) };
        self.sent_at = clock.now_ms();
        loop {
            match self.event(clock, PATIENCE_MS).await?.ok_or(LinkFault::Down)? {
                Event::Suback(answer) if answer.packet_identifier == asked => {
                    let code = answer.reason_code;
                    return Ok(matches!(
                        code,
                        ReasonCode::Success | ReasonCode::GrantedQoS1 | ReasonCode::GrantedQoS2
                    ));
                }
                event => keep(event, early)?,
            }
        }
    }

    pub(super) async fn publish(
        &mut self,
        clock: &mut impl Clock,
        message: Message<'_>,
        how: Delivery,
        early: &mut Early,
    ) -> Result<(), LinkFault> {
        let topic = MqttString::from_str(message.topic).ok().and_then(TopicName::new);
        let topic = topic.ok_or(LinkFault::Refused)?;
        let qos = match how {
            Delivery::AtMostOnce => QoS::AtMostOnce,
            Delivery::AtLeastOnce => QoS::AtLeastOnce,
        };
        let options = PublicationOptions::new(TopicReference::Name(topic)).qos(qos);
        loop {
            let sending = self.client.publish(&options, Bytes::from(message.payload));
            match within(clock, PATIENCE_MS, sending).await.ok_or(LinkFault::Down)? {
                Ok(_) => break,
                // Broker or client have no room until one of those before it is acknowledged.
                Err(MqttError::SendQuotaExceeded | MqttError::SessionBuffer) => {
                    keep(self.event(clock, PATIENCE_MS).await?.ok_or(LinkFault::Down)?, early)?;
                }
                Err(
                    MqttError::ServerMaximumPacketSizeExceeded
                    | MqttError::PacketMaximumLengthExceeded,
                ) => return Err(LinkFault::TooLong),
                Err(MqttError::UnsupportedByServer) => return Err(LinkFault::Refused),
                Err(_) => return Err(LinkFault::Down),
            }
        }
        self.sent_at = clock.now_ms();
        Ok(())
    }

    /// The next message within the time. What the broker says of messages published before is
    /// passed over: a question without an answer is asked again.
    pub(super) async fn listen(
        &mut self,
        clock: &mut impl Clock,
        within_ms: u32,
    ) -> Result<Option<Incoming>, LinkFault> {
        let began = clock.now_ms();
        loop {
            let now = clock.now_ms();
            let left = within_ms.saturating_sub(now.wrapping_sub(began));
            let to_ping = match self.half_ms {
                Some(half) => half.saturating_sub(now.wrapping_sub(self.sent_at)),
                None => u32::MAX,
            };
            let event = self.event(clock, left.min(to_ping)).await?;
            self.keep_alive(clock).await?;
            match event {
                Some(Event::Publish(incoming)) => return Ok(Some(incoming)),
                None if left <= to_ping => return Ok(None),
                Some(_) | None => {}
            }
        }
    }

    /// What comes next, if it begins to come within the time: only the wait for a packet's header
    /// can be broken off and taken up again.
    async fn event(
        &mut self,
        clock: &mut impl Clock,
        within_ms: u32,
    ) -> Result<Option<Event<'static, 0, 0>>, LinkFault> {
        let header = match within(clock, within_ms, self.client.poll_header()).await {
            Some(header) => header.map_err(|_| LinkFault::Down)?,
            None => return Ok(None),
        };
        self.unanswered = false;
        let body = within(clock, PATIENCE_MS, self.client.poll_body(header)).await;
        body.ok_or(LinkFault::Down)?.map(Some).map_err(|_| LinkFault::Down)
    }

    /// Pings when it is time. A ping after which nothing was heard until the next is the end.
    async fn keep_alive(&mut self, clock: &mut impl Clock) -> Result<(), LinkFault> {
        let now = clock.now_ms();
        if self.half_ms.is_none_or(|half| now.wrapping_sub(self.sent_at) < half) {
            return Ok(());
        }
        if self.unanswered {
            return Err(LinkFault::Down);
        }
        let pinged = within(clock, PATIENCE_MS, self.client.ping()).await;
        pinged.ok_or(LinkFault::Down)?.map_err(|_| LinkFault::Down)?;
        self.sent_at = now;
        self.unanswered = true;
        Ok(())
    }
}

/// Keeps a message for later. Where there is no room the connection is given up, for a message that
/// was acknowledged must not be lost in silence.
fn keep(event: Event<'static, 0, 0>, early: &mut Early) -> Result<(), LinkFault> {
    match event {
        Event::Publish(incoming) => early.push(incoming),
        _ => Ok(()),
    }
}

/// What a future gives, unless the time is over before. It is asked first: what is there already is
/// never too late.
async fn within<T>(clock: &mut impl Clock, ms: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut pause = pin!(clock.wait_ms(ms));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => pause.as_mut().poll(context).map(|()| None),
    })
    .await
}
