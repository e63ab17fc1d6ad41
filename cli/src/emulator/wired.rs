//! An emulated board whose only ways out are wires: a serial line and a debugger's.
//!
//! ```text
//! emulator ── {serial} ───► bridge ───► broker, console
//!          ◄─ {debugger} ── fills the flash, counts what is done to it, cuts, keeps it
//! ```
//! Its flash is memory of the emulator's own: it is filled before the board starts and read when
//! it ends. For a cut, every program and erase stops the board for a moment, and a [`Chip`] judges
//! and counts it; at the operation that was named the board never goes on, and what the chip holds
//! is what is left.

use std::fs;
use std::future::pending;
use std::io::{Error as IoError, ErrorKind};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use coreota::link::rumqttc::BrokerUrl;
use coreota_config::model::Device;
use coreota_emulator::{Chip, Cut, leashed};
use tokio::net::UnixListener;
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};

use super::attend::{End, tell};
use super::console::Console;
use super::debugger::Debugger;
use super::{Flash, Sockets, missing};
use crate::bridge::{self, Said};
use crate::error::{Error, Exit, Result};

/// By the word in its command that names the machine: the register whose write erases a unit.
const ERASERS: &[(&str, u32)] = &[("microbit", 0x4001_e508)];

/// The sockets of one run, gone afterwards.
pub(crate) struct Wires {
    folder: PathBuf,
    pub(crate) sockets: Sockets,
}

impl Wires {
    pub(crate) fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("cargo-ota-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| Error::file("make", &folder, error))?;
        let (serial, debugger) = (folder.join("serial"), folder.join("debugger"));
        Ok(Wires { folder, sockets: Sockets { serial, debugger } })
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Boots the board until it is ended, or its power goes as `cut` says. With `json` each line of the
/// console is an event.
pub(crate) fn attend(
    command: Command,
    wires: &Wires,
    flash: &Flash,
    device: &Device,
    broker: &BrokerUrl,
    cut: Option<Cut>,
    json: bool,
) -> Result<End> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|why| broken(&why))?;
    let mut console = Console::new(device.report_every());
    let say = |said: Said<'_>| match (said, json) {
        (Said::Console(line), true) => tell(&mut console, line),
        (Said::Console(line), false) => println!("{line}"),
        (Said::Broker(what), true) => tell(&mut console, &format!("bridge    {what}")),
        (Said::Broker(what), false) => println!("bridge    {what}"),
    };
    runtime.block_on(async {
        let board = Board { wires, flash, base: base(device) };
        board.run(command, device, broker, cut, say).await
    })
}

fn base(device: &Device) -> u32 {
    device.flash.base_address.value.map_or(0, |address| address.0)
}

struct Board<'b> {
    wires: &'b Wires,
    flash: &'b Flash,
    /// The address of the first byte of the flash.
    base: u32,
}

impl Board<'_> {
    async fn run(
        &self,
        command: Command,
        device: &Device,
        broker: &BrokerUrl,
        cut: Option<Cut>,
        say: impl FnMut(Said<'_>),
    ) -> Result<End> {
        let stopped = |why: IoError| {
            Error::new(Exit::File, format!("the emulator cannot be reached: {why}")).fix(
                "`-serial unix:{serial} -gdb unix:{debugger},server=on,wait=off -S` in its command",
            )
        };
        let eraser = eraser(&command);
        // From here on these end the emulator, not this process: the flash has to be kept.
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|why| broken(&why))?;
        let mut terminate = signal(SignalKind::terminate()).map_err(|why| broken(&why))?;
        let Sockets { serial, debugger } = &self.wires.sockets;
        let line = UnixListener::bind(serial).map_err(|why| Error::file("make", serial, why))?;
        let mut emulator = spawn(leashed(command))?;
        let bytes = fs::read(self.flash.path())
            .map_err(|error| Error::file("read", self.flash.path(), error))?;
        let (unit, word) =
            (device.flash.erase.value.0 as usize, device.flash.write.value.0 as usize);
        let mut chip = Chip::holding(bytes, unit);
        let begun = async {
            let (line, _) = line.accept().await?;
            let mut debugger = Debugger::connect(debugger).await?;
            debugger.write(self.base, chip.bytes()).await?;
            debugger.monitor("system_reset").await?;
            Ok((line, debugger))
        };
        let (line, mut debugger) = tokio::select! {
            begun = begun => begun.map_err(stopped)?,
            ended = emulator.wait() => return Ok(End::Emulator(ended.map_err(|why| broken(&why))?)),
        };
        let operated = async {
            match cut {
                None => {
                    debugger.resume().await?;
                    pending().await
                }
                Some(cut) => {
                    chip.arm(cut);
                    self.until_cut(&mut debugger, &mut chip, word, eraser).await
                }
            }
        };
        enum Over {
            Told,
            Cut,
            Emulator(ExitStatus),
        }
        let over = tokio::select! {
            _ = interrupt.recv() => Over::Told,
            _ = terminate.recv() => Over::Told,
            cut = operated => cut.map(|()| Over::Cut).map_err(stopped)?,
            ended = emulator.wait() => Over::Emulator(ended.map_err(|why| broken(&why))?),
            ended = bridge::serve(line, broker, say) => {
                ended.map_err(stopped)?;
                Over::Emulator(emulator.wait().await.map_err(|why| broken(&why))?)
            }
        };
        let end = match over {
            Over::Cut => End::Cut(chip.operations().count()),
            Over::Emulator(status) => End::Emulator(status),
            Over::Told => {
                if cut.is_none() {
                    debugger.stop().await.map_err(stopped)?;
                    let bytes = debugger.read(self.base, chip.bytes().len()).await;
                    chip = Chip::holding(bytes.map_err(stopped)?, unit);
                }
                End::Told
            }
        };
        emulator.kill().await.map_err(|why| broken(&why))?;
        let kept = fs::write(self.flash.path(), chip.bytes());
        kept.map_err(|error| Error::file("write", self.flash.path(), error))?;
        Ok(end)
    }

    /// Lets the board run, one operation of its flash after the other.
    async fn until_cut(
        &self,
        debugger: &mut Debugger,
        chip: &mut Chip,
        word: usize,
        eraser: Option<u32>,
    ) -> std::io::Result<()> {
        let Some(eraser) = eraser else {
            return Err(IoError::new(ErrorKind::Unsupported, "nobody knows what erases its flash"));
        };
        // A stop tells which watch it was, and no address: so there is one for each erase unit.
        let unit = chip.erase_unit_size();
        debugger.watch(true, eraser, 4).await?;
        for at in (0..chip.bytes().len()).step_by(unit) {
            debugger.watch(true, self.base + at as u32, unit as u32).await?;
        }
        loop {
            debugger.resume().await?;
            let Some(at) = debugger.stopped().await? else { continue };
            let (watched, part) = match at == eraser {
                true => (4, (self.base, chip.bytes().len())),
                false => (unit as u32, (at, unit)),
            };
            // It stops before the write, and would again.
            debugger.watch(false, at, watched).await?;
            debugger.step().await?;
            debugger.watch(true, at, watched).await?;
            let after = debugger.read(part.0, part.1).await?;
            if changed(chip, (part.0 - self.base) as usize, &after, word).is_none() {
                return Ok(());
            }
        }
    }
}

/// Does to the chip what was done to the flash: units that became blank were erased, words that are
/// different programmed.
fn changed(chip: &mut Chip, at: usize, after: &[u8], word: usize) -> Option<()> {
    let unit = chip.erase_unit_size();
    for (index, now) in after.chunks(unit).enumerate() {
        let at = at + index * unit;
        if chip.bytes()[at..][..unit] == *now {
            continue;
        }
        if now.iter().all(|byte| *byte == 0xff) {
            chip.write(at as u64, now)?;
            continue;
        }
        for (index, now) in now.chunks(word).enumerate() {
            chip.write((at + index * word) as u64, now)?;
        }
    }
    Some(())
}

fn eraser(command: &Command) -> Option<u32> {
    let named = |name: &str| command.get_args().any(|word| word == name);
    ERASERS.iter().find(|(name, _)| named(name)).map(|(_, register)| *register)
}

/// Apart from this process: what ends this one at a terminal must not end it before its flash is read.
fn spawn(command: Command) -> Result<Child> {
    let program = command.get_program().to_owned();
    let mut command = tokio::process::Command::from(command);
    command.process_group(0).stdin(Stdio::null());
    let child = command.kill_on_drop(true).spawn();
    child.map_err(|why| missing(&Command::new(program), &why))
}

fn broken(error: &IoError) -> Error {
    Error::new(Exit::File, format!("cannot wait: {error}"))
}
