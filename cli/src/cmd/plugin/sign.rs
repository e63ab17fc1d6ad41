//! `cargo ota plugin sign`: the file a device takes, of a module and what was measured of it, or of a
//! table.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use coreota::image::{About, AboutPlugin, Signer, plugin};
use coreota::plugin::{Content, Facts};
use coreota::version::Version;
use coreota_plugin_abi::{Kind, VERSION};
use serde_json::json;

use crate::cmd::sign::version;
use crate::error::{Error, Exit, Result};
use crate::keys;
use crate::out::Out;
use crate::plugin::{self, Source, table};
use crate::store::hex;

/// Make the signed file of a plugin: what it is and what it needs inside the signed bytes
///
/// The arena and the fuel are measured in the host that devices have, over the test documents or events
/// beside the module, and written with a margin: an eighth for the arena, and four times the fuel. Of a
/// protocol without test events only the first calls are measured: ten times that, 20000 at least.
///
/// A table is a file with the keys of a `[[parser]] kind = "table"` but for kind and name, in TOML or JSON:
/// where the fields of a job document are, for a `[[plugin]] kind = "table"`. It needs no arena.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The module, which `cargo ota plugin build` makes; or a table, in TOML or JSON
    module: PathBuf,
    /// Where to write the file
    output: PathBuf,
    /// Private key to sign with, in PEM; several for several signatures
    #[arg(long, value_name = "PEM", required = true)]
    key: Vec<PathBuf>,
    /// Version of the plugin: a device takes no older one than it has
    #[arg(long, value_name = "1.2.3+4", value_parser = version)]
    version: Version,
    /// The `[[plugin]]` it is to become [default: that of the module's file name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The only board that is to take it
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Bytes of the arena, instead of what was measured
    #[arg(long, value_name = "BYTES")]
    arena: Option<u32>,
    /// Fuel of a call, instead of what was measured
    #[arg(long, value_name = "N")]
    fuel: Option<u32>,
}

/// Least fuel that is written for a protocol without test events: most of its calls are not measured.
const PROTOCOL_FUEL: u32 = 20_000;

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let signers: Vec<Signer> =
            self.key.iter().map(|path| keys::private(path)).collect::<Result<_>>()?;
        let module = fs::read(&self.module).map_err(|why| {
            Error::file("read", &self.module, why).fix("`cargo ota plugin build` makes modules")
        })?;
        let (module, facts) = match std::str::from_utf8(&module) {
            // Modules begin with a zero.
            Ok(text) if !text.starts_with('\0') => self.table(text)?,
            _ => self.measured(module)?,
        };
        let stem = self.module.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = self.name.unwrap_or(stem);
        let about = About { version: self.version, board: self.board.as_deref(), counter: None };
        let file = plugin(&module, &about, &AboutPlugin { name: &name, facts }, &signers)
            .map_err(|why| Error::file("sign", &self.module, why.text()))?;
        fs::write(&self.output, &file).map_err(|why| {
            Error::file("write", &self.output, why).fix("give a path that can be written to")
        })?;
        let digest = hex(&coreota::verify::Hash::of(&file));
        let (kind, Facts { arena, fuel, memory, .. }) = (plugin::word_of(&facts), facts);
        let fields = json!({
            "file": self.output, "plugin": name, "kind": kind, "size": file.len(), "sha256": digest,
            "arena": arena, "fuel": fuel, "memory": memory, "board": self.board,
            "keys": signers.iter().map(|key| hex(&key.fingerprint())).collect::<Vec<_>>(),
        });
        let needs = match facts.content {
            Content::Table => format!("a table of {} bytes", module.len()),
            _ => format!("arena {arena} bytes, fuel {fuel} a call"),
        };
        let line = format!(
            "{}  `{name}` ({kind}), {} bytes, sha256 {digest}\n  {needs}",
            self.output.display(),
            file.len(),
        );
        out.event("signed", &fields, line);
        Ok(())
    }

    /// The table in its binary form; it needs nothing.
    fn table(&self, text: &str) -> Result<(Vec<u8>, Facts)> {
        if self.arena.is_some() || self.fuel.is_some() {
            let what = "a table takes neither arena nor fuel";
            return Err(Error::file("sign", &self.module, what).fix("leave --arena and --fuel out"));
        }
        let table = table::read(&self.module, text)?;
        let facts = Facts {
            content: Content::Table,
            abi: 0,
            kind: 0,
            arena: 0,
            fuel: 0,
            memory: 0,
            len: table.len().try_into().unwrap_or(u32::MAX),
            version: self.version,
        };
        Ok((table, facts))
    }

    /// The module, and what is to be said of it: as given, or as measured.
    fn measured(&self, module: Vec<u8>) -> Result<(Vec<u8>, Facts)> {
        let found = plugin::facts(&self.module, &module)?;
        let kind = found.kind.unwrap_or(Kind::Parser);
        let beside = self.module.parent().filter(|dir| !dir.as_os_str().is_empty());
        let trials = Source::in_folder(beside.unwrap_or(Path::new(".")))?.trials()?;
        let needs = plugin::needs(&self.module, &module, &found, &trials)?;
        let measured = match kind {
            Kind::Parser => needs.fuel.saturating_mul(4),
            _ if !trials.events.is_empty() => needs.fuel.saturating_mul(4),
            _ => needs.fuel.saturating_mul(10).max(PROTOCOL_FUEL),
        };
        let Some(fuel) = self.fuel.or(Some(measured).filter(|fuel| *fuel > 0)) else {
            let what = "there are no test documents beside it to measure its fuel with";
            return Err(Error::file("sign", &self.module, what).fix("add some, or give --fuel"));
        };
        let arena = self.arena.unwrap_or(needs.arena + needs.arena / 8);
        if arena < needs.arena {
            let what = format!("it needs an arena of {}, not of {arena}", needs.arena);
            return Err(Error::new(Exit::No, what).fix("give more with --arena, or leave it out"));
        }
        let facts = Facts {
            content: Content::Plugin,
            abi: VERSION.into(),
            kind: kind.number().into(),
            arena,
            fuel,
            memory: found.memory.try_into().unwrap_or(u32::MAX),
            len: module.len().try_into().unwrap_or(u32::MAX),
            version: self.version,
        };
        Ok((module, facts))
    }
}
