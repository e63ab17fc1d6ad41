//! The file on disk.

use crate::diagnostic::{Errors, Report};
use crate::tree::{self, Node};
use std::path::{Path, PathBuf};

/// A file that was read, as a tree. What is wrong with its TOML is told by [`check`](fn@crate::check),
/// with everything else.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file as it is called in errors.
    pub path: String,
    pub(crate) folder: PathBuf,
    pub(crate) text: String,
    pub(crate) tree: Node,
    pub(crate) errors: Errors,
    /// How the files it names are read.
    pub(crate) read: fn(&Path) -> std::io::Result<Vec<u8>>,
}

/// Reads `file`, which errors call `name`.
///
/// # Errors
/// The file cannot be read.
pub fn load(file: &Path, name: &str) -> Result<Document, Report> {
    match std::fs::read(file).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(Document::new(name, file.parent().unwrap_or(Path::new("")), text)),
        Ok(Err(_)) => {
            let wrong = "the file is not text".to_owned();
            Err(Report::whole(name, wrong, "TOML in UTF-8"))
        }
        Err(error) => {
            let wrong = format!("the file cannot be read: {error}");
            Err(Report::whole(
                name,
                wrong,
                "`orchestrator!` looks from the folder of its crate's `Cargo.toml`",
            ))
        }
    }
}

impl Document {
    /// A document of that text, whose key files are looked for from `folder`.
    pub fn new(name: &str, folder: &Path, text: String) -> Self {
        let mut errors = Errors::default();
        let tree = tree::parse(&text, &mut errors);
        let read = |file: &Path| std::fs::read(file);
        Self { path: name.to_owned(), folder: folder.to_owned(), text, tree, errors, read }
    }

    /// The same, with its key files from elsewhere than the disk.
    pub(crate) fn reading(self, read: fn(&Path) -> std::io::Result<Vec<u8>>) -> Self {
        Self { read, ..self }
    }
}
