//! `cargo ota plugin test`: a plugin in the host that devices have, against its test documents or events.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use coreota_plugin_pack::documents;
use serde_json::json;

use crate::error::{Error, Exit, Result};
use crate::out::Out;
use crate::plugin::host::{Loaded, Needs};
use crate::plugin::{self, DOCUMENTS, EVENTS, Source};

/// Run a plugin against its test documents or events, in the host that devices have
///
/// Beside each `documents/NAME.json` or `.cbor` of a parser stands `NAME.expect.toml`: what it must make of it.
/// Each `events/NAME.toml` of a protocol says what happens, and what it must make of that. docs/plugins.md
/// has an example of both.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Folder of the plugin
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Test this module instead of building one
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
}

/// What became of the tests.
struct Tally<'o> {
    out: &'o Out,
    /// What is tested with, in JSON.
    what: &'static str,
    count: usize,
    failed: usize,
    needs: Needs,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let source = Source::in_folder(&self.folder)?;
        let (path, module) = match self.module {
            Some(path) => {
                let module = fs::read(&path).map_err(|why| Error::file("read", &path, why))?;
                (path, module)
            }
            None => (source.module(), source.build()?),
        };
        let facts = plugin::facts(&path, &module)?;
        let trials = source.trials()?;
        let mut hosted = plugin::load(&path, &module, &facts, "thing")?;
        let (what, folder) = match hosted {
            Loaded::Parser(_) => ("document", DOCUMENTS),
            Loaded::Blocks(_) | Loaded::Jobs(_) => ("events", EVENTS),
        };
        let mut tally = Tally { out, what, count: 0, failed: 0, needs: hosted.needs() };
        if let Loaded::Parser(parser) = &mut hosted {
            for document in &trials.documents {
                tally.note(&document.path, documents::compare(document, parser));
            }
            tally.needs = hosted.needs();
        } else {
            // There is one arena.
            drop(hosted);
            for events in &trials.events {
                let mut hosted = plugin::load(&path, &module, &facts, &events.thing)?;
                let lived = match &mut hosted {
                    Loaded::Parser(_) => Ok(()),
                    Loaded::Blocks(blocks) => blocks.live(events),
                    Loaded::Jobs(jobs) => jobs.live(events),
                };
                tally.note(&events.path, lived);
                tally.needs = tally.needs.and(hosted.needs());
            }
        }
        if tally.count == 0 {
            let folder = source.folder.join(folder);
            let (why, fix) = match what {
                "document" => (
                    "there are no documents in it",
                    "put a job document there, and NAME.expect.toml beside it",
                ),
                _ => ("there are no events in it", "put events there; docs/plugins.md has some"),
            };
            return Err(Error::file("test with", &folder, why).fix(fix));
        }
        tally.end()
    }
}

impl Tally<'_> {
    /// Tells how one went.
    fn note(&mut self, path: &Path, compared: std::result::Result<(), impl Display>) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let differences = compared.err().map(|differences| differences.to_string());
        let fields =
            json!({ self.what: name, "passed": differences.is_none(), "differences": differences });
        self.count += 1;
        match differences {
            None => self.out.event(self.what, &fields, format_args!("ok      {name}")),
            Some(differences) => {
                self.failed += 1;
                let lines: String = differences.lines().map(|line| format!("\n  {line}")).collect();
                self.out.event(self.what, &fields, format_args!("FAILED  {name}{lines}"));
            }
        }
    }

    fn end(self) -> Result<()> {
        let Tally { out, what, count, failed, needs: Needs { arena, fuel } } = self;
        let (key, what) = match what {
            "document" => ("documents", "documents"),
            _ => ("events", "files of events"),
        };
        let fields = json!({ key: count, "failed": failed, "arena": arena, "fuel": fuel });
        let line = format!(
            "{count} {what}, {failed} failed; an arena of {arena} bytes, {fuel} of fuel at most"
        );
        out.event("tested", &fields, line);
        match failed {
            0 => Ok(()),
            _ => Err(Error::new(Exit::No, format!("{failed} of {count} {what} failed"))),
        }
    }
}
