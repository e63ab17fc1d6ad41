//! The images of a board: compiled, linked, signed, laid out for its flash, and weighed.
//!
//! ```text
//! ota.toml ─ compile ─► firmware, bootloader ─ flat ─► payload ─ sign ─► update image ─► factory image
//!                              └─ weigh ─► what each part takes            └─► manifest, job document
//! ```
//! Everything ends up in one folder for each board, [`Folder`].

mod compile;
mod flat;
mod papers;
mod weigh;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use coreota::image::{About, Signer};
use coreota::version::Version;
use coreota_config::Model;
use coreota_config::memory::Program;
use coreota_config::model::Device;
use coreota_config::values::{Region, Sourced};

use crate::board::Board;
use crate::error::{Error, Exit, Result};
use crate::keys;
use crate::out::Out;

pub(crate) use weigh::Weights;

/// Where builds go when nothing else is said.
pub(crate) const DEFAULT_OUT: &str = "target/ota";

/// What is built, and how.
pub(crate) struct Order<'a> {
    pub(crate) model: &'a Model,
    pub(crate) device: &'a Device,
    /// The folder that paths in ota.toml start from.
    pub(crate) root: &'a Path,
    /// Where the folders of the boards are.
    pub(crate) out: &'a Path,
    /// Where cargo works, with a folder for each board.
    pub(crate) target_dir: &'a Path,
    pub(crate) version: Option<Version>,
    /// Of the firmware's package.
    pub(crate) features: &'a [String],
    /// None: those beside the public keys that the board trusts.
    pub(crate) keys: &'a [PathBuf],
}

/// What a build leaves: the files of one board.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder of that board.
    pub(crate) fn of(out: &Path, board: &str) -> Self {
        Folder(out.join(board))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The linked program, for emulators and debuggers.
    pub(crate) fn elf(&self, program: Program) -> PathBuf {
        self.0.join(format!("{}.elf", program.word()))
    }

    /// The flash as it leaves the factory, from its first byte on.
    pub(crate) fn factory(&self) -> PathBuf {
        self.0.join("factory.bin")
    }

    /// The signed image, as it is published.
    pub(crate) fn update(&self) -> PathBuf {
        self.0.join("update.img")
    }

    /// Whether the images are of that board, by their manifest.
    pub(crate) fn is_of(&self, board: &str) -> Result<()> {
        // A folder without one was not made here: its images are tried as they are.
        let Ok(text) = fs::read(self.0.join("update.json")) else { return Ok(()) };
        let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        let Some(other) = manifest["board"].as_str().filter(|other| *other != board) else {
            return Ok(());
        };
        let folder = self.0.display();
        let what = format!("{folder} has images of board `{other}`, not of `{board}`");
        Err(Error::new(Exit::File, what).fix(format!(
            "`cargo ota build --board {board}` makes them anew, or name another folder with --out"
        )))
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.0.join(name);
        fs::write(&path, bytes).map_err(|error| Error::file("write", &path, error))
    }
}

/// What was built.
pub(crate) struct Built {
    pub(crate) folder: Folder,
    pub(crate) version: Version,
    pub(crate) image: Vec<u8>,
    pub(crate) weights: Weights,
}

impl Order<'_> {
    pub(crate) fn name(&self) -> &str {
        &self.device.name.value
    }

    /// The folder of the firmware's package.
    fn package(&self) -> Result<PathBuf> {
        let Some(folder) = &self.device.firmware else {
            let what = format!("board `{}` has no firmware to build", self.name());
            return Err(Error::new(Exit::File, what).fix(format!(
                "name the folder of its package: `firmware = \"…\"` in [board.{}]",
                self.name()
            )));
        };
        Ok(self.root.join(&folder.value))
    }

    /// Builds it all.
    ///
    /// # Errors
    /// What is missing, does not compile, does not fit, or would be refused by the board.
    pub(crate) fn build(&self, out: &Out) -> Result<Built> {
        let board = Board::named(self.model, self.name())?;
        // Before anything is compiled: whether it can be signed at all.
        let signers = self.signers()?;
        let package = self.package()?;
        let version = self.version(&package)?;
        let about = About {
            version,
            board: Some(self.name()),
            counter: Some(board.rules.counter).filter(|counter| *counter > 0),
        };
        // A key that the board does not trust is as wrong on an empty image, and told before the wait.
        sealed(&board, &[0; 64], &about, &signers, &package)?;
        // Until the programs are read: another build would put others in their place.
        let _alone = self.alone()?;
        let programs = compile::compile(self, &package, out)?;
        let folder = Folder::of(self.out, self.name());
        fs::create_dir_all(folder.path())
            .map_err(|error| Error::file("make the folder", folder.path(), error))?;

        let link = self.device.link.ok_or_else(|| self.unlinked())?;
        let payload = flat::read(&programs.firmware, link.firmware)?;
        let image = sealed(&board, &payload, &about, &signers, &programs.firmware)?;
        let weights = Weights::of(&programs.firmware, payload.len() as u64, self.device)?;
        let mut parts = vec![(self.device.layout.primary.start, image.as_slice())];
        let bootloader = match (&programs.bootloader, link.bootloader) {
            (Some(elf), Some(place)) => Some(flat::read(elf, place)?),
            _ => None,
        };
        // A bootloader in a memory of its own does not go into this flash.
        if let (Some(bytes), Some(place)) = (&bootloader, self.device.partitions.bootloader.value) {
            parts.push((place.start, bytes));
        }
        folder.write("factory.bin", &factory(&parts))?;
        folder.write("update.img", &image)?;
        folder.write("firmware.bin", &payload)?;
        if let Some(bytes) = &bootloader {
            folder.write("bootloader.bin", bytes)?;
        }
        copy(&programs.firmware, &folder.elf(Program::Firmware))?;
        if let Some(elf) = &programs.bootloader {
            copy(elf, &folder.elf(Program::Bootloader))?;
        }
        papers::write(self, &folder, version, &image, &signers)?;
        folder.write("sizes.json", weights.json().as_bytes())?;
        weights.check(self)?;
        Ok(Built { folder, version, image, weights })
    }

    /// Holds the board's target directory against other builds, until it is dropped.
    fn alone(&self) -> Result<File> {
        let path = self.target_dir.join(format!("{}.lock", self.name()));
        let lock = || {
            fs::create_dir_all(self.target_dir)?;
            let file = File::create(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|error: std::io::Error| Error::file("lock", &path, error))
    }

    fn unlinked(&self) -> Error {
        let name = self.name();
        Error::new(Exit::File, format!("nothing says where the RAM of board `{name}` is"))
            .fix(format!("describe its memories in [board.{name}.memory]"))
    }

    fn signers(&self) -> Result<Vec<Signer>> {
        if !self.keys.is_empty() {
            return self.keys.iter().map(|path| keys::private(path)).collect();
        }
        let signers = keys::beside(self.root, &self.device.keys);
        match signers.is_empty() {
            false => Ok(signers),
            true => {
                let ids: Vec<_> =
                    self.device.keys.iter().map(|key| key.id.value.as_str()).collect();
                let what =
                    format!("no private key of {} lies beside its public one", ids.join(", "));
                Err(Error::new(Exit::File, what).fix("give one: --key PEM"))
            }
        }
    }

    /// What the command line says, or the file, or the package.
    fn version(&self, package: &Path) -> Result<Version> {
        let written = match (&self.version, &self.model.product.version.value) {
            (Some(version), _) => return Ok(*version),
            (None, Sourced::Literal(literal)) => literal.0.clone(),
            (None, Sourced::From(_)) => compile::version(package)?,
        };
        Version::parse(&written).map_err(|_| {
            Error::file("build", package, format!("its version `{written}` is none of ours"))
                .fix("major.minor.revision, each a number; or give --version 1.2.3")
        })
    }
}

/// A signed image that its board would take; an older one too, for the one that is built is the first.
fn sealed(
    board: &Board,
    payload: &[u8],
    about: &About<'_>,
    signers: &[Signer],
    of: &Path,
) -> Result<Vec<u8>> {
    let image = board.format.image(payload, about, board.header, signers);
    let image = image.map_err(|why| Error::file("sign", of, why.text()))?;
    if image.len() > board.capacity as usize {
        let what = format!("the image has {} bytes, its slot {}", image.len(), board.capacity);
        return Err(Error::new(Exit::No, what).fix("make the firmware smaller, or its slot larger"));
    }
    board.judge_any_version(&image)?;
    Ok(image)
}

/// Parts at their places, what is between them erased.
fn factory(parts: &[(u32, &[u8])]) -> Vec<u8> {
    let end = parts.iter().map(|(at, bytes)| *at as usize + bytes.len()).max().unwrap_or(0);
    let mut flash = vec![0xff; end];
    for (at, bytes) in parts {
        flash[*at as usize..][..bytes.len()].copy_from_slice(bytes);
    }
    flash
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).map_err(|error| Error::file("write", to, error))
}

/// `0x2000_0000 + 64 KiB`
fn spelt(region: Region) -> String {
    format!("{:#x} + {}", region.start, coreota_config::values::size(region.len))
}
