//! `cargo ota plugin test`: a plugin in the host that devices have, against its test documents.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use coreota_plugin_pack::documents;
use serde_json::json;

use crate::error::{Error, Exit, Result};
use crate::out::Out;
use crate::plugin::host::Loaded;
use crate::plugin::{self, DOCUMENTS, Source};

/// Run a plugin against its test documents, in the host that devices have
///
/// Beside each `documents/NAME.json` or `.cbor` stands `NAME.expect.toml`: what the plugin must make
/// of it. docs/plugins.md has an example of everything it may say.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Folder of the plugin
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Test this module instead of building one
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
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
        let mut hosted = plugin::load(&path, &module, &facts)?;
        let Loaded::Parser(parser) = &mut hosted else {
            return Err(Error::file("test", &path, "only parsers are tested with documents")
                .fix("test a protocol as plain Rust: `cargo test` in its folder"));
        };
        let documents = source.documents()?;
        if documents.is_empty() {
            let folder = source.folder.join(DOCUMENTS);
            return Err(Error::file("test with", &folder, "there are no documents in it")
                .fix("put a job document there, and NAME.expect.toml beside it"));
        }
        let mut failed = 0;
        for document in &documents {
            let name = document.path.file_name().unwrap_or_default().to_string_lossy();
            let compared = documents::compare(document, parser);
            let fields = json!({ "document": name, "passed": compared.is_ok(), "differences": compared.as_ref().err() });
            match compared {
                Ok(()) => out.event("document", &fields, format_args!("ok      {name}")),
                Err(differences) => {
                    failed += 1;
                    let lines: String =
                        differences.lines().map(|line| format!("\n  {line}")).collect();
                    out.event("document", &fields, format_args!("FAILED  {name}{lines}"));
                }
            }
        }
        let needs = hosted.needs();
        let fields = json!({
            "documents": documents.len(), "failed": failed, "arena": needs.arena, "fuel": needs.fuel,
        });
        let line = format!(
            "{} documents, {failed} failed; an arena of {} bytes, {} of fuel at most",
            documents.len(),
            needs.arena,
            needs.fuel
        );
        out.event("tested", &fields, line);
        match failed {
            0 => Ok(()),
            _ => Err(Error::new(
                Exit::No,
                format!("{failed} of {} documents failed", documents.len()),
            )),
        }
    }
}
