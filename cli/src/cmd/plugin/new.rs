//! `cargo ota plugin new`: a plugin that builds and passes its tests, to be changed into yours.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::error::{Error, Result};
use crate::out::Out;

/// Begin a plugin: a project that builds and passes its tests as it is
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Its name, and that of its new folder: 1 to 32 letters, digits and `-`, a letter first
    #[arg(value_parser = name)]
    name: String,
    /// What it is written in
    #[arg(long, value_enum, default_value = "rust")]
    lang: Language,
    /// What it teaches a device
    #[arg(long, value_enum, default_value = "parser")]
    kind: Kind,
    /// Folder of the crate coreota-plugin, for Rust [default: that of the coreota this tool was
    /// built from, else the published one]
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    /// A crate
    Rust,
    /// C for clang
    C,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// To read the job documents of a provider
    Parser,
    /// To fetch blocks in another way
    Protocol,
}

/// The name in the templates.
const NAME: &str = "my-plugin";

macro_rules! template {
    ($file:literal) => {
        include_str!(concat!("../../../templates/plugin/", $file))
    };
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let folder = Path::new(&self.name);
        if folder.exists() {
            return Err(Error::file("make", folder, "it is there already")
                .fix("give another name, or start in another folder"));
        }
        let files = self.files()?;
        for (file, text) in &files {
            let path = folder.join(file);
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, text.replace(NAME, &self.name)))
                .map_err(|why| {
                    Error::file("write", &path, why).fix("start in a folder that can be written to")
                })?;
        }
        let name = &self.name;
        let names: Vec<&str> = files.iter().map(|(file, _)| *file).collect();
        let test = match self.kind {
            Kind::Protocol if self.lang == Language::Rust => "cargo test && cargo ota plugin test",
            _ => "cargo ota plugin test",
        };
        let line = format!("{name}/  {}\nNext: cd {name} && {test}", names.join("  "));
        out.event("new", &json!({ "folder": name, "files": names }), line);
        Ok(())
    }

    /// What is in the new folder.
    fn files(&self) -> Result<Vec<(&'static str, String)>> {
        let source = match (self.lang, self.kind) {
            (Language::Rust, Kind::Parser) => ("src/lib.rs", template!("parser.rs")),
            (Language::Rust, Kind::Protocol) => ("src/lib.rs", template!("protocol.rs")),
            (Language::C, Kind::Parser) => ("plugin.c", template!("parser.c")),
            (Language::C, Kind::Protocol) => ("plugin.c", template!("protocol.c")),
        };
        let mut files =
            vec![source, ("README.md", template!("README.md")), (".gitignore", "/target\n")];
        if self.kind == Kind::Protocol {
            files.push(("events/file.toml", template!("events/file.toml")));
        } else {
            let document = match self.lang {
                Language::Rust => template!("documents/rust.json"),
                Language::C => template!("documents/c.json"),
            };
            files.extend([
                ("documents/job.json", document),
                ("documents/job.expect.toml", template!("documents/job.expect.toml")),
                ("documents/other.json", template!("documents/other.json")),
                ("documents/other.expect.toml", template!("documents/other.expect.toml")),
            ]);
        }
        let mut files: Vec<_> =
            files.into_iter().map(|(file, text)| (file, text.to_owned())).collect();
        if self.lang == Language::Rust {
            files.push(("Cargo.toml", self.manifest()?));
        }
        Ok(files)
    }

    fn manifest(&self) -> Result<String> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/sdk");
        let sdk = match &self.sdk {
            Some(dir) if !dir.join("Cargo.toml").is_file() => {
                return Err(Error::file("use", dir, "there is no crate in it")
                    .fix("give the folder plugins/sdk of coreota with --sdk"));
            }
            Some(dir) => fs::canonicalize(dir).ok(),
            None => fs::canonicalize(own).ok(),
        };
        let sdk = match sdk {
            Some(path) => format!("{{ path = {:?} }}", path.display().to_string()),
            None => format!("{:?}", env!("CARGO_PKG_VERSION")),
        };
        Ok(format!(
            "[package]\nname = \"{NAME}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\ncoreota-plugin = {sdk}\n\n# A workspace of its own, wherever it stands.\n[workspace]\n"
        ))
    }
}

fn name(text: &str) -> std::result::Result<String, String> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 32
        && text.chars().all(known)
    {
        true => Ok(text.to_owned()),
        false => Err("a name has 1 to 32 letters, digits and `-`, a letter first".into()),
    }
}
