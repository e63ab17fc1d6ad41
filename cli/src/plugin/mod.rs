//! Plugins, for their authors: where the source is, what is built of it, and the real host.

pub(crate) mod host;
pub(crate) mod room;
pub(crate) mod table;

use std::fs;
use std::path::{Path, PathBuf};

use coreota_plugin_abi::Kind;
use coreota_plugin_pack::documents::Document;
use coreota_plugin_pack::events::Events;
use coreota_plugin_pack::{self as pack, Tools, documents, events};

use crate::error::{Error, Exit, Result};
use coreota::parser::Parser as _;
use coreota::plugin::{Content, Facts};
use host::{Loaded, Needs};

/// The folder of test documents, in that of a plugin.
pub(crate) const DOCUMENTS: &str = "documents";

/// The folder of test events, beside it.
pub(crate) const EVENTS: &str = "events";

/// What a plugin is tried with: documents for a parser, events for a protocol.
#[derive(Default)]
pub(crate) struct Trials {
    pub(crate) documents: Vec<Document>,
    pub(crate) events: Vec<Events>,
}

/// Blocks that a protocol is tried with, in bytes.
const BLOCK: u32 = 1024;

/// A plugin's source.
pub(crate) struct Source {
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
}

impl Source {
    /// What is in `folder`: the name is that of its package, else that of the folder.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self> {
        let folder = fs::canonicalize(folder)
            .map_err(|why| Error::file("read", folder, why).fix("name the folder of a plugin"))?;
        let package = fs::read_to_string(folder.join("Cargo.toml")).ok();
        let package = package.and_then(|text| {
            let manifest: toml::Table = text.parse().ok()?;
            Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
        });
        let named = || folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = package.unwrap_or_else(named);
        Ok(Source { folder, name })
    }

    /// Where its module is put when nothing else is said.
    pub(crate) fn module(&self) -> PathBuf {
        self.folder.join(&self.name).with_extension("wasm")
    }

    /// Builds it: the smallest module.
    pub(crate) fn build(&self) -> Result<Vec<u8>> {
        pack::build(&self.folder, &Tools::find()).map_err(refused)
    }

    /// What it is tried with; nothing where there is nothing.
    pub(crate) fn trials(&self) -> Result<Trials> {
        fn of<T>(
            folder: PathBuf,
            read: impl FnOnce(&Path) -> std::result::Result<Vec<T>, String>,
        ) -> Result<Vec<T>> {
            match folder.is_dir() {
                true => read(&folder).map_err(|why| Error::new(Exit::File, why)),
                false => Ok(Vec::new()),
            }
        }
        Ok(Trials {
            documents: of(self.folder.join(DOCUMENTS), documents::read)?,
            events: of(self.folder.join(EVENTS), events::read)?,
        })
    }
}

/// A kind, as `ota.toml` writes it.
pub(crate) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Parser => "parser",
        Kind::Blocks => "protocol",
        Kind::Jobs => "jobs",
    }
}

/// What a signed file is, as `ota.toml` writes it.
pub(crate) fn word_of(facts: &Facts) -> String {
    if facts.content == Content::Table {
        return "table".to_owned();
    }
    let kind = u8::try_from(facts.kind).ok().and_then(Kind::from_number);
    kind.map_or_else(|| format!("kind {}", facts.kind), |kind| word(kind).to_owned())
}

/// What is in a module that a device could take.
pub(crate) fn facts(path: &Path, module: &[u8]) -> Result<pack::Facts> {
    pack::check(module).map_err(|why| Error::file("use", path, why))
}

/// A module, loaded as the device `thing` would.
pub(crate) fn load(path: &Path, module: &[u8], facts: &pack::Facts, thing: &str) -> Result<Loaded> {
    // Compilers make the number of the kind a constant; where none is found, the export tells.
    let kind = facts.kind.unwrap_or(Kind::Parser);
    let memory = facts.memory.try_into().unwrap_or(u32::MAX);
    Loaded::load(module, kind, memory, thing).map_err(|why| {
        Error::new(Exit::No, format!("no device loads {}: {}", path.display(), why.text()))
    })
}

/// What a module needs: to be loaded, and to read these documents, or to live through these events;
/// without any, to begin a download or to ask for a job.
pub(crate) fn needs(
    path: &Path,
    module: &[u8],
    facts: &pack::Facts,
    trials: &Trials,
) -> Result<Needs> {
    let mut most = Needs::default();
    for events in &trials.events {
        let mut hosted = load(path, module, facts, &events.thing)?;
        // Whether it does what it should is for the test to say.
        let _ = match &mut hosted {
            Loaded::Parser(_) => Ok(()),
            Loaded::Blocks(blocks) => blocks.live(events),
            Loaded::Jobs(jobs) => jobs.live(events),
        };
        most = most.and(hosted.needs());
    }
    let mut hosted = load(path, module, facts, "thing")?;
    match &mut hosted {
        Loaded::Parser(parser) => {
            for document in &trials.documents {
                for index in 0..document.expected.len().max(1) {
                    parser.parse(&document.bytes, index.try_into().unwrap_or(u8::MAX));
                }
            }
        }
        Loaded::Blocks(blocks) => blocks.begin(BLOCK).map_err(|why| {
            let what = format!("{} does not begin a download: {}", path.display(), why.text());
            Error::new(Exit::No, what)
        })?,
        Loaded::Jobs(jobs) => jobs.begin().map_err(|why| {
            let what = format!("{} does not ask for a job: {}", path.display(), why.text());
            Error::new(Exit::No, what)
        })?,
    }
    Ok(most.and(hosted.needs()))
}

/// An error of the packer, as one of this tool.
fn refused(error: pack::Error) -> Error {
    let text = error.to_string();
    match error {
        pack::Error::Malformed(_) | pack::Error::Refused(_) => Error::new(Exit::No, text),
        _ => Error::new(Exit::File, text),
    }
}
