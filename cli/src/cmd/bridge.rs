//! `cargo ota bridge`: the other end of a device's serial line.

use clap::Args;
use coreota::link::rumqttc::BrokerUrl;
use serde_json::json;
use serial2_tokio::SerialPort;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::bridge::{self, Said};
use crate::error::{Error, Exit, Result};
use crate::out::Out;

/// Connect a device on a serial line to a broker, and show its console
///
/// For devices whose link is `coreota::link::serial`: what they ask for is done at the broker, in
/// their name. Text between is their console. `cargo ota run` does it for an emulated board. Stop
/// with Ctrl-C; the device goes on when the bridge is there again.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The line: a serial port such as /dev/ttyACM0, or tcp:HOST:PORT
    line: String,
    /// Baud rate of a serial port
    #[arg(long, value_name = "N", default_value_t = 115_200)]
    baud: u32,
    /// The broker
    #[arg(
        long,
        value_name = "mqtt://[USER:PASSWORD@]HOST[:PORT]",
        default_value = "127.0.0.1:1883"
    )]
    broker: BrokerUrl,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Error::new(Exit::Network, format!("cannot start threads: {error}")))?;
        runtime.block_on(self.bridge(out))
    }

    async fn bridge(&self, out: &Out) -> Result<()> {
        let unopened = |error: std::io::Error| {
            Error::new(Exit::Network, format!("cannot open {}: {error}", self.line))
                .fix("give a serial port that is there and may be used, or tcp:HOST:PORT")
        };
        match self.line.strip_prefix("tcp:") {
            Some(address) => {
                let line = TcpStream::connect(address).await.map_err(unopened)?;
                line.set_nodelay(true).map_err(unopened)?;
                self.serve(line, out).await
            }
            None => {
                self.serve(SerialPort::open(&self.line, self.baud).map_err(unopened)?, out).await
            }
        }
    }

    async fn serve(&self, line: impl AsyncRead + AsyncWrite, out: &Out) -> Result<()> {
        let fields = json!({ "line": self.line });
        out.event("bridging", &fields, format!("bridge    {} is open; Ctrl-C ends it", self.line));
        let ended = bridge::serve(line, &self.broker, |said| match said {
            Said::Console(line) => out.event("console", &json!({ "line": line }), line),
            Said::Broker(what) => {
                out.event("broker", &json!({ "what": what }), format!("bridge    {what}"));
            }
        });
        let why = match ended.await {
            Ok(()) => "it was closed at the other end".to_owned(),
            Err(error) => error.to_string(),
        };
        Err(Error::new(Exit::Network, format!("the line {} ended: {why}", self.line))
            .fix("see whether the device is still plugged in, and start the bridge again"))
    }
}
