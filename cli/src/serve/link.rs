//! The provider's MQTT connection: requests come in as [`Input`]s, messages go out. Connects again
//! by itself when the link breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rumqttc::{
    AsyncClient, Event, EventLoop, IncomingPacketSizeLimit, MqttOptions, Packet, PublishOptions,
    QoS, SubscribeFilterInput,
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

/// Where a broker is: `mqtt://[user:password@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrokerUrl {
    pub(crate) host: String,
    pub(crate) port: u16,
    credentials: Option<(String, String)>,
}

impl BrokerUrl {
    pub(super) fn local(port: u16, host: String) -> Self {
        Self { host, port, credentials: None }
    }
}

impl std::str::FromStr for BrokerUrl {
    type Err = String;

    fn from_str(url: &str) -> std::result::Result<Self, String> {
        let rest = match url.split_once("://") {
            Some(("mqtt" | "tcp", rest)) => rest.trim_end_matches('/'),
            Some((scheme, _)) => return Err(format!("{scheme}:// is not spoken; mqtt:// is")),
            None => url,
        };
        let (credentials, address) = match rest.rsplit_once('@') {
            Some((credentials, address)) => {
                let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
                (Some((user.to_owned(), password.to_owned())), address)
            }
            None => (None, rest),
        };
        let (host, port) = match address.rsplit_once(':') {
            // An IPv6 address without a port ends in a bracket.
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| format!("{port:?} is not a port"))?)
            }
            _ => (address, 1883),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err("a host is missing: mqtt://HOST[:PORT]".to_owned());
        }
        Ok(Self { host, port, credentials })
    }
}

/// The address, without the credentials.
impl std::fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "mqtt://[{}]:{}", self.host, self.port),
            false => write!(f, "mqtt://{}:{}", self.host, self.port),
        }
    }
}

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
        let mut options = MqttOptions::new(id, (broker.host.clone(), broker.port));
        options.set_keep_alive(30);
        // The broker decides what it carries.
        options.set_incoming_packet_size_limit(IncomingPacketSizeLimit::Unlimited);
        if let Some((user, password)) = &broker.credentials {
            options.set_credentials(user.clone(), password.clone());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broker_addresses_are_understood() {
        for (url, shown) in [
            ("mqtt://127.0.0.1:1884", "mqtt://127.0.0.1:1884"),
            ("mqtt://broker.local/", "mqtt://broker.local:1883"),
            ("tcp://h:1", "mqtt://h:1"),
            ("localhost:1885", "mqtt://localhost:1885"),
            ("mqtt://[::1]:1884", "mqtt://[::1]:1884"),
            ("mqtt://[::1]", "mqtt://[::1]:1883"),
            ("mqtt://user:secret@h:1", "mqtt://h:1"),
        ] {
            assert_eq!(url.parse::<BrokerUrl>().expect(url).to_string(), shown);
        }
        let with_user: BrokerUrl = "mqtt://user:p@ss@h".parse().expect("a password with @");
        assert_eq!(with_user.credentials, Some(("user".to_owned(), "p@ss".to_owned())));
        for bad in ["mqtts://h", "mqtt://", "mqtt://h:x", "mqtt://h:70000"] {
            assert!(bad.parse::<BrokerUrl>().is_err(), "{bad}");
        }
    }
}
