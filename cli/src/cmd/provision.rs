//! `cargo ota provision`: writes what a device is told when it is made.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::{Error, Result};
use crate::ota_toml;
use crate::out::Out;
use crate::provisioning::{Broker, records};

/// Write what a device is told when it is made: its name and its broker
///
/// The file is to be programmed at the start of the board's partition `provisioning`, which must be
/// erased before. `cargo ota run` does it for an emulated board.
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
    #[arg(long, value_name = "HOST[:PORT]")]
    broker: Option<Broker>,
    /// Where the board is declared
    #[arg(long, value_name = "FILE", default_value = "ota.toml")]
    config: PathBuf,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let model = ota_toml::read(&self.config, out)?;
        let device = super::build::choose(&model, self.board.as_deref())?;
        let (partition, bytes) = records(device, &self.thing, self.broker.as_ref())?;
        fs::write(&self.output, &bytes)
            .map_err(|error| Error::file("write", &self.output, error))?;
        let base = device.flash.base_address.value.map_or(0, |address| address.0);
        let address = u64::from(base) + u64::from(partition.start);
        let fields = json!({
            "file": self.output, "size": bytes.len(), "offset": partition.start, "address": address,
        });
        let broker = self.broker.as_ref().map(|broker| format!(" at {broker}"));
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
