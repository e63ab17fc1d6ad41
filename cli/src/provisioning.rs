//! What a device is told when it is made, as the content of its provisioning partition.

use std::fmt;
use std::str::FromStr;

use coreota::provisioning::{Kind, to_bytes};
use coreota_config::model::Device;
use coreota_config::values::{Region, size};

use crate::error::{Error, Exit, Result};

/// MQTT without TLS.
const PORT: u16 = 1883;

/// Where a device finds its broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broker {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Broker {
    /// One on this machine, as it finds it itself or as a board in QEMU does.
    pub(crate) fn here(itself: bool) -> Self {
        let host = if itself { "127.0.0.1" } else { "10.0.2.2" };
        Broker { host: host.to_owned(), port: PORT }
    }
}

impl FromStr for Broker {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)),
            None => (text, Some(PORT)),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
        match port {
            Some(port) if (1..=253).contains(&host.len()) && host.chars().all(plain) => {
                Ok(Broker { host: host.to_owned(), port })
            }
            _ => Err("a broker is HOST or HOST:PORT, as 10.0.2.2:1883".to_owned()),
        }
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The records, and the partition they go to. A device on a serial line is told no broker: the
/// bridge at the other end is.
pub(crate) fn records(
    device: &Device,
    thing: &str,
    broker: Option<&Broker>,
) -> Result<(Region, Vec<u8>)> {
    let name = &device.name.value;
    let Some(partition) = device.layout.provisioning else {
        let what = format!("board `{name}` has no partition for what it is told");
        return Err(Error::new(Exit::File, what)
            .fix(format!("declare `provisioning` in [board.{name}.partitions]")));
    };
    if !crate::provider::names::is_thing(thing) {
        return Err(Error::new(Exit::File, format!("`{thing}` is no name of a thing"))
            .fix("1 to 128 letters, digits, `:`, `-`, `_`"));
    }
    let mut records = vec![(Kind::Thing, thing.as_bytes())];
    let port = broker.map(|broker| broker.port.to_le_bytes());
    if let (Some(broker), Some(port)) = (broker, &port) {
        records.extend([(Kind::Host, broker.host.as_bytes()), (Kind::Port, port)]);
    }
    match to_bytes(&records) {
        Some(bytes) if bytes.len() <= partition.len as usize => Ok((partition, bytes)),
        _ => Err(Error::new(
            Exit::No,
            format!("the records do not fit into {}", size(partition.len)),
        )
        .fix("make the partition larger")),
    }
}

#[cfg(test)]
mod tests {
    use super::Broker;

    #[test]
    fn a_broker_is_a_host_and_perhaps_a_port() {
        let read =
            |text: &str| text.parse::<Broker>().map(|broker| (broker.host, broker.port)).ok();
        assert_eq!(read("10.0.2.2:18831"), Some(("10.0.2.2".to_owned(), 18_831)));
        assert_eq!(read("broker.example"), Some(("broker.example".to_owned(), 1883)));
        for wrong in ["", ":1883", "a:b", "a:0", "a:65536", "mqtt://a", "a b"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
