//! An emulator as a child: its console read for machines, its power cut where that was asked for.
//!
//! For a cut this process is the flash: the emulator reaches it as a network block device, and is
//! killed at the operation that was named. What the flash holds goes back into its file, however
//! it ends.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use coreota_config::model::Device;
use coreota_emulator::{Chip, Cut, Server, leashed, resets_end_it, serve};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::console::Console;
use super::{Flash, missing};
use crate::error::{Error, Exit, Result};

/// How often it is looked whether something ended.
const LOOK: Duration = Duration::from_millis(50);

/// How a run ended.
pub(crate) enum End {
    /// The power went, after so many operations.
    Cut(u64),
    /// The emulator ended by itself, or was ended.
    Emulator(ExitStatus),
    /// It was told to end.
    Told,
}

/// Boots the board, whose power goes as `cut` says, counted over resets. `command` is given the
/// address of the flash. With `json` each line of the console is an event.
pub(crate) fn until_cut(
    flash: &Flash,
    device: &Device,
    cut: Cut,
    json: bool,
    command: impl FnOnce(&str) -> Result<Command>,
) -> Result<End> {
    let bytes = fs::read(flash.path()).map_err(|error| Error::file("read", flash.path(), error))?;
    let mut chip = Chip::holding(bytes, device.flash.erase.value.0 as usize);
    chip.arm(cut);
    let socket = std::env::temp_dir().join(format!("cargo-ota-{}.nbd", std::process::id()));
    let server = serve(chip, &socket).map_err(|error| Error::file("make", &socket, error))?;
    let address = format!("nbd+unix:///?socket={}", socket.display());
    let ended = command(&address).and_then(|command| attend(command, device, json, Some(&server)));
    // It is no more than a name.
    let _ = fs::remove_file(&socket);
    let kept = fs::write(flash.path(), server.chip().bytes());
    kept.map_err(|error| Error::file("write", flash.path(), error))?;
    ended
}

/// Boots the board, again after each reset where that ends the emulator.
pub(crate) fn attend(
    command: Command,
    device: &Device,
    json: bool,
    server: Option<&Server>,
) -> Result<End> {
    let broken = |error: std::io::Error| Error::new(Exit::File, format!("cannot wait: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(broken)?;
    let _within = runtime.enter();
    // From here on these end the emulator, not this process: the flash has to be kept.
    let mut told = signal(SignalKind::interrupt())
        .and_then(|interrupt| Ok([interrupt, signal(SignalKind::terminate())?]))
        .map_err(broken)?;
    let resets_end_it = resets_end_it(&command);
    let mut command = leashed(command);
    if json {
        command.stdout(Stdio::piped());
    }
    let start = |command: &mut Command| Emulator::start(command, device.report_every());
    let mut emulator = start(&mut command)?;
    let mut ending = false;
    loop {
        let cut = server.is_some_and(|server| server.wait_for_cut(LOOK));
        if let (true, Some(server)) = (cut, server) {
            return Ok(End::Cut(server.chip().operations().count()));
        }
        if server.is_none() {
            sleep(LOOK);
        }
        if let Some(status) = emulator.child.try_wait().map_err(broken)? {
            if !resets_end_it || ending || !status.success() {
                return Ok(End::Emulator(status));
            }
            emulator = start(&mut command)?;
        }
        if runtime.block_on(any(&mut told)) {
            ending = true;
            emulator.child.kill().map_err(broken)?;
        }
    }
}

/// Whether one of them came.
async fn any([interrupt, terminate]: &mut [Signal; 2]) -> bool {
    let came = async {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    };
    tokio::time::timeout(Duration::from_millis(1), came).await.is_ok()
}

/// Killed when dropped; what it said before is told first.
struct Emulator {
    child: Child,
    reader: Option<JoinHandle<()>>,
}

impl Emulator {
    fn start(command: &mut Command, every: u32) -> Result<Self> {
        let mut child = command.spawn().map_err(|why| missing(command, &why))?;
        let reader = child.stdout.take().map(|stdout| {
            let mut console = Console::new(every);
            spawn(move || {
                let lines = BufReader::new(stdout).lines();
                lines.map_while(|line| line.ok()).for_each(|line| tell(&mut console, &line));
            })
        });
        Ok(Emulator { child, reader })
    }
}

/// A line as an event: what it tells, or else the line.
pub(super) fn tell(console: &mut Console, line: &str) {
    let event = match console.event(line) {
        Some(event) => serde_json::to_value(&event).unwrap_or_default(),
        None => json!({ "event": "console", "line": line }),
    };
    let mut out = std::io::stdout().lock();
    // A reader that went away is none of a device's business: it goes on.
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.reader.take().map(JoinHandle::join);
    }
}
