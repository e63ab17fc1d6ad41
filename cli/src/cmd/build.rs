//! `cargo ota build`: every image of a board, in one folder.

use std::path::{Path, PathBuf};

use clap::Args;
use coreota::version::Version;
use coreota_config::Model;
use coreota_config::model::Device;
use serde_json::json;

use crate::board::spelt;
use crate::build::{Built, DEFAULT_OUT, Order};
use crate::error::{Error, Exit, Result};
use crate::ota_toml;
use crate::out::Out;
use crate::store::hex;

/// The heaviest parts that are shown; sizes.json has all.
const PARTS: usize = 8;

/// Build the images of a board: firmware and bootloader, signed, with what they weigh
///
/// For each board that names its `firmware` in ota.toml, a folder with: factory.bin (the flash as
/// it leaves the factory), update.img (the signed image), update.json and job.json (what it is, and
/// a job document), firmware.bin and bootloader.bin (not signed), the linked programs, sizes.json.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The board; not needed where only one has a firmware
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    board: Option<String>,
    /// Every board that has a firmware
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    how: How,
}

/// How firmware is built, here and where another command needs it.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Where the boards are declared
    #[arg(long, value_name = "FILE", default_value = "ota.toml")]
    pub(super) config: PathBuf,
    /// Where the folders of the boards are
    #[arg(long, value_name = "DIR", default_value = DEFAULT_OUT)]
    pub(super) out: PathBuf,
    /// Where cargo works [default: .cargo in --out]
    #[arg(long, value_name = "DIR")]
    target_dir: Option<PathBuf>,
    /// Version to build [default: that of the firmware's package, or of ota.toml]
    #[arg(long = "version", value_name = "1.2.3+4", value_parser = super::sign::version)]
    version: Option<Version>,
    /// Features of the firmware's package
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    features: Vec<String>,
    /// Private key to sign with, in PEM; several for several signatures [default: those that lie
    /// beside the public keys]
    #[arg(long, value_name = "PEM")]
    key: Vec<PathBuf>,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let model = ota_toml::read(&self.how.config, out)?;
        let devices = match self.all {
            true => model.boards.iter().filter(|device| device.firmware.is_some()).collect(),
            false => vec![choose(&model, self.board.as_deref())?],
        };
        for device in devices {
            self.how.build(&model, device, out)?;
        }
        Ok(())
    }
}

impl How {
    /// Builds the images of one board, and says so.
    pub(super) fn build(&self, model: &Model, device: &Device, out: &Out) -> Result<Built> {
        let root = self.config.parent().unwrap_or(Path::new(""));
        let (version, features, keys) = (self.version, &self.features, &self.key);
        let target_dir = self.target_dir.clone().unwrap_or_else(|| self.out.join(".cargo"));
        let (folder, target_dir) = (&self.out, &target_dir);
        let order = Order { model, device, root, out: folder, target_dir, version, features, keys };
        let built = order.build(out)?;
        let (name, version) = (&device.name.value, spelt(built.version));
        let sha256 = hex(&coreota::verify::Hash::of(&built.image));
        let weights = &built.weights;
        let fields = json!({
            "board": name, "version": version, "folder": built.folder.path(),
            "image": built.folder.update(), "size": built.image.len(), "sha256": sha256,
            "flash": weights.flash, "slot": weights.slot,
            "variables": weights.variables, "ram": weights.ram,
        });
        let mut lines = vec![format!(
            "{name} v{version}: {}, {} bytes, sha256 {sha256}",
            built.folder.path().display(),
            built.image.len(),
        )];
        lines.extend(weights.lines(PARTS));
        out.event("built", &fields, lines.join("\n"));
        Ok(built)
    }
}

/// The board of that name, or the only one with a firmware.
pub(super) fn choose<'m>(model: &'m Model, name: Option<&str>) -> Result<&'m Device> {
    let with: Vec<_> = model.boards.iter().filter(|device| device.firmware.is_some()).collect();
    let found = match name {
        Some(name) => model.device(name),
        None if with.len() == 1 => with.first().copied(),
        None => None,
    };
    found.ok_or_else(|| {
        let what = match name {
            Some(name) => format!("{} declares no board `{name}`", model.path),
            None => format!("{} boards of {} have a firmware", with.len(), model.path),
        };
        let names: Vec<_> = with.iter().map(|device| device.name.value.as_str()).collect();
        Error::new(Exit::File, what).fix(format!("--board with one of: {}", names.join(", ")))
    })
}
