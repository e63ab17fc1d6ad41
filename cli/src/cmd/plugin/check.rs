//! `cargo ota plugin check`: would this board take it, and what does it need?

use std::fs;
use std::path::PathBuf;

use clap::Args;
use coreota::image::PluginFile;
use coreota_config::keys;
use coreota_config::model::{Device, Plugin};
use coreota_config::values::size;
use coreota_plugin_abi::Kind;
use serde_json::json;

use crate::error::{Error, Exit, Result};
use crate::ota_toml;
use crate::out::Out;
use crate::plugin::{self, Source, Trials};

/// Tell whether a board would take a plugin, and what it needs of the board
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The module or its signed file, or the folder of the plugin, which is then built
    file: PathBuf,
    /// Board of ota.toml
    #[arg(long, value_name = "NAME")]
    board: String,
    /// Where the board is declared
    #[arg(long, value_name = "FILE", default_value = "ota.toml")]
    config: PathBuf,
    /// The `[[plugin]]` it is to become [default: the one of its name, else the only one of its kind]
    #[arg(long = "as", value_name = "NAME")]
    plugin: Option<String>,
}

/// One thing it needs, and what the board gives.
struct Need {
    what: &'static str,
    needs: u64,
    gives: u64,
    /// The key of `[[plugin]]`.
    key: &'static str,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let (module, name, trials) = if self.file.is_dir() {
            let source = Source::in_folder(&self.file)?;
            (source.build()?, source.name.clone(), source.trials()?)
        } else {
            let file = fs::read(&self.file).map_err(|why| Error::file("read", &self.file, why))?;
            let stem = self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            match PluginFile::read(&file) {
                Some(signed) => (signed.module.to_vec(), signed.name.to_owned(), Trials::default()),
                None => (file, stem, Trials::default()),
            }
        };
        let facts = plugin::facts(&self.file, &module)?;
        let model = ota_toml::read(&self.config, out)?;
        let Some(device) = model.device(&self.board) else {
            let names: Vec<&str> =
                model.boards.iter().map(|device| device.name.value.as_str()).collect();
            let what = format!("{} declares no board `{}`", model.path, self.board);
            return Err(Error::new(Exit::File, what)
                .fix(format!("give one of its boards: {}", names.join(", "))));
        };
        let kind = facts.kind.unwrap_or(Kind::Parser);
        let taken = self.plugin.as_deref().unwrap_or(&name);
        let declared = find(device, taken, kind, self.plugin.is_some())?;
        let limits = declared.declared.module().ok_or_else(|| wrong_kind(device, taken, kind))?;

        let needs = plugin::needs(&self.file, &module, &facts, &trials)?;
        let most = declared.declared.slot().map_or(u32::MAX, |slot| slot.value);
        let mut all = vec![
            Need {
                what: "arena",
                needs: needs.arena.into(),
                gives: limits.arena.value.0.into(),
                key: "arena",
            },
            Need {
                what: "linear memory",
                needs: facts.memory,
                gives: limits.memory.value.0.into(),
                key: "memory",
            },
            Need { what: "module", needs: module.len() as u64, gives: most.into(), key: "slot" },
        ];
        if !trials.documents.is_empty() || !trials.events.is_empty() {
            all.push(Need {
                what: "fuel of a call",
                needs: needs.fuel.into(),
                gives: limits.fuel.value.0.into(),
                key: "fuel",
            });
        }
        let short: Vec<&Need> = all.iter().filter(|need| need.needs > need.gives).collect();
        let name = &declared.declared.name().0;
        let told = all.iter().map(|need| {
            let mark = if need.needs > need.gives { "  <- too little" } else { "" };
            let gives = match need.gives {
                gives if gives == u64::from(u32::MAX) => "compiled in".to_owned(),
                gives => format!("{gives} given"),
            };
            format!("\n  {:<15} {:>8} needed, {gives}{mark}", need.what, need.needs)
        });
        let line = format!(
            "{}  as `{name}` ({}) on {}{}",
            self.file.display(),
            plugin::word(kind),
            self.board,
            told.collect::<String>()
        );
        let fields = json!({
            "plugin": name, "board": self.board, "kind": plugin::word(kind), "takes": short.is_empty(),
            "needs": all.iter().map(|need| json!({ "what": need.what, "needs": need.needs, "gives": need.gives })).collect::<Vec<_>>(),
        });
        out.event("plugin", &fields, line);
        match short.first() {
            None => {
                out.line(format_args!("{} would take it", self.board));
                Ok(())
            }
            Some(need) => {
                let what = format!("{} would refuse it: too little {}", self.board, need.what);
                Err(Error::new(Exit::No, what).fix(format!(
                    "`{} = \"{}\"` or more in `[[plugin]]` `{name}`, or make the plugin smaller",
                    need.key,
                    size(need.needs.next_multiple_of(1024))
                )))
            }
        }
    }
}

/// The plugin of that name; where none was asked for by name, the only one of this kind will do.
fn find<'a>(device: &'a Device, name: &str, kind: Kind, named: bool) -> Result<&'a Plugin> {
    if let Some((_, plugin)) = device.plugin(name) {
        return match of_kind(plugin, kind) {
            true => Ok(plugin),
            false => Err(wrong_kind(device, name, kind)),
        };
    }
    let mut same = device.plugins.iter().filter(|plugin| of_kind(plugin, kind));
    match (same.next(), same.next()) {
        (Some(only), None) if !named => Ok(only),
        _ => {
            let names: Vec<&str> =
                device.plugins.iter().map(|plugin| plugin.declared.name().0.as_str()).collect();
            let board = &device.name.value;
            let what = format!("{board} has no plugin `{name}`");
            let fix = match names.as_slice() {
                [] => format!("declare it: `[[plugin]]` with `kind = \"{}\"`", plugin::word(kind)),
                names => format!("say with --as which it is to become: {}", names.join(", ")),
            };
            Err(Error::new(Exit::No, what).fix(fix))
        }
    }
}

fn of_kind(plugin: &Plugin, kind: Kind) -> bool {
    matches!(
        (&plugin.declared.value, kind),
        (keys::Plugin::ParserModule(_), Kind::Parser)
            | (keys::Plugin::ProtocolModule(_), Kind::Blocks)
            | (keys::Plugin::JobsModule(_), Kind::Jobs)
    )
}

fn wrong_kind(device: &Device, name: &str, kind: Kind) -> Error {
    let what = format!(
        "the plugin `{name}` of {} is not of kind `{}`",
        device.name.value,
        plugin::word(kind)
    );
    Error::new(Exit::No, what).fix("say with --as which plugin it is to become")
}
