//! `cargo ota plugin build`: from source to the smallest module, and what it takes.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use coreota_plugin_abi::Kind;
use serde_json::json;

use crate::error::{Error, Result};
use crate::out::Out;
use crate::plugin::{self, Source};

/// Build a plugin and tell its size, its memory, and what its test documents take at most
///
/// Rust needs the target wasm32-unknown-unknown (`rustup target add`) or the source of its standard
/// library; C needs clang and wasm-ld. binaryen's wasm-opt makes it smaller where it is installed.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Folder of the plugin
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Where to write the module [default: NAME.wasm in the folder]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let source = Source::in_folder(&self.folder)?;
        let module = source.build()?;
        let path = self.output.unwrap_or_else(|| source.module());
        fs::write(&path, &module).map_err(|why| {
            Error::file("write", &path, why).fix("give a path that can be written to with --output")
        })?;
        let facts = plugin::facts(&path, &module)?;
        let trials = source.trials()?;
        let needs = plugin::needs(&path, &module, &facts, &trials)?;
        let (documents, events) = (trials.documents.len(), trials.events.len());
        let fields = json!({
            "module": path, "kind": facts.kind.map(plugin::word), "size": module.len(), "memory": facts.memory,
            "functions": facts.functions, "documents": documents, "events": events,
            "arena": needs.arena, "fuel": needs.fuel,
        });
        let mut line = format!(
            "{}  {}: {} bytes, {} of memory, {} functions",
            path.display(),
            facts.kind.map_or("plugin", plugin::word),
            module.len(),
            facts.memory,
            facts.functions,
        );
        let over = match (facts.kind, documents, events) {
            (Some(Kind::Blocks), _, 0) => "to begin a download".to_owned(),
            (Some(Kind::Jobs), _, 0) => "to ask for a job".to_owned(),
            (Some(Kind::Blocks | Kind::Jobs), _, count) => {
                format!("over {count} files of events")
            }
            (_, 0, _) => "to be loaded (there are no test documents)".to_owned(),
            (_, count, _) => format!("over {count} documents"),
        };
        line += &format!(
            "\n  takes an arena of {} bytes, and {over} {} of fuel a call at most",
            needs.arena, needs.fuel
        );
        out.event("built", &fields, line);
        Ok(())
    }
}
