//! The embedded MQTT broker. All that the rest knows of it is here: start it, and the address it got.

mod replies;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mqtt5::broker::config::{StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerConfig, MqttBroker};

use crate::error::{Error, Exit, Result};
use replies::Replies;

/// Bytes of an MQTT packet: a 128 KB payload, its topic and what is around them.
const PACKET_MAX: usize = 160 * 1024;

/// Starts a broker that runs until the process ends; gives the address devices connect to.
pub(super) async fn start(listen: SocketAddr) -> Result<SocketAddr> {
    let replies = Arc::new(Replies::default());
    let mut config =
        BrokerConfig::default().with_bind_address(listen).with_event_handler(replies.clone());
    config.max_packet_size = PACKET_MAX;
    config.sys_topics_enabled = false;
    // What must outlive a restart is in the provider's state, not in the broker.
    config.storage_config = StorageConfig::new().with_backend(StorageBackend::Memory);
    config.session_expiry_interval = Duration::from_secs(24 * 3600);
    let taken = |why: &dyn std::fmt::Display| {
        Error::new(Exit::Network, format!("cannot listen on {listen}: {why}")).fix(format!(
            "if a broker is there, use it with --broker mqtt://{listen}; \
             else take a free port with --listen {}:0",
            listen.ip()
        ))
    };
    // The broker's own error lists every address it tried; a plain bind says it in a few words.
    let probe = std::net::TcpListener::bind(listen).map_err(|error| taken(&error))?;
    drop(probe);
    let mut broker = MqttBroker::with_config(config).await.map_err(|error| taken(&error))?;
    replies.route_with(broker.router());
    let address = broker.local_addr().unwrap_or(listen);
    let mut ready = broker.ready_receiver();
    tokio::spawn(async move { broker.run().await });
    // An error here means that the broker is gone; connecting to it will say so.
    let _ = ready.wait_for(|&ready| ready).await;
    Ok(address)
}
