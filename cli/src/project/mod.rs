//! A project of the user's own, made of an example board: the same files, with other paths and names.
//!
//! There is no second copy of a board that could fall behind: what is in [`examples`] is what this
//! repository builds and tests, and its boards are cut out of the sample `ota.toml`.

mod examples;

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Exit, Result};
use examples::{EXAMPLES, Example, OTA_TOML};

/// The names in the templates.
const NAME: &str = "my-project";
const BOARD: &str = "my-board";

/// Lines of a board in the sample that only tell it from other boards there.
const APART: &[&str] = &["plugins = ", "parsers = "];

/// How the template has a provider started, and how it is for a board that speaks TLS.
const IN_THE_CLEAR: &str =
    "cargo ota serve --listen 0.0.0.0:1883     # in another terminal: a provider to try with\n";
const OVER_TLS: &str = "\
cargo ota pki --thing board-1             # certificates to try with: .ota/pki
cargo ota serve --tls                     # in another terminal: a provider to try with
";

macro_rules! template {
    ($file:literal) => {
        include_str!(concat!("../../templates/project/", $file))
    };
}

/// A board that projects can be made for.
pub(crate) struct Board {
    pub(crate) name: &'static str,
    /// Its tables in the sample, comments and all.
    tables: String,
    example: &'static Example,
}

impl Board {
    /// Whether it is told certificates.
    pub(crate) fn speaks_tls(&self) -> bool {
        self.tables.lines().any(|line| line.starts_with("tls = true"))
    }
}

/// All of them: those of the sample whose firmware is an example's.
pub(crate) fn boards() -> Vec<Board> {
    let header = |line: &'static str| line.strip_prefix("[board.")?.strip_suffix(']');
    let names = OTA_TOML.lines().filter_map(header).filter(|name| !name.contains('.'));
    let board = |name: &'static str| {
        let tables = tables(name);
        let firmware = tables.lines().find_map(|line| line.strip_prefix("firmware = \""))?;
        let (folder, _) = firmware.split_once('"')?;
        let example = EXAMPLES.iter().find(|example| example.folder == folder)?;
        Some(Board { name, tables, example })
    };
    names.filter_map(board).collect()
}

/// The paragraphs of the sample with tables of that board.
fn tables(name: &str) -> String {
    let is_of = |line: &str| {
        let rest = line.strip_prefix("[board.").and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with([']', '.']))
    };
    let paragraphs = OTA_TOML.split("\n\n").filter(|text| text.lines().any(is_of));
    paragraphs.map(str::trim).collect::<Vec<_>>().join("\n\n")
}

/// Where coreota's crates come from.
pub(crate) enum Source {
    /// A folder with its sources.
    Folder(PathBuf),
    /// The registry.
    Published,
}

impl Source {
    /// The folder that is named, else the one that this tool was built from, else the registry.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self> {
        let is_it = |folder: &Path| folder.join("runtime/Cargo.toml").is_file();
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        match named {
            Some(folder) if !is_it(folder) => {
                Err(Error::file("use", folder, "it has no folder `runtime` with a crate")
                    .fix("give the folder of coreota's sources with --coreota"))
            }
            Some(folder) => Source::absolute(folder),
            None if is_it(&built_from) => Source::absolute(&built_from),
            None => Ok(Source::Published),
        }
    }

    fn absolute(folder: &Path) -> Result<Self> {
        let folder = fs::canonicalize(folder);
        folder.map(Source::Folder).map_err(|why| Error::file("find", Path::new("coreota"), why))
    }

    /// What stands in a manifest for a crate in that folder.
    fn place(&self, folder: &str) -> String {
        match self {
            Source::Folder(top) => format!("path = {:?}", top.join(folder).display().to_string()),
            Source::Published => format!("version = {:?}", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// The files of a project of that name, but for its keys.
pub(crate) fn files(name: &str, board: &Board, source: &Source) -> Result<Vec<(String, String)>> {
    let mut files = vec![
        ("ota.toml".to_owned(), ota_toml(name, board)),
        (".gitignore".to_owned(), template!("gitignore").to_owned()),
        ("README.md".to_owned(), readme(name, board)),
    ];
    let package = board.example.folder.trim_start_matches("examples/");
    for (file, text) in board.example.files {
        let text = match *file {
            "Cargo.toml" => manifest(text, name, board, source),
            // Pinned as the example is; those of coreota itself are where the manifest says.
            "Cargo.lock" => match source {
                Source::Published => continue,
                Source::Folder(_) => lock(text, package, name)?,
            },
            ".cargo/config.toml" => {
                let of = |board: &str| format!("COREOTA_BOARD = \"{board}\"");
                text.replace(&of(package), &of(board.name))
            }
            _ => text.replace("../../ota.toml", "ota.toml"),
        };
        files.push(((*file).to_owned(), text));
    }
    Ok(files)
}

fn readme(name: &str, board: &Board) -> String {
    let text = template!("README.md").replace(NAME, name).replace(BOARD, board.name);
    match board.speaks_tls() {
        true => text.replace(IN_THE_CLEAR, OVER_TLS),
        false => text,
    }
}

fn ota_toml(name: &str, board: &Board) -> String {
    let kept = board.tables.lines().filter(|line| APART.iter().all(|key| !line.starts_with(key)));
    let lines = kept.map(|line| match line.strip_prefix("firmware = ") {
        Some(_) => "firmware = \".\"                            # this package",
        None => line,
    });
    let tables = lines.collect::<Vec<_>>().join("\n");
    format!("{}\n{tables}\n", template!("ota.toml").replace(NAME, name))
}

fn manifest(text: &str, name: &str, board: &Board, source: &Source) -> String {
    let mut manifest = String::new();
    let mut in_package = false;
    for line in text.lines() {
        if line.starts_with('[') {
            in_package = line == "[package]";
        }
        let line = match (in_package, line.split(" = ").next()) {
            (true, Some("name")) => format!("name = \"{name}\""),
            (true, Some("description")) => {
                format!("description = \"Firmware and bootloader of {name} on {}\"", board.name)
            }
            (true, Some("license")) => continue,
            _ => line.to_owned(),
        };
        let line = ["runtime", "mcuboot", "config"].iter().fold(line, |line, folder| {
            line.replace(&format!("path = \"../../{folder}\""), &source.place(folder))
        });
        manifest.push_str(&line);
        manifest.push('\n');
    }
    manifest
}

/// The example's lock file for a package of that name.
fn lock(text: &str, package: &str, name: &str) -> Result<String> {
    let entry = |name: &str| format!("name = \"{name}\"\n");
    match name != package && text.contains(&entry(name)) {
        true => {
            Err(Error::new(Exit::File, format!("a crate that it is built of is called `{name}`"))
                .fix("give the project another name"))
        }
        false => Ok(text.replace(&entry(package), &entry(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_with_a_firmware_can_be_begun() {
        let names: Vec<_> = boards().iter().map(|board| board.name).collect();
        let with = OTA_TOML.lines().filter(|line| line.starts_with("firmware = ")).count();
        assert_eq!(names.len(), with, "{names:?}");
        for board in boards() {
            let files = files("my-lamp", &board, &Source::Published).expect("a free name");
            for (file, text) in files {
                for word in ["../..", "examples/", NAME, BOARD] {
                    assert!(!text.contains(word), "{}: {file} says {word}", board.name);
                }
            }
        }
    }

    #[test]
    fn a_project_over_tls_begins_with_certificates() {
        assert!(template!("README.md").contains(IN_THE_CLEAR));
        for board in boards() {
            let text = readme("my-lamp", &board);
            assert_eq!(text.contains(OVER_TLS), board.name.ends_with("-tls"), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let board = boards().remove(0);
        let source = Source::Folder(PathBuf::from("/coreota"));
        assert!(files("embassy-boot", &board, &source).is_err());
        assert!(files("my-lamp", &board, &source).is_ok());
    }
}
