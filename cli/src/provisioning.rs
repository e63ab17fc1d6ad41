//! What a device is told when it is made, as the content of its provisioning partition.

use std::fmt;
use std::str::FromStr;

use coreota::provisioning::{Kind, SIZE_MAX, to_bytes};
use coreota_config::model::Device;
use coreota_config::values::{Region, size};

use crate::certificates::Identity;
use crate::emulator::is_wired;
use crate::error::{Error, Exit, Result};

/// Where a device finds its broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broker {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Broker {
    /// One on this machine, as a board with that emulator finds it: by itself, or in QEMU's network.
    pub(crate) fn here(device: &Device, port: Option<u16>) -> Self {
        let host = if is_wired(device) { "127.0.0.1" } else { "10.0.2.2" };
        let port = port.unwrap_or(usual(device.tls));
        Broker { tls: device.tls, host: host.to_owned(), port }
    }
}

/// The port of MQTT, and of MQTT over TLS.
fn usual(tls: bool) -> u16 {
    if tls { 8883 } else { 1883 }
}

/// With TLS, the way it is written on the command line; without, the same but for `mqtt://`.
impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts://" } else { "" };
        write!(f, "{scheme}{}:{}", self.host, self.port)
    }
}

/// A broker as the command line names it: what it leaves out is as the board has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    tls: Option<bool>,
    host: String,
    port: Option<u16>,
}

impl Named {
    /// As the board speaks to it.
    pub(crate) fn of(&self, device: &Device) -> Result<Broker> {
        let board = &device.name.value;
        match (self.tls, device.tls) {
            (Some(true), false) => {
                let what = format!("mqtts:// is TLS, and board `{board}` speaks none");
                Err(Error::new(Exit::File, what).fix(format!(
                    "name a broker of mqtt://, or set `tls = true` in [board.{board}]"
                )))
            }
            (Some(false), true) => {
                let what = format!("mqtt:// is in the clear, and board `{board}` speaks TLS only");
                Err(Error::new(Exit::File, what).fix(format!(
                    "name a broker of mqtts://, or leave `tls` out of [board.{board}]"
                )))
            }
            _ => {
                let (tls, host) = (device.tls, self.host.clone());
                Ok(Broker { tls, host, port: self.port.unwrap_or(usual(tls)) })
            }
        }
    }
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (tls, rest) = match text.split_once("://") {
            Some(("mqtt", rest)) => (Some(false), rest),
            Some(("mqtts", rest)) => (Some(true), rest),
            _ => (None, text),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0).map(Some)),
            None => (rest, Some(None)),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
        match port {
            Some(port) if (1..=253).contains(&host.len()) && host.chars().all(plain) => {
                Ok(Named { tls, host: host.to_owned(), port })
            }
            _ => {
                Err("a broker is HOST or HOST:PORT, as 10.0.2.2:1883, with mqtt:// or mqtts:// in \
                      front or without"
                    .to_owned())
            }
        }
    }
}

/// The records, and the partition they go to. A device on a serial line is told no broker: the
/// bridge at the other end is. One that speaks TLS is told an `identity`.
pub(crate) fn records(
    device: &Device,
    thing: &str,
    broker: Option<&Broker>,
    identity: Option<&Identity>,
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
    let earliest = identity.map(|identity| identity.now.to_le_bytes());
    if let (Some(identity), Some(earliest)) = (identity, &earliest) {
        records.extend([
            (Kind::Root, &identity.root[..]),
            (Kind::Certificate, &identity.certificate[..]),
            (Kind::Key, &identity.key[..]),
            (Kind::Earliest, &earliest[..]),
        ]);
    }
    let secret = secret()?;
    // Where starts are counted there is no random generator.
    if device.layout.starts.is_some() {
        records.push((Kind::Secret, &secret));
    }
    let room = partition.len.min(SIZE_MAX as u32);
    match to_bytes(&records) {
        Some(bytes) if bytes.len() <= room as usize => Ok((partition, bytes)),
        bytes => {
            let len = bytes.map_or(0, |bytes| bytes.len());
            let what = format!("the records, {len} bytes, do not fit into {}", size(room));
            let fix = match room < partition.len || identity.is_some() {
                true => "firmware reads no more: make the certificates shorter",
                false => "make the partition larger",
            };
            Err(Error::new(Exit::No, what).fix(fix))
        }
    }
}

/// Random bytes of this machine.
fn secret() -> Result<[u8; 32]> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| {
        Error::new(Exit::File, format!("the system gives no random numbers: {error}"))
    })?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::Named;

    #[test]
    fn a_broker_is_a_host_and_perhaps_a_scheme_and_a_port() {
        let read = |text: &str| {
            text.parse::<Named>().map(|Named { tls, host, port }| (tls, host, port)).ok()
        };
        let host = |host: &str| host.to_owned();
        assert_eq!(read("10.0.2.2:18831"), Some((None, host("10.0.2.2"), Some(18_831))));
        assert_eq!(read("broker.example"), Some((None, host("broker.example"), None)));
        assert_eq!(read("mqtts://a:8883"), Some((Some(true), host("a"), Some(8883))));
        assert_eq!(read("mqtt://a"), Some((Some(false), host("a"), None)));
        for wrong in ["", ":1883", "a:b", "a:0", "a:65536", "https://a", "mqtts://", "a b"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
