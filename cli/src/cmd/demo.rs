//! `cargo ota demo`: the arguments of the story in [`crate::demo`], and the folder it happens in.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use sim_device::BoardName;

use crate::demo::{self, subject::Subject};
use crate::error::{Error, Result};
use crate::out::Out;

/// Watch a device update itself: with a power cut, a tampered image, and one that does not work
///
/// Provider, broker and device are processes on this machine. By default the device's hardware is
/// simulated, everything else is what runs on a real one; with the --board of an emulated one it is
/// that board's own firmware and bootloader. Nothing is left behind.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// A simulated board (sim-mcuboot, sim-embassy), or one of the ota.toml here that has firmware
    /// and an emulator
    #[arg(long, value_name = "NAME", default_value = BoardName::SimMcuboot.name())]
    board: String,
    /// The story of a job in a format that the device does not know, and of the plugins that teach
    /// it: the format, and a protocol to fetch blocks by
    #[arg(long, conflicts_with = "board")]
    plugin: bool,
    /// Keep images, flash file and the provider's state in this new folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let board = if self.plugin { BoardName::SimPlugins.name() } else { &self.board };
        let subject = Subject::named(board, out)?;
        let folder = match &self.keep {
            Some(dir) => Folder { path: make(dir)?, kept: true },
            None => {
                let name = format!("coreota-demo-{}", std::process::id());
                Folder { path: make(&std::env::temp_dir().join(name))?, kept: false }
            }
        };
        demo::run(subject, &folder.path, folder.kept, self.plugin, out)
    }
}

/// Gone at the end, however it comes, unless kept.
struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is in the temporary folder and goes with it.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A new folder: an old one would bring an old flash and old jobs into the story.
fn make(dir: &Path) -> Result<PathBuf> {
    let made = dir.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::create_dir(dir));
    made.and_then(|()| fs::canonicalize(dir)).map_err(|error| {
        Error::file("make the folder", dir, error).fix("name a new folder in a writable one")
    })
}
