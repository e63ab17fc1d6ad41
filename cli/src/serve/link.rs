//! The provider's MQTT connection: requests come in as [`Input`]s, messages go out. Connects again
//! by itself when the link breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coreota::link::rumqttc::BrokerUrl;
use rumqttc::{
    AsyncClient, Event, EventLoop, IncomingPacketSizeLimit, Packet, PublishOptions, QoS,
    SubscribeFilterInput,
};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::Input;
use crate::error::{Error, Exit, Result};
use crate::provider::{FILTERS, Outgoing};

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_secs(1);
/// Messages waiting to be written; more wait in the provider.
const WAITING: usize = 256;

/// The sending side.
pub(super) struct Link {
    client: AsyncClient,
    up: Arc<AtomicBool>,
}

impl Link {
    /// Connects and subscribes to every request. An error when the first attempt fails.
    pub(super) async fn connect(
        broker: &BrokerUrl,
        inputs: UnboundedSender<Input>,
    ) -> Result<Self> {
        let id = format!("coreota-provider-{}", std::process::id());
        let mut options = broker.options(&id);
        // The broker decides what it carries.
        options.set_incoming_packet_size_limit(IncomingPacketSizeLimit::Unlimited);
        let (client, events) = AsyncClient::builder(options).capacity(WAITING).build();
        let up = Arc::new(AtomicBool::new(false));
        let (ready, connected) = oneshot::channel();
        let pump = Pump { client: client.clone(), up: up.clone(), inputs, ready: Some(ready) };
        tokio::spawn(pump.run(events));
        let connected = connected.await.unwrap_or_else(|_| Err("the connection ended".to_owned()));
        connected.map_err(|why| {
            Error::new(Exit::Network, format!("cannot use the broker {broker}: {why}"))
                .fix("start the broker or correct --broker; without --broker one is embedded")
        })?;
        Ok(Self { client, up })
    }

    /// Hands a message over; false when the link does not take it. While the link is down or stuck
    /// messages are dropped, as they would be for a device that is offline.
    pub(super) async fn send(&self, message: Outgoing) -> bool {
        let qos = if message.acknowledged { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let publish = self.client.publish(message.topic, message.payload, PublishOptions::new(qos));
        // The link may break while we wait for room: do not wait for its return.
        self.up.load(Ordering::Relaxed)
            && matches!(tokio::time::timeout(PAUSE, publish).await, Ok(Ok(())))
    }

    /// Says goodbye to the broker.
    pub(super) async fn close(&self) {
        let _ = tokio::time::timeout(PAUSE, self.client.disconnect()).await;
    }
}

/// The receiving side: a task that drives the connection.
struct Pump {
    client: AsyncClient,
    up: Arc<AtomicBool>,
    inputs: UnboundedSender<Input>,
    /// Waits for the outcome of the first attempt.
    ready: Option<oneshot::Sender<std::result::Result<(), String>>>,
}

impl Pump {
    async fn run(mut self, mut events: EventLoop) {
        loop {
            let went_on = match events.poll().await {
                Ok(Event::Incoming(packet)) => self.incoming(packet),
                Ok(_) => true,
                Err(error) => {
                    let first = self.ready.is_some();
                    // Told once, not with every attempt to connect again.
                    if first || self.up.load(Ordering::Relaxed) {
                        self.down(error.to_string());
                    }
                    tokio::time::sleep(PAUSE).await;
                    !first
                }
            };
            if !went_on || self.inputs.is_closed() {
                return;
            }
        }
    }

    /// False when the connection is of no use.
    fn incoming(&mut self, packet: Packet) -> bool {
        match packet {
            // Every session is a new one, so every connection subscribes.
            Packet::ConnAck(_) => {
                // Some of what we send matches these filters too: no need to hear it.
                let filters =
                    FILTERS.map(|f| SubscribeFilterInput::new(f, QoS::AtLeastOnce).no_local(true));
                self.client.try_subscribe_many(filters).is_ok()
            }
            Packet::SubAck(ack) => {
                use rumqttc::mqttbytes::v5::SubscribeReasonCode::Success;
                if ack.return_codes.iter().all(|code| matches!(code, Success(_))) {
                    self.up.store(true, Ordering::Relaxed);
                    match self.ready.take() {
                        Some(ready) => drop(ready.send(Ok(()))),
                        None => drop(self.inputs.send(Input::Up)),
                    }
                    return true;
                }
                // Of no use at first; later its administrator may think better of it.
                let first = self.ready.is_some();
                self.down("it refuses the subscription to $aws/things/+/…".to_owned());
                !first
            }
            Packet::Publish(message) => {
                // A topic that is not UTF-8 is not one of ours.
                let Ok(topic) = std::str::from_utf8(&message.topic) else { return true };
                let (topic, payload) = (topic.to_owned(), message.payload.to_vec());
                self.inputs.send(Input::Message { topic, payload }).is_ok()
            }
            _ => true,
        }
    }

    fn down(&mut self, why: String) {
        self.up.store(false, Ordering::Relaxed);
        match self.ready.take() {
            Some(ready) => drop(ready.send(Err(why))),
            None => drop(self.inputs.send(Input::Down(why))),
        }
    }
}
