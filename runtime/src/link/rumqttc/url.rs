//! Where a broker is, as people write it.

use std::{borrow::ToOwned, format, string::String};

use rumqttc::MqttOptions;

/// Seconds of silence after which the client asks whether the broker is there.
const KEEP_ALIVE_S: u16 = 30;

/// Where a broker is: `mqtt://[user:password@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
}

impl BrokerUrl {
    /// A broker that asks for no credentials.
    pub const fn new(host: String, port: u16) -> Self {
        Self { host, port, credentials: None }
    }

    /// The client's options for this broker.
    pub fn options(&self, client_id: &str) -> MqttOptions {
        let mut options = MqttOptions::new(client_id, (self.host.clone(), self.port));
        options.set_keep_alive(KEEP_ALIVE_S);
        // A request is one small packet, and its answer is waited for.
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        if let Some((user, password)) = &self.credentials {
            options.set_credentials(user.clone(), password.clone());
        }
        options
    }
}

impl core::str::FromStr for BrokerUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        let rest = match url.split_once("://") {
            Some(("mqtt" | "tcp", rest)) => rest.trim_end_matches('/'),
            Some((scheme @ ("mqtts" | "ssl"), _)) => {
                return Err(format!(
                    "{scheme}:// needs TLS, which this link has not yet; use mqtt://, over a \
                     tunnel where the network is not trusted"
                ));
            }
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
impl core::fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "mqtt://[{}]:{}", self.host, self.port),
            false => write!(f, "mqtt://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

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
