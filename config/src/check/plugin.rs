//! Plugins: that each is declared once, can be filled, and is of use to a board that can host it.

use super::pipeline;
use crate::Document;
use crate::diagnostic::{At, Errors, did_you_mean};
use crate::keys::{Board, JobSource, Parser, Plugin, PluginTransport, Root};
use crate::model::{self, Device};
use crate::values::{PluginName, size};
use crate::wasm;

/// Plugins that a board can host.
const PLUGINS: usize = 8;

/// What is wrong with a plugin whatever the board, and what is compiled in of it.
pub(super) fn declared(
    document: &Document,
    root: &Root,
    errors: &mut Errors,
) -> Option<Vec<model::Plugin>> {
    let declared = root.plugin.0.as_ref()?.as_deref().unwrap_or_default();
    for (index, plugin) in declared.iter().enumerate() {
        let name = plugin.name();
        if declared.iter().take(index).any(|before| before.name().value == name.value) {
            let wrong = format!("there is a plugin `{}` already", name.0);
            errors.add(name.span.clone(), wrong, "give it another `name`");
        }
        let Some(module) = plugin.module() else { continue };
        if module.path.is_none() && module.slot.is_none() {
            let wrong = format!("nothing can become the plugin `{}`", name.0);
            let right = "add `path`, the module to compile in, or `slot`, the room for one from over the air";
            errors.add(plugin.span.clone(), wrong, right);
        }
        if module.memory.value.0 > module.arena.value.0 {
            let wrong = format!(
                "a linear memory of {} is not in an arena of {}",
                size(module.memory.value.0),
                size(module.arena.value.0)
            );
            let right = "make `arena` larger than `memory`: it holds the translated code too";
            errors.add(module.memory.span.clone(), wrong, right);
        }
        if matches!(plugin.value, Plugin::JobsModule(_)) && module.path.is_none() {
            let wrong =
                format!("no job could bring the plugin `{}`, for it is what hears of jobs", name.0);
            errors.add(plugin.span.clone(), wrong, "add `path`: the module to compile in");
        }
    }
    let with_module = |plugin: &At<Plugin>| {
        Some(model::Plugin { declared: plugin.clone(), module: module(document, plugin, errors)? })
    };
    let plugins: Vec<Option<_>> = declared.iter().map(with_module).collect();
    let plugins: Vec<model::Plugin> = plugins.into_iter().collect::<Option<_>>()?;
    for parser in root.parser.0.iter().flatten() {
        if let Parser::PluginParser(parser) = &parser.value {
            find(&plugins, &parser.plugin, errors);
        }
    }
    Some(plugins)
}

/// The module of a plugin, where it has one: there, readable, and for its kind.
fn module(
    document: &Document,
    plugin: &Plugin,
    errors: &mut Errors,
) -> Option<Option<model::Module>> {
    let Some(declared) = plugin.module() else { return Some(None) };
    let Some(path) = &declared.path.value else { return Some(None) };
    let (named, span) = (&path.0, &declared.path.span);
    let mut refuse = |wrong: String, right: &str| {
        errors.add(span.clone(), wrong, right);
        None
    };
    let bytes = match (document.read)(&document.folder.join(named)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let right =
                "the path is from the folder of this file; `cargo ota plugin build` makes modules";
            return refuse(format!("there is no file `{named}`"), right);
        }
        Err(error) => {
            return refuse(format!("`{named}` cannot be read: {error}"), "a file that may be read");
        }
    };
    let wanted = match plugin {
        Plugin::ParserModule(_) => "ota_parse",
        _ => "ota_event",
    };
    let exports = match wasm::exports(&bytes) {
        Ok(exports) => exports,
        Err(why) => {
            let right = "`cargo ota plugin build` makes modules that a device takes";
            return refuse(format!("`{named}` is not for a device: {why}"), right);
        }
    };
    for export in ["memory", "ota_abi", "ota_io", wanted] {
        if !exports.contains(&export) {
            let wrong = format!(
                "`{named}` is no plugin of kind `{}`: it does not export `{export}`",
                plugin.kind()
            );
            return refuse(wrong, "docs/plugin-abi.md lists what each kind exports");
        }
    }
    match u32::try_from(bytes.len()) {
        Ok(len) if len <= declared.arena.value.0 => {
            Some(Some(model::Module { file: named.into(), len }))
        }
        _ => {
            let (is, arena) = (size(bytes.len() as u64), size(declared.arena.value.0));
            let wrong = format!("`{named}`, {is}, does not load in an arena of {arena}");
            refuse(wrong, "`cargo ota plugin check` tells what it needs")
        }
    }
}

/// What a board takes of the pipeline's plugins.
pub(super) struct Taken<'a> {
    all: &'a [model::Plugin],
    /// Its `plugins`, where it says.
    chosen: Option<&'a [At<PluginName>]>,
}

impl<'a> Taken<'a> {
    /// What `board` says of them.
    pub(super) fn of(
        all: &'a [model::Plugin],
        board: &'a Board,
        errors: &mut Errors,
    ) -> Option<Self> {
        let chosen = board.plugins.0.as_ref()?.as_ref().map(|chosen| chosen.0.as_slice());
        pipeline::once(chosen.unwrap_or_default(), |name| &name.0, errors);
        for name in chosen.unwrap_or_default() {
            find(all, name, errors);
        }
        Some(Taken { all, chosen })
    }

    /// Whether it leaves that plugin out.
    pub(super) fn leaves_out(&self, name: &str) -> bool {
        self.chosen.is_some_and(|chosen| chosen.iter().all(|taken| taken.0 != name))
    }

    /// The protocol of a board among `[transport]`, where it takes it.
    pub(super) fn transport(
        &self,
        declared: Option<PluginTransport>,
        errors: &mut Errors,
    ) -> Option<PluginTransport> {
        find(self.all, &declared.as_ref()?.plugin, errors);
        declared.filter(|transport| !self.leaves_out(&transport.plugin.0))
    }

    /// The plugins that its job source, parsers and transport name: those from over the air first,
    /// else in the order of the file.
    pub(super) fn used(
        &self,
        (name, board): (&At<String>, &Board),
        jobs: &At<JobSource>,
        parsers: &[At<Parser>],
        transport: Option<&PluginTransport>,
        errors: &mut Errors,
    ) -> Option<Vec<model::Plugin>> {
        let mut named: Vec<(&At<PluginName>, &[&str])> = Vec::new();
        if let JobSource::PluginJobs(jobs) = &jobs.value {
            if self.leaves_out(&jobs.plugin.0) {
                let wrong = format!(
                    "board `{}` hears of jobs by the plugin `{}`, which it does not take",
                    name.value, jobs.plugin.0
                );
                errors.add(
                    board.plugins.span.clone(),
                    wrong,
                    "add it to `plugins`, or give the board a `job-source` of its own",
                );
            }
            named.push((&jobs.plugin, &["jobs"]));
        }
        for parser in parsers {
            if let Parser::PluginParser(parser) = &parser.value {
                named.push((&parser.plugin, &["parser", "table"]));
            }
        }
        if let Some(transport) = transport {
            named.push((&transport.plugin, &["protocol"]));
        }
        let mut sound = true;
        for (name, kinds) in &named {
            let Some(plugin) = find(self.all, name, errors) else {
                sound = false;
                continue;
            };
            if !kinds.contains(&plugin.declared.kind()) {
                let wrong =
                    format!("the plugin `{}` is of kind `{}`", name.0, plugin.declared.kind());
                let right = format!("name one of kind `{}` here", kinds.join("` or `"));
                errors.add(name.span.clone(), wrong, right);
                sound = false;
            }
        }
        for idle in self.chosen.unwrap_or_default() {
            if self.all.iter().any(|plugin| plugin.declared.name().value == idle.value)
                && !named.iter().any(|(used, _)| used.value == idle.value)
            {
                let wrong =
                    format!("board `{}` has no use for the plugin `{}`", name.value, idle.0);
                let right = "name it in a `[[parser]]`, in `[transport.plugin]` or in a `[[job-source]]` of the board, or remove it";
                errors.add(idle.span.clone(), wrong, right);
            }
        }
        let used = |plugin: &&model::Plugin| {
            named.iter().any(|(name, _)| name.value == plugin.declared.name().value)
        };
        // Slots of the store are numbered from 0, so those that have one come first.
        let (slotted, fixed): (Vec<_>, Vec<_>) = self
            .all
            .iter()
            .filter(used)
            .cloned()
            .partition(|plugin| plugin.declared.slot().is_some());
        let used = [slotted, fixed].concat();
        if let Some(one_too_many) = used.get(PLUGINS) {
            let right = format!("at most {PLUGINS}: name those it takes in its `plugins`");
            errors.add(
                one_too_many.declared.span.clone(),
                format!("board `{}` takes too many plugins", name.value),
                right,
            );
        }
        hosted(name, board, &used, errors);
        sound.then_some(used)
    }
}

fn find<'a>(
    all: &'a [model::Plugin],
    name: &At<PluginName>,
    errors: &mut Errors,
) -> Option<&'a model::Plugin> {
    let found = all.iter().find(|plugin| plugin.declared.name().value == name.value);
    if found.is_none() {
        let known: Vec<&str> = all.iter().map(|plugin| plugin.declared.name().0.as_str()).collect();
        let right = did_you_mean(&name.0, &known, "declare it: `[[plugin]]`");
        errors.add(name.span.clone(), format!("unknown plugin `{}`", name.0), right);
    }
    found
}

/// The engine shares memory by reference counts: it needs a processor that can compare and swap.
fn hosted(name: &At<String>, board: &Board, used: &[model::Plugin], errors: &mut Errors) {
    let Some(target) = &board.target.0 else { return };
    let architecture = target.0.split('-').next().unwrap_or_default();
    // No atomic compare-and-swap: Armv6-M, RISC-V without the extension A, small others.
    let riscv_without = architecture
        .strip_prefix("riscv32")
        .is_some_and(|extensions| !extensions.contains('a') && !extensions.starts_with('g'));
    if !riscv_without
        && !["thumbv6m", "avr", "msp430", "thumbv4t", "thumbv5te"].contains(&architecture)
    {
        return;
    }
    let modules = used.iter().filter(|plugin| plugin.declared.module().is_some());
    let modules: Vec<_> = modules.map(|plugin| format!("`{}`", plugin.declared.name().0)).collect();
    if !modules.is_empty() {
        let wrong = format!(
            "board `{}` cannot host {}: {architecture} has no atomic compare-and-swap, which the WebAssembly engine needs",
            name.value,
            modules.join(", ")
        );
        let right = "leave them out with `plugins = […]`; a plugin of `kind = \"table\"` needs no engine, and `kind = \"table\"` of `[[parser]]` no plugin";
        errors.add(board.target.span.clone(), wrong, right);
    }
}

/// Every plugin must be of use to some board.
pub(super) fn used_by_some(all: &[model::Plugin], boards: &[Device], errors: &mut Errors) {
    for plugin in all {
        let name = plugin.declared.name();
        if !boards.iter().any(|board| board.plugin(&name.0).is_some()) {
            let wrong = format!("the plugin `{}` is of no use: no board takes it", name.0);
            let place = match &plugin.declared.value {
                Plugin::ParserModule(_) | Plugin::StoredTable(_) => {
                    "[[parser]]` with `kind = \"plugin\""
                }
                Plugin::ProtocolModule(_) => "[transport.plugin]",
                Plugin::JobsModule(_) => "[[job-source]]` with `kind = \"plugin\"",
            };
            let right = format!(
                "name it in `{place}`, and in the `plugins` of a board that has such a list; or remove it"
            );
            errors.add(name.span.clone(), wrong, right);
        }
    }
}
