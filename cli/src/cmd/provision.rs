//! `cargo ota provision`: writes what a device is told when it is made.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::certificates::Files;
use crate::error::Result;
use crate::keys;
use crate::ota_toml;
use crate::out::Out;
use crate::provisioning::{Named, records};

/// Write what a device is told when it is made: its name, its broker, its certificates and key
///
/// The file is to be programmed at the start of the board's partition `provisioning`, which must be
/// erased before. `cargo ota run` does it for an emulated board. With a private key in it, or the secret of a
/// board without a random generator, the file is readable by its owner only; it is for one device, once.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Where to write it
    output: PathBuf,
    /// The board
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Name of the device at its provider
    #[arg(long, value_name = "NAME")]
    thing: String,
    /// The broker, as the device finds it; none for a device on a serial line, whose bridge knows it
    #[arg(long, value_name = "[mqtts://]HOST[:PORT]")]
    broker: Option<Named>,
    #[command(flatten)]
    certificates: Files,
    /// Where the board is declared
    #[arg(long, value_name = "FILE", default_value = "ota.toml")]
    config: PathBuf,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let model = ota_toml::read(&self.config, out)?;
        let device = super::build::choose(&model, self.board.as_deref())?;
        let broker = self.broker.as_ref().map(|named| named.of(device)).transpose()?;
        let identity = self.certificates.read(device, &self.thing, None)?;
        let told = records(device, &self.thing, broker.as_ref(), identity.as_ref())?;
        let (partition, bytes) = told;
        let secret = identity.is_some() || device.layout.starts.is_some();
        keys::write(&self.output, &bytes, secret)?;
        let base = device.flash.base_address.value.map_or(0, |address| address.0);
        let address = u64::from(base) + u64::from(partition.start);
        let fields = json!({
            "file": self.output, "size": bytes.len(), "offset": partition.start, "address": address,
        });
        let broker = broker.map(|broker| format!(" at {broker}"));
        let line = format!(
            "{}  {} bytes for {}{}, to be programmed at {address:#x}",
            self.output.display(),
            bytes.len(),
            self.thing,
            broker.unwrap_or_default(),
        );
        out.event("provisioned", &fields, line);
        Ok(())
    }
}
