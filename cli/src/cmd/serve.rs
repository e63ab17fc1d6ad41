//! `cargo ota serve`: the arguments of the provider in [`crate::serve`].

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use coreota::link::rumqttc::BrokerUrl;

use crate::error::{Error, Exit, Result};
use crate::out::Out;
use crate::pki::DEFAULT_DIR as DEFAULT_PKI;
use crate::serve::faults::{Faults, Rates};
use crate::serve::{self, Options};
use crate::store::DEFAULT_DIR;

/// Run an update provider: AWS IoT Jobs and MQTT file streams for the devices on a broker
///
/// Devices connect to the broker as they would to AWS. Publish updates with `cargo ota publish` and
/// look with `cargo ota status`, both on this machine. Stop with Ctrl-C; nothing is lost.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Address of the embedded broker; port 0 takes a free one and prints it
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:1883")]
    listen: SocketAddr,
    /// Use this broker instead of the embedded one
    #[arg(long, value_name = "mqtt://[USER:PASSWORD@]HOST[:PORT]", conflicts_with = "listen")]
    broker: Option<BrokerUrl>,
    /// Let devices in over TLS as well, that prove who they are: with CA and certificate in this folder,
    /// which `cargo ota pki` makes
    #[arg(long, value_name = "DIR", conflicts_with = "broker", num_args = 0..=1, default_missing_value = DEFAULT_PKI)]
    tls: Option<PathBuf>,
    /// Address of that
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8883", requires = "tls")]
    tls_listen: SocketAddr,
    /// Folder of what the provider remembers
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    state: PathBuf,
    /// Lose this part (0 to 1) of the blocks and replies
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability)]
    loss: f64,
    /// Send this part of the blocks and replies twice
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability)]
    dup: f64,
    /// Let this part of the blocks be overtaken by the next
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability)]
    reorder: f64,
    /// Flip a bit in this part of the block messages
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability)]
    corrupt: f64,
    /// The same seed and messages meet the same faults
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let rates =
            Rates { loss: self.loss, dup: self.dup, reorder: self.reorder, corrupt: self.corrupt };
        let options = Options {
            listen: self.listen,
            broker: self.broker,
            tls: self.tls.map(|pki| (self.tls_listen, pki)),
            state: self.state,
            faults: Faults::new(rates, self.seed),
        };
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Error::new(Exit::Network, format!("cannot start threads: {error}")))?;
        runtime.block_on(serve::run(options, out))
    }
}

fn probability(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(p) if (0.0..=1.0).contains(&p) => Ok(p),
        _ => Err("a probability is a number from 0 to 1, as 0.05".to_owned()),
    }
}
