//! The command line of the device.

use std::path::PathBuf;

use clap::{Args as Arguments, ValueEnum};

/// What a simulated device is told.
#[derive(Clone, Debug, Arguments)]
pub struct Args {
    /// Name of the device at its provider
    #[arg(long, value_name = "NAME", default_value = "sim-1")]
    pub thing: String,
    /// Broker that the provider is on; `mqtts://` is not spoken yet
    #[arg(long, value_name = "mqtt://HOST[:PORT]", default_value = "mqtt://127.0.0.1:1883", value_parser = broker)]
    pub broker: (String, u16),
    /// File that is the device's flash; made where there is none
    #[arg(long, value_name = "FILE")]
    pub flash: PathBuf,
    /// Board in ota.toml
    #[arg(long, value_enum, default_value_t)]
    pub board: BoardName,
    /// Image to put on a blank flash, as in a factory
    #[arg(long, value_name = "IMAGE")]
    pub provision: Option<PathBuf>,
    /// Cut the power in the middle of the flash operation after so many; exit code 9
    #[arg(long, value_name = "N")]
    pub cut_after: Option<u64>,
    /// Stop at the first reset instead of booting again
    #[arg(long)]
    pub once: bool,
}

/// A simulated board of `ota.toml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BoardName {
    /// Booted by MCUboot; CBOR, 4 KiB blocks
    #[default]
    SimMcuboot,
    /// Booted by embassy-boot; JSON, 1 KiB blocks, flash with error correction
    SimEmbassy,
}

impl BoardName {
    /// As in `ota.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            BoardName::SimMcuboot => "sim-mcuboot",
            BoardName::SimEmbassy => "sim-embassy",
        }
    }
}

/// Host and port of `mqtt://HOST[:PORT]`.
fn broker(url: &str) -> Result<(String, u16), String> {
    let address = match url.split_once("://") {
        Some(("mqtt" | "tcp", address)) => address.trim_end_matches('/'),
        Some((scheme @ ("mqtts" | "ssl"), _)) => {
            return Err(format!(
                "{scheme}:// needs TLS, which the simulated device has not yet; use mqtt://, \
                 over a tunnel where the network is not trusted"
            ));
        }
        Some((scheme, _)) => return Err(format!("{scheme}:// is not spoken; mqtt:// is")),
        None => url,
    };
    let (host, port) = match address.rsplit_once(':') {
        // An IPv6 address without a port ends in a bracket.
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| format!("{port:?} is not a port"))?)
        }
        _ => (address, 1883),
    };
    match host.trim_start_matches('[').trim_end_matches(']') {
        "" => Err("a host is missing: mqtt://HOST[:PORT]".to_owned()),
        host => Ok((host.to_owned(), port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_understood_or_refused_with_a_reason() {
        let address = |host: &str, port| Ok((host.to_owned(), port));
        assert_eq!(broker("mqtt://127.0.0.1:1884"), address("127.0.0.1", 1884));
        assert_eq!(broker("mqtt://broker.local/"), address("broker.local", 1883));
        assert_eq!(broker("localhost"), address("localhost", 1883));
        assert_eq!(broker("mqtt://[::1]:1885"), address("::1", 1885));
        assert_eq!(broker("mqtt://[::1]"), address("::1", 1883));
        for (url, why) in [
            ("mqtts://h", "TLS"),
            ("http://h", "not spoken"),
            ("mqtt://h:x", "not a port"),
            ("mqtt://", "a host is missing"),
        ] {
            assert!(broker(url).expect_err(url).contains(why), "{url}");
        }
    }
}
