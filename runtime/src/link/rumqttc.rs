//! The message link over `rumqttc`, a client for hosts: embedded Linux, simulated devices, tests.
//!
//! It speaks MQTT 5 and needs `std` and a tokio runtime to run in. A task drives the connection, so
//! that keep-alive goes on while the device erases flash; what it hears waits in a bounded queue,
//! and behind it in the socket. TLS, credentials and keep-alive are set in [`MqttOptions`].

mod url;

use std::{
    collections::VecDeque,
    string::{String, ToString},
    time::Duration,
};

use rumqttc::{
    AsyncClient, Event, EventLoop, Packet, Publish, PublishOptions, QoS,
    mqttbytes::v5::SubscribeReasonCode,
};
use tokio::{sync::mpsc, task::JoinHandle, time};

use super::{Delivery, LinkFault, MessageLink};
use crate::message::Message;

pub use rumqttc::MqttOptions;
pub use url::BrokerUrl;

/// Messages and acknowledgements that may wait for the device.
const QUEUE: usize = 128;
/// How long a broker may take to acknowledge a connection or a subscription.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that can be made again and again. Dropping it closes the socket.
#[derive(Debug)]
pub struct RumqttcLink {
    options: MqttOptions,
    longest: usize,
    session: Option<Session>,
    /// Came while an acknowledgement was waited for.
    early: VecDeque<Publish>,
    /// The one last received: its bytes are lent out.
    message: Publish,
    trouble: Option<String>,
}

#[derive(Debug)]
struct Session {
    client: AsyncClient,
    inbox: mpsc::Receiver<Result<Packet, String>>,
    driver: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl RumqttcLink {
    /// A link that is not connected yet. A payload above `longest` bytes is
    /// [`LinkFault::TooLong`], as it is on a device with a buffer of that size.
    pub fn new(mut options: MqttOptions, longest: usize) -> Self {
        // Every connection subscribes anew, and an old session's messages mean nothing to it.
        options.set_clean_start(true);
        // One message more than fits must not end the connection.
        options.set_unlimited_incoming_packet_size();
        RumqttcLink {
            options,
            longest,
            session: None,
            early: VecDeque::new(),
            message: Publish::default(),
            trouble: None,
        }
    }

    /// Why the connection ended last, in the client's words.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// The next packet; an error when the connection is gone.
    async fn packet(&mut self) -> Result<Packet, LinkFault> {
        let Some(session) = &mut self.session else { return Err(LinkFault::Down) };
        match session.inbox.recv().await {
            Some(Ok(packet)) => Ok(packet),
            Some(Err(why)) => Err(self.down(why)),
            None => Err(self.down("the connection ended".to_string())),
        }
    }

    /// The answer that `is_it` finds in a packet; messages that come before it wait.
    async fn acknowledged<T>(
        &mut self,
        is_it: impl Fn(&Packet) -> Option<T>,
    ) -> Result<T, LinkFault> {
        let deadline = time::Instant::now() + PATIENCE;
        loop {
            let Ok(packet) = time::timeout_at(deadline, self.packet()).await else {
                return Err(self.down("the broker does not answer".to_string()));
            };
            let packet = packet?;
            if let Some(answer) = is_it(&packet) {
                return Ok(answer);
            }
            if let Packet::Publish(message) = packet {
                self.early.push_back(message);
            }
        }
    }

    fn down(&mut self, why: String) -> LinkFault {
        self.session = None;
        self.early.clear();
        self.trouble = Some(why);
        LinkFault::Down
    }
}

/// Drives a connection until it breaks or nobody listens any more.
async fn drive(mut events: EventLoop, outbox: mpsc::Sender<Result<Packet, String>>) {
    loop {
        let told = match events.poll().await {
            Ok(Event::Incoming(
                packet @ (Packet::ConnAck(_) | Packet::SubAck(_) | Packet::Publish(_)),
            )) => outbox.send(Ok(packet)).await,
            Ok(_) => continue,
            Err(why) => {
                // Nobody may be there to be told.
                let _ = outbox.send(Err(why.to_string())).await;
                return;
            }
        };
        if told.is_err() {
            return;
        }
    }
}

impl MessageLink for RumqttcLink {
    async fn connect(&mut self) -> Result<(), LinkFault> {
        self.session = None;
        self.early.clear();
        let (client, events) = AsyncClient::builder(self.options.clone()).capacity(QUEUE).build();
        let (outbox, inbox) = mpsc::channel(QUEUE);
        let driver = tokio::spawn(drive(events, outbox));
        self.session = Some(Session { client, inbox, driver });
        // A refusal ends the connection.
        self.acknowledged(|packet| matches!(packet, Packet::ConnAck(_)).then_some(())).await
    }

    async fn subscribe(&mut self, topic: &str) -> Result<(), LinkFault> {
        let Some(session) = &self.session else { return Err(LinkFault::Down) };
        if let Err(why) = session.client.subscribe(topic, QoS::AtLeastOnce).await {
            return Err(self.down(why.to_string()));
        }
        let granted = self
            .acknowledged(|packet| match packet {
                Packet::SubAck(ack) => Some(
                    ack.return_codes
                        .iter()
                        .all(|code| matches!(code, SubscribeReasonCode::Success(_))),
                ),
                _ => None,
            })
            .await?;
        if granted { Ok(()) } else { Err(LinkFault::Refused) }
    }

    async fn publish(&mut self, message: Message<'_>, how: Delivery) -> Result<(), LinkFault> {
        let Some(session) = &self.session else { return Err(LinkFault::Down) };
        let qos = match how {
            Delivery::AtMostOnce => QoS::AtMostOnce,
            Delivery::AtLeastOnce => QoS::AtLeastOnce,
        };
        let options = PublishOptions::new(qos);
        match session.client.publish(message.topic, message.payload.to_vec(), options).await {
            Ok(_) => Ok(()),
            Err(why) => Err(self.down(why.to_string())),
        }
    }

    async fn receive(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault> {
        let deadline = time::Instant::now() + Duration::from_millis(within_ms.into());
        loop {
            self.message = match self.early.pop_front() {
                Some(message) => message,
                None => match time::timeout_at(deadline, self.packet()).await {
                    Ok(Ok(Packet::Publish(message))) => message,
                    Ok(Ok(_)) => continue,
                    Ok(Err(fault)) => return Err(fault),
                    Err(_) => return Ok(None),
                },
            };
            // A topic that is not text is not one that was subscribed to.
            if core::str::from_utf8(&self.message.topic).is_ok() {
                break;
            }
        }
        if self.message.payload.len() > self.longest {
            return Err(LinkFault::TooLong);
        }
        let topic = core::str::from_utf8(&self.message.topic).unwrap_or_default();
        Ok(Some(Message { topic, payload: &self.message.payload }))
    }
}
