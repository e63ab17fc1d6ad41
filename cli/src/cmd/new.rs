//! `cargo ota new`: a project of the user's own.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use coreota::descriptor::Algorithm;
use serde_json::json;

use super::keygen;
use crate::error::{Error, Exit, Result};
use crate::out::Out;
use crate::project::{Board, Source, boards, files};

/// Begin a project: firmware and bootloader of a board, its ota.toml and a key of its own
///
/// It is one of the example boards, and builds and runs as it is: change it into yours.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Its name, and that of its new folder: 1 to 32 small letters, digits, `-` and `_`, a letter first
    #[arg(value_parser = name)]
    name: String,
    /// The board it begins with, as emcraft-sf2; a wrong name lists them all
    #[arg(long, value_name = "BOARD")]
    board: String,
    /// Folder of coreota's sources [default: those this tool was built from, else the published
    /// crates]
    #[arg(long, value_name = "DIR")]
    coreota: Option<PathBuf>,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let folder = Path::new(&self.name);
        if folder.exists() {
            return Err(Error::file("make", folder, "it is there already")
                .fix("give another name, or start in another folder"));
        }
        let board = self.board()?;
        let source = Source::find(self.coreota.as_deref())?;
        let files = files(&self.name, &board, &source)?;
        // Whole or not at all: it gets its name last.
        let unfinished =
            Unfinished(PathBuf::from(format!(".{}-{}", self.name, std::process::id())));
        for (file, text) in &files {
            unfinished.write(file, text)?;
        }
        let keys = unfinished.0.join("keys");
        fs::create_dir_all(&keys).map_err(|why| Error::file("make", &keys, why))?;
        keygen::make(&keys.join("release"), Algorithm::EcdsaP256)?;
        fs::rename(&unfinished.0, folder).map_err(|why| Error::file("make", folder, why))?;
        let names: Vec<&str> = files.iter().map(|(file, _)| file.as_str()).collect();
        let name = &self.name;
        let line = format!(
            "{name}/  firmware and bootloader for {}, in {} files\n\
             {name}/keys/release.pem  signs its images: keep it secret, keep a copy\n\
             Next: cd {name} && cargo ota build && {}cargo ota run",
            board.name,
            names.len(),
            if board.speaks_tls() { "cargo ota pki --thing board-1 && " } else { "" },
        );
        let fields = json!({ "folder": name, "board": board.name, "files": names });
        out.event("new", &fields, line);
        Ok(())
    }

    fn board(&self) -> Result<Board> {
        let boards = boards();
        let names: Vec<_> = boards.iter().map(|board| board.name).collect();
        let listed = format!("--board with one of: {}", names.join(", "));
        boards.into_iter().find(|board| board.name == self.board).ok_or_else(|| {
            Error::new(Exit::File, format!("no project can be begun for a board `{}`", self.board))
                .fix(listed)
        })
    }
}

/// A folder that is gone again, unless it got its name.
struct Unfinished(PathBuf);

impl Unfinished {
    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.0.join(file);
        let parent = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, text)).map_err(|why| {
            Error::file("write", &path, why).fix("start in a folder that can be written to")
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn name(text: &str) -> std::result::Result<String, String> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    match text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 32
        && text.chars().all(known)
    {
        true => Ok(text.to_owned()),
        false => {
            Err("a name has 1 to 32 small letters, digits, `-` and `_`, a letter first".into())
        }
    }
}
