//! `cargo ota inspect`: what is in an image or a job document, and would a board take it.

mod document;
mod image;
mod plugin;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use coreota::error::Failure;
use coreota::image::PluginFile;
use coreota::orchestrator::plan;
use coreota::parser::Parse;
use coreota::verify::Claim;
use coreota::version::Version;
use serde_json::json;

use super::sign::version;
use crate::board::{self, Board, Format};
use crate::error::{Error, Exit, Result};
use crate::keys::{self, PublicKey};
use crate::ota_toml;
use crate::out::Out;

/// Whom a file is no good for, where no board is asked about.
const EVERYONE: &str = "every device";

/// Show what is in an image, a plugin or a job document, and whether a board would take it
///
/// With --board the file is judged by the code that runs on the device, with the rules of that
/// board; exit code 1 if it would be refused.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// An MCUboot image, an image with a trailer, a signed plugin, or a job document (JSON)
    file: PathBuf,
    /// Judge for this board of ota.toml
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Where the board is declared
    #[arg(long, value_name = "FILE", default_value = "ota.toml")]
    config: PathBuf,
    /// Public keys to look for in signatures, in PEM
    #[arg(long, value_name = "PEM")]
    key: Vec<PathBuf>,
    /// The job document that comes with the image: its digest and signature count too
    #[arg(long, value_name = "FILE", requires = "board")]
    job: Option<PathBuf>,
    /// Version that runs on the device [default: any]
    #[arg(long, value_name = "1.2.3+4", value_parser = version, requires = "board")]
    running: Option<Version>,
    /// Security counter of what runs on the device [default: that of ota.toml]
    #[arg(long, value_name = "N", requires = "board")]
    counter: Option<u32>,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let file = read(&self.file)?;
        let mut board = self.board.as_deref().map(|name| self.board(name, out)).transpose()?;
        let mut known: Vec<PublicKey> =
            self.key.iter().map(|path| keys::public(path)).collect::<Result<_>>()?;
        let rules = board
            .iter()
            .flat_map(|board| [Some(&board.rules), board.plugins.as_ref().map(|room| &room.rules)]);
        known.extend(rules.flatten().flat_map(|rules| rules.keys).map(PublicKey::from));
        let mut over = match self.running {
            Some(_) => "",
            None => " (--running VERSION tells whether it is newer)",
        };

        if is_document(&file) {
            self.document(&file, board.as_mut(), out)?;
        } else if let Some(plugin) = PluginFile::read(&file) {
            let shown = plugin::show(&self.file, &file, &plugin, &known, out);
            match &board {
                None => shown.map_err(|why| self.refused(EVERYONE, why))?,
                Some(board) => {
                    let room = board.plugins.as_ref().ok_or(Failure::NoPlugin);
                    let judged = room.and_then(|room| room.judge(&file));
                    judged.map_err(|why| self.refused(board.rules.board, why))?;
                    over = " where its slot has none as new";
                }
            }
        } else {
            self.image(&file, board.as_mut(), &known, out)?;
        }
        let Some(board) = board else { return Ok(()) };
        let name = board.rules.board;
        let line = format!("{name} would take it{over}");
        out.event("verdict", &json!({ "board": name, "takes": true }), line);
        Ok(())
    }

    fn board(&self, name: &str, out: &Out) -> Result<Board> {
        let mut board = Board::named(&ota_toml::read(&self.config, out)?, name)?;
        match self.running {
            Some(running) => board.rules.running = running,
            None => board.rules.older_allowed = true,
        }
        board.rules.counter = self.counter.unwrap_or(board.rules.counter);
        Ok(board)
    }

    /// Shows a job document, and judges it.
    fn document(&self, file: &[u8], board: Option<&mut Board>, out: &Out) -> Result<()> {
        let mut default = board::default_parsers();
        let (parsers, judge) = match board {
            Some(board) => (&mut board.parsers, Some((board.rules, board.capacity, board.block))),
            None => (&mut default, None),
        };
        let mut declined = Vec::new();
        let (parser, parse) = board::parse(parsers, file, &mut declined);
        document::show(&self.file, file, parser, &parse, &declined, out);
        match (parse, judge) {
            (Parse::NotMine(why) | Parse::Malformed(why), None) => Err(self.refused(EVERYONE, why)),
            (Parse::NotMine(why) | Parse::Malformed(why), Some((rules, ..))) => {
                Err(self.refused(rules.board, why))
            }
            (Parse::Descriptor(_), None) => Ok(()),
            (Parse::Descriptor(descriptor), Some((rules, capacity, block))) => {
                let planned = plan(&descriptor, &rules, capacity, block);
                planned.map(drop).map_err(|why| self.refused(rules.board, why))
            }
        }
    }

    /// Shows an image, and judges it.
    fn image(
        &self,
        file: &[u8],
        board: Option<&mut Board>,
        known: &[PublicKey],
        out: &Out,
    ) -> Result<()> {
        let Some(format) = format_of(file).or(board.as_ref().map(|board| board.format)) else {
            return Err(Error::file(
                "inspect",
                &self.file,
                "it is no MCUboot image, has no trailer, and is no job document",
            )
            .fix("`cargo ota sign` makes images of raw binaries"));
        };
        let image = image::look(format, file, known);
        image.show(&self.file, out);
        let Some(board) = board else {
            return image.wrong().map_or(Ok(()), |why| Err(self.refused(EVERYONE, why)));
        };
        let claim = self.claim(file, board)?;
        board.verify(&claim, file).map(drop).map_err(|why| {
            let refused = self.refused(board.rules.board, why);
            match format == board.format {
                true => refused,
                false => refused
                    .fix(format!("its bootloader takes images of format {}", board.format.word())),
            }
        })
    }

    /// What the job promises of the image; without a job, its size.
    fn claim(&self, file: &[u8], board: &mut Board) -> Result<Claim> {
        let size = u32::try_from(file.len()).unwrap_or(u32::MAX);
        let Some(path) = &self.job else {
            return Ok(Claim::image(size));
        };
        let document = read(path)?;
        let rules = board.rules;
        let claim = match board::parse(&mut board.parsers, &document, &mut Vec::new()).1 {
            Parse::Descriptor(descriptor) => {
                plan(&descriptor, &rules, board.capacity, board.block).map(|plan| plan.claim)
            }
            Parse::NotMine(why) | Parse::Malformed(why) => Err(why),
        };
        match claim {
            Ok(claim) if claim.size == size => Ok(claim),
            Ok(claim) => Err(Error::file("use", path, format!("it is for {} bytes", claim.size))
                .fix(format!("give the job of {}", self.file.display()))),
            Err(why) => Err(Error::file("use", path, why.text())
                .fix("`cargo ota inspect` it by itself to see more")),
        }
    }

    fn refused(&self, who: &str, why: Failure) -> Error {
        let what = format!(
            "{who} would refuse {}: {} ({:#06x})",
            self.file.display(),
            why.text(),
            why.code(),
        );
        Error::new(Exit::No, what)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Error::file("read", path, error).fix("check the path"))
}

/// JSON begins with a brace; no image does that we know.
fn is_document(file: &[u8]) -> bool {
    file.trim_ascii_start().starts_with(b"{")
}

/// By the magic numbers at either end.
fn format_of(file: &[u8]) -> Option<Format> {
    if file.starts_with(&coreota::image::MCUBOOT_MAGIC) {
        Some(Format::Mcuboot)
    } else if file.ends_with(&coreota::image::TRAILER_MAGIC) {
        Some(Format::Trailer)
    } else {
        None
    }
}
