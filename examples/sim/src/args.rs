//! The command line of the device.

use std::path::PathBuf;

use clap::{Args as Arguments, ValueEnum};
use coreota::link::rumqttc::BrokerUrl;

/// What a simulated device is told.
#[derive(Clone, Debug, Arguments)]
pub struct Args {
    /// Name of the device at its provider
    #[arg(long, value_name = "NAME", default_value = "sim-1")]
    pub thing: String,
    /// Broker that the provider is on; `mqtts://` is not spoken yet
    #[arg(
        long,
        value_name = "mqtt://[USER:PASSWORD@]HOST[:PORT]",
        default_value = "mqtt://127.0.0.1:1883"
    )]
    pub broker: BrokerUrl,
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
    /// Booted by embassy-boot; CBOR, 1 KiB blocks; hosts a parser and a block protocol
    SimPlugins,
}

impl BoardName {
    /// As in `ota.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            BoardName::SimMcuboot => "sim-mcuboot",
            BoardName::SimEmbassy => "sim-embassy",
            BoardName::SimPlugins => "sim-plugins",
        }
    }
}
