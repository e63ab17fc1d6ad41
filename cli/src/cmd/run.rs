//! `cargo ota run`: boots a board's real firmware in its emulator.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use coreota_config::memory::Program;
use serde_json::json;

use super::build::{How, choose};
use crate::build::Folder;
use crate::emulator::{self, Flash};
use crate::error::{Error, Result};
use crate::ota_toml;
use crate::out::Out;
use crate::provisioning::{Broker, records};

/// Boot a board in its emulator: its own bootloader, its own firmware, a flash that stays
///
/// The console is on this terminal. The flash is a file in the board's folder: what is in it stays
/// from run to run, updates and all. Where nothing was built yet, it is built first.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The board; not needed where only one has a firmware
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Name of the device at its provider
    #[arg(long, value_name = "NAME", default_value = "board-1")]
    thing: String,
    /// The broker, as the board finds it: for QEMU, this machine is 10.0.2.2
    #[arg(long, value_name = "HOST[:PORT]", default_value = "10.0.2.2:1883")]
    broker: Broker,
    /// File that is the flash [default: flash.bin in the folder of the board]
    #[arg(long, value_name = "FILE")]
    flash: Option<PathBuf>,
    /// Start with the flash as it leaves the factory
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    how: How,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let model = ota_toml::read(&self.how.config, out)?;
        let device = choose(&model, self.board.as_deref())?;
        let folder = Folder::of(&self.how.out, &device.name.value);
        if !folder.factory().is_file() || !folder.elf(Program::Firmware).is_file() {
            self.how.build(&model, device, out)?;
        }
        let path = self.flash.clone().unwrap_or_else(|| folder.path().join("flash.bin"));
        if self.fresh && path.exists() {
            fs::remove_file(&path).map_err(|error| Error::file("remove", &path, error))?;
        }
        let (flash, _) = Flash::open(&path, device, &folder.factory())?;
        let (partition, told) = records(device, &self.thing, &self.broker)?;
        flash.program(partition, &told)?;
        let mut command = emulator::command(device, &folder, &flash.path().display().to_string())?;
        let fields = json!({
            "board": device.name.value, "thing": self.thing, "broker": self.broker.to_string(),
            "flash": flash.path(),
        });
        let line = format!(
            "{} as {}, broker {}, flash {}; Ctrl-C ends it",
            device.name.value,
            self.thing,
            self.broker,
            flash.path().display()
        );
        out.event("booting", &fields, line);
        boot(&mut command)
    }
}

/// Becomes the emulator, so that signals reach it. An emulator that ends at a reset of the board
/// is started again instead.
#[cfg(unix)]
fn boot(command: &mut std::process::Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    if !command.get_args().any(|word| word == "-no-reboot") {
        let why = command.exec();
        return Err(emulator::missing(command, &why));
    }
    again(command)
}

#[cfg(not(unix))]
fn boot(command: &mut std::process::Command) -> Result<()> {
    again(command)
}

fn again(command: &mut std::process::Command) -> Result<()> {
    loop {
        let status = command.status().map_err(|why| emulator::missing(command, &why))?;
        if !status.success() {
            let what = format!("the emulator ended: {status}");
            return Err(Error::new(crate::error::Exit::No, what).fix("see what it says above"));
        }
    }
}
