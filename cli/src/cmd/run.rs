//! `cargo ota run`: boots a board's real firmware in its emulator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use clap::{Args, ValueEnum};
use coreota::link::rumqttc::BrokerUrl;
use coreota_config::memory::Program;
use coreota_config::model::Device;
use coreota_emulator::{Cut, Tear};
use serde_json::json;

use super::build::{How, choose};
use crate::build::Folder;
use crate::certificates::Files;
use crate::emulator::{self, Flash};
use crate::error::{Error, Exit, Result};
use crate::ota_toml;
use crate::out::Out;
use crate::pki;
use crate::provisioning::{Broker, Named, records};

/// Boot a board in its emulator: its own bootloader, its own firmware, a flash that stays
///
/// The console is on this terminal; with --json its lines are events, as those of `sim-device`. The flash is a file in the board's folder: what is in it stays
/// from run to run, updates and all. Where nothing was built yet, it is built first. A board that speaks TLS is
/// told the certificates that --pki or --ca name, else those in .ota/pki.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The board; not needed where only one has a firmware
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Name of the device at its provider
    #[arg(long, value_name = "NAME", default_value = "board-1")]
    thing: String,
    /// The broker, as the board finds it: for QEMU, this machine is 10.0.2.2. For a board on a
    /// serial line, as this machine finds it [default: this machine, port 1883, with TLS 8883]
    #[arg(long, value_name = "[mqtts://]HOST[:PORT]")]
    broker: Option<Named>,
    #[command(flatten)]
    certificates: Files,
    /// File that is the flash [default: flash.bin in the folder of the board]
    #[arg(long, value_name = "FILE")]
    flash: Option<PathBuf>,
    /// Start with the flash as it leaves the factory
    #[arg(long)]
    fresh: bool,
    /// Cut the power in the middle of the flash operation after so many; exit code 9
    #[arg(long, value_name = "N")]
    cut_after: Option<u64>,
    /// What the cut leaves of that operation
    #[arg(long, value_enum, default_value_t, requires = "cut_after")]
    tear: TearKind,
    #[command(flatten)]
    how: How,
}

/// What a power cut leaves of the operation it hits.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum TearKind {
    /// Nothing: it never began
    Clean,
    /// The first half of its bytes
    #[default]
    Half,
    /// Each of its bits or not, by chance
    Bits,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let model = ota_toml::read(&self.how.config, out)?;
        let device = choose(&model, self.board.as_deref())?;
        let broker = match &self.broker {
            Some(named) => named.of(device)?,
            None => Broker::here(device, None),
        };
        let usual = Path::new(pki::DEFAULT_DIR);
        let identity = self.certificates.read(device, &self.thing, Some(usual))?;
        let folder = Folder::of(&self.how.out, &device.name.value);
        if !folder.factory().is_file() || !folder.elf(Program::Firmware).is_file() {
            self.how.build(&model, device, out)?;
        }
        folder.is_of(&device.name.value)?;
        let path = self.flash.clone().unwrap_or_else(|| folder.path().join("flash.bin"));
        if self.fresh && path.exists() {
            fs::remove_file(&path).map_err(|error| Error::file("remove", &path, error))?;
        }
        let (flash, _) = Flash::open(&path, device, &folder.factory())?;
        let wired = emulator::is_wired(device);
        let at = (!wired).then_some(&broker);
        let (partition, told) = records(device, &self.thing, at, identity.as_ref())?;
        flash.program(partition, &told)?;
        let fields = json!({
            "board": device.name.value, "thing": self.thing, "broker": broker.to_string(),
            "flash": flash.path(),
        });
        let line = format!(
            "{} as {}, broker {}, flash {}; Ctrl-C ends it",
            device.name.value,
            self.thing,
            broker,
            flash.path().display()
        );
        out.event("booting", &fields, line);
        if wired {
            let cut = self.cut_after.map(|after| self.tear.at(after));
            return attend_wired(&flash, device, &folder, broker, cut, out);
        }
        let command = |flash: &str| emulator::command(device, &folder, flash, None);
        if let Some(after) = self.cut_after {
            return cut(&flash, device, self.tear.at(after), command, out);
        }
        let mut command = command(&flash.path().display().to_string())?;
        match out.is_json() || coreota_emulator::resets_end_it(&command) {
            true => attend(command, device, out),
            false => become_it(&mut command),
        }
    }
}

impl TearKind {
    /// The cut of the operation after so many.
    fn at(self, after: u64) -> Cut {
        let tear = match self {
            TearKind::Clean => Tear::Clean,
            TearKind::Half => Tear::Half,
            TearKind::Bits => Tear::Bits,
        };
        Cut { after, tear, seed: after }
    }
}

/// Boots it until its power goes.
#[cfg(unix)]
fn cut(
    flash: &Flash,
    device: &Device,
    cut: Cut,
    command: impl FnOnce(&str) -> Result<Command>,
    out: &Out,
) -> Result<()> {
    over(emulator::attend::until_cut(flash, device, cut, out.is_json(), command)?, out)
}

/// Boots it, and tells what is on its console.
#[cfg(unix)]
fn attend(command: Command, device: &Device, out: &Out) -> Result<()> {
    over(emulator::attend::attend(command, device, out.is_json(), None)?, out)
}

/// Boots it, and is at the other end of its wires.
#[cfg(unix)]
fn attend_wired(
    flash: &Flash,
    device: &Device,
    built: &Folder,
    broker: Broker,
    cut: Option<Cut>,
    out: &Out,
) -> Result<()> {
    use emulator::wired::{Wires, attend};
    let wires = Wires::new()?;
    let command = emulator::command(device, built, "", Some(&wires.sockets))?;
    let broker = BrokerUrl::new(broker.host, broker.port);
    let end = attend(command, &wires, flash, device, &broker, cut, out.is_json());
    // Before this process may end at once.
    drop(wires);
    over(end?, out)
}

/// Says how it ended.
#[cfg(unix)]
fn over(end: emulator::attend::End, out: &Out) -> Result<()> {
    use emulator::attend::End;
    match end {
        End::Cut(operation) => {
            let line = format!("POWER CUT in flash operation {operation}");
            out.event("power-cut", &json!({ "operation": operation, "fetched": 0 }), line);
            std::process::exit(sim_device::EXIT_POWER_CUT.into())
        }
        End::Emulator(status) => ended(status),
        End::Told => Ok(()),
    }
}

/// Becomes the emulator, so that signals and the terminal are its own.
#[cfg(unix)]
fn become_it(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let why = command.exec();
    Err(emulator::missing(command, &why))
}

#[cfg(not(unix))]
fn cut(
    _: &Flash,
    _: &Device,
    _: Cut,
    _: impl FnOnce(&str) -> Result<Command>,
    _: &Out,
) -> Result<()> {
    Err(Error::new(Exit::File, "the power can be cut on Unix only").fix("leave --cut-after out"))
}

#[cfg(not(unix))]
fn attend_wired(
    _: &Flash,
    _: &Device,
    _: &Folder,
    _: Broker,
    _: Option<Cut>,
    _: &Out,
) -> Result<()> {
    Err(Error::new(Exit::File, "a board on a serial line can be run on Unix only")
        .fix("program a real one, and use `cargo ota bridge`"))
}

#[cfg(not(unix))]
fn attend(mut command: Command, _: &Device, _: &Out) -> Result<()> {
    become_it(&mut command)
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> Result<()> {
    ended(command.status().map_err(|why| emulator::missing(command, &why))?)
}

/// How an emulator ended that nobody cut.
fn ended(status: ExitStatus) -> Result<()> {
    match status.success() {
        true => Ok(()),
        false => Err(Error::new(Exit::No, format!("the emulator ended: {status}"))
            .fix("see what it says above")),
    }
}
