//! The device of the story: a simulated one, or a board's real firmware in its emulator.

use std::path::{Path, PathBuf};

use coreota_config::Model;
use coreota_config::model::Device;
use sim_device::{Behaviour, BoardName, payload};

use coreota::Version;

use super::process::{Process, run};
use super::show::Show;
use super::story::{KEY, THING};
use crate::build::{DEFAULT_OUT, Folder};
use crate::emulator;
use crate::error::{Error, Exit, Result};
use crate::ota_toml;
use crate::out::Out;
use crate::provisioning::Broker;

/// Bytes of each firmware of a simulated device.
const PAYLOAD: usize = 120_000;
/// Where certificates are, for a board that speaks TLS.
pub(super) const PKI: &str = "pki";

/// What updates itself.
pub(crate) enum Subject {
    /// Its flash is a file, its bootloader simulated.
    Simulated(BoardName),
    /// All of it is real, but for the board.
    Emulated(Box<Emulated>),
}

/// A board with firmware and an emulator, as `ota.toml` declares it.
pub(crate) struct Emulated {
    device: Device,
    /// The file, from anywhere.
    config: PathBuf,
    /// Where cargo works: builds of before are used.
    target_dir: PathBuf,
}

impl Subject {
    /// The board of that name: simulated, or in the `ota.toml` here.
    pub(crate) fn named(name: &str, out: &Out) -> Result<Self> {
        let simulated = [BoardName::SimMcuboot, BoardName::SimEmbassy, BoardName::SimPlugins];
        if let Some(board) = simulated.into_iter().find(|board| board.name() == name) {
            return Ok(Subject::Simulated(board));
        }
        let config = std::path::absolute("ota.toml")
            .map_err(|error| Error::file("find", Path::new("ota.toml"), error))?;
        let model = match config.is_file() {
            true => Some(ota_toml::read(&config, out)?),
            false => None,
        };
        let boards = model.iter().flat_map(|model: &Model| &model.boards);
        let bootable = |device: &&Device| device.firmware.is_some() && device.emulator.is_some();
        let emulated: Vec<&Device> = boards.filter(bootable).collect();
        let Some(device) = emulated.iter().find(|device| device.name.value == name) else {
            let simulated = simulated.iter().map(|board| board.name());
            let emulated = emulated.iter().map(|device| device.name.value.as_str());
            let names: Vec<&str> = simulated.chain(emulated).collect();
            let what = format!("there is no board `{name}` that the demo could run");
            return Err(Error::new(Exit::File, what).fix(format!(
                "give one of: {}; emulated boards are in the ota.toml here",
                names.join(", ")
            )));
        };
        let target_dir = std::path::absolute(Path::new(DEFAULT_OUT).join(".cargo"))
            .map_err(|error| Error::file("find", Path::new(DEFAULT_OUT), error))?;
        Ok(Subject::Emulated(Box::new(Emulated { device: (*device).clone(), config, target_dir })))
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Subject::Simulated(board) => board.name(),
            Subject::Emulated(board) => &board.device.name.value,
        }
    }

    /// Whether it speaks TLS.
    pub(super) fn speaks_tls(&self) -> bool {
        matches!(self, Subject::Emulated(board) if board.device.tls)
    }

    /// What is real of it.
    pub(super) fn tells(&self, show: &Show<'_>) {
        show.tells(
            "Notify -> Download -> Verify -> Install; everything is what a real device runs,",
        );
        match self {
            Subject::Simulated(_) => {
                show.tells(
                    "but for the flash, which is a file, and the bootloader, which is simulated.",
                );
            }
            Subject::Emulated(_) => {
                show.tells(
                    "firmware and bootloader are those of the board; only the board is emulated.",
                );
            }
        }
    }

    /// Flash operations until half of an image is downloaded: erases, blocks, and their marks.
    pub(super) fn half(&self, image: u32) -> u64 {
        match self {
            Subject::Simulated(board) => board.download_operations(image / 2),
            Subject::Emulated(board) => {
                let block = board.device.stream.block_size.value.0;
                let page = emulator::page(&board.device);
                let (blocks, pages) = ((image / 2).div_ceil(block), block.div_ceil(page));
                let erases = (image / 2).div_ceil(board.device.flash.erase.value.0);
                u64::from(blocks) * u64::from(pages + 1) + u64::from(erases)
            }
        }
    }

    /// Makes a signed image of that version in `dir`; gives its name there.
    pub(super) fn image(
        &self,
        dir: &Path,
        show: &Show<'_>,
        major: u8,
        behaviour: Behaviour,
        shown: bool,
    ) -> Result<String> {
        let version = format!("{major}.0.0");
        let command = |args: &[&str]| {
            if shown {
                show.command(args)
            }
        };
        match self {
            Subject::Simulated(board) => {
                let (raw, image) = (format!("v{major}.bin"), format!("v{major}.img"));
                let write = |name: &str, bytes: &[u8]| {
                    let path = dir.join(name);
                    std::fs::write(&path, bytes).map_err(|error| Error::file("write", &path, error))
                };
                write("demo.key.pem", KEY.as_bytes())?;
                write(&raw, &payload(Version::new(major, 0, 0), behaviour, PAYLOAD))?;
                let format = match board {
                    BoardName::SimMcuboot => "mcuboot",
                    BoardName::SimEmbassy | BoardName::SimPlugins => "trailer",
                };
                let sign = ["sign", &raw, &image, "--board", board.name(), "--format", format];
                let sign = [&sign[..], &["--version", &version, "--key", "demo.key.pem"]].concat();
                command(&sign);
                run(dir, &sign)?;
                Ok(image)
            }
            Subject::Emulated(board) => {
                let out = format!("v{major}");
                let mut build = vec!["build", "--board", self.name(), "--version", &version];
                if behaviour == Behaviour::FailsSelfTest {
                    build.extend(["--features", "fails-self-test"]);
                }
                build.extend(["--out", &out]);
                command(&build);
                let (config, target) = (text(&board.config)?, text(&board.target_dir)?);
                build.extend(["--config", config, "--target-dir", target]);
                run(dir, &build)?;
                let image = Folder::of(Path::new(&out), self.name()).update();
                Ok(text(&image)?.to_owned())
            }
        }
    }

    /// Switches it on; `first` where its flash is still as it leaves the factory.
    pub(super) fn start(
        &self,
        dir: &Path,
        show: &Show<'_>,
        broker: &str,
        first: bool,
        cut_after: Option<u64>,
    ) -> Result<Process> {
        let name = self.name();
        let cut = cut_after.map(|after| after.to_string());
        let mut more: Vec<&str> = Vec::new();
        if let Some(cut) = &cut {
            more.extend(["--cut-after", cut]);
        }
        match self {
            Subject::Simulated(_) => {
                let mut args = vec!["sim-device", "--thing", THING, "--board", name];
                args.extend(["--flash", "flash.nor"]);
                if first {
                    args.extend(["--provision", "v1.img"]);
                }
                args.extend(more);
                args.extend(["--broker", broker]);
                show.command(&args);
                Process::start("device", dir, &args)
            }
            Subject::Emulated(board) => {
                // This machine, as the emulator's network has it, or the bridge.
                let port = broker.rsplit(':').next().and_then(|port| port.parse().ok());
                let broker = Broker::here(&board.device, port).to_string();
                let mut args = vec!["run", "--board", name, "--out", "v1", "--thing", THING];
                args.extend(["--broker", &broker]);
                if board.device.tls {
                    args.extend(["--pki", PKI]);
                }
                args.extend(more);
                show.command(&args);
                args.extend(["--config", text(&board.config)?]);
                Process::start("board", dir, &args)
            }
        }
    }
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::file("use", path, "its name is not text"))
}
