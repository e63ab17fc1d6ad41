//! An emulated board whose power goes in the middle of a flash operation.
//!
//! This process is then the flash: the emulator reaches it as a network block device, and is killed
//! at the operation that was named. What the flash holds goes back into its file, however it ends.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use coreota_config::model::Device;
use coreota_emulator::{Chip, Cut, Server, serve};
use tokio::signal::unix::{Signal, SignalKind, signal};

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
}

/// Boots the board; `command` is given the address of its flash. The power goes as `cut` says,
/// counted over resets.
pub(crate) fn boot(
    flash: &Flash,
    device: &Device,
    cut: Cut,
    command: impl FnOnce(&str) -> Result<Command>,
) -> Result<End> {
    let bytes = fs::read(flash.path()).map_err(|error| Error::file("read", flash.path(), error))?;
    let mut chip = Chip::holding(bytes, device.flash.erase.value.0 as usize);
    chip.arm(cut);
    let socket = std::env::temp_dir().join(format!("cargo-ota-{}.nbd", std::process::id()));
    let server = serve(chip, &socket).map_err(|error| Error::file("make", &socket, error))?;
    let ended = attended(&server, &socket, command);
    // It is no more than a name.
    let _ = fs::remove_file(&socket);
    let kept = fs::write(flash.path(), server.chip().bytes());
    kept.map_err(|error| Error::file("write", flash.path(), error))?;
    ended
}

fn attended(
    server: &Server,
    socket: &Path,
    command: impl FnOnce(&str) -> Result<Command>,
) -> Result<End> {
    let mut command = command(&format!("nbd+unix:///?socket={}", socket.display()))?;
    let broken = |error: std::io::Error| Error::new(Exit::File, format!("cannot wait: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(broken)?;
    let _within = runtime.enter();
    // From here on these end the emulator, not this process: the flash has to be kept.
    let mut told = signal(SignalKind::interrupt())
        .and_then(|interrupt| Ok([interrupt, signal(SignalKind::terminate())?]))
        .map_err(broken)?;
    let mut emulator = Emulator(command.spawn().map_err(|why| missing(&command, &why))?);
    loop {
        if server.wait_for_cut(LOOK) {
            return Ok(End::Cut(server.chip().operations().count()));
        }
        if let Some(status) = emulator.0.try_wait().map_err(broken)? {
            return Ok(End::Emulator(status));
        }
        if runtime.block_on(any(&mut told)) {
            emulator.0.kill().map_err(broken)?;
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

/// Killed when dropped.
struct Emulator(Child);

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
