//! `cargo ota check`: everything that is wrong with an `ota.toml`, or what each board comes to.

use std::path::PathBuf;

use coreota_config::Model;
use coreota_config::model::{Device, Plugin};
use coreota_config::values::size;
use serde_json::{Value, json};

use crate::error::Result;
use crate::ota_toml;
use crate::out::Out;

/// Check ota.toml: all its mistakes at once, or what each board comes to
#[derive(clap::Args)]
pub(crate) struct Cmd {
    /// The file to check
    #[arg(default_value = "ota.toml")]
    file: PathBuf,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let model = ota_toml::read(&self.file, out)?;
        for device in &model.boards {
            out.event("board", &facts(device), summary(&model, device));
        }
        out.event("checked", &json!({ "boards": model.boards.len() }), "Nothing is wrong.");
        Ok(())
    }
}

/// What is linked into the firmware of a board.
fn linked(device: &Device) -> Vec<String> {
    let jobs = device.jobs.kind().to_owned();
    let parsers = device.parsers.iter().map(|parser| parser.called().to_owned());
    let stream = format!("mqtt-stream in {}", device.stream.encoding.word());
    let blocks = device.block_plugin().map(|(_, plugin)| plugin.declared.name().0.clone());
    let required = device.verify.require.0.iter().flatten();
    let algorithms = required.map(|required| required.word().to_owned());
    let boot = device.bootloader.kind().to_owned();
    [jobs]
        .into_iter()
        .chain(parsers)
        .chain([stream])
        .chain(blocks)
        .chain(algorithms)
        .chain([boot])
        .chain(device.tls.then(|| "tls".to_owned()))
        .collect()
}

fn summary(model: &Model, device: &Device) -> String {
    let (layout, memory) = (&device.layout, &device.memory);
    let budget = match device.ram_budget() {
        Some(ram) => format!(" of {} budgeted", size(ram)),
        None => ", no budget".into(),
    };
    let name = &device.name.value;
    let parts: Vec<String> =
        memory.parts().map(|(what, len)| format!("{what} {}", size(len))).collect();
    let lines = [
        format!("{name} ({}), for {}", model.origin(&device.name), device.target),
        format!("  slots    {} runs, {} is written", layout.primary, layout.secondary),
        format!(
            "  image    {}: at most {} in {} blocks of {}",
            layout.image,
            size(layout.image.len),
            layout.blocks,
            size(device.stream.block_size.value.0)
        ),
        format!("  journal  {}: {} of each half used", layout.journal, size(layout.journal_half)),
        plugins(device),
        format!("  RAM      about {}{budget}: {}", size(memory.total()), parts.join(", ")),
        format!("  code     {}", code(device)),
        format!("  linked   {}\n", linked(device).join(", ")),
    ];
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A line for each plugin, and one for where those from over the air are kept.
fn plugins(device: &Device) -> String {
    let told = device.plugins.iter().map(|plugin| {
        let declared = &plugin.declared;
        let mut facts = Vec::new();
        if let Some(module) = &plugin.module {
            facts.push(format!("{} compiled in, {}", module.file.display(), size(module.len)));
        }
        if let Some(slot) = declared.slot() {
            facts.push(format!("over the air up to {}", size(slot.value)));
        }
        if let Some(module) = declared.module() {
            let arena = size(module.arena.value.0);
            facts.push(format!("arena {arena}, fuel {} a call", module.fuel.value.0));
        }
        format!("  plugin   {}, {}: {}", declared.name().0, declared.kind(), facts.join("; "))
    });
    let store = device.layout.plugins.map(|cells| {
        format!(
            "  store    {}: {} cells of {}, one spare",
            cells.region,
            cells.count,
            size(cells.cell)
        )
    });
    told.chain(store).collect::<Vec<_>>().join("\n")
}

fn code(device: &Device) -> String {
    match device.flash_budget() {
        Some(flash) => format!("{} of flash budgeted", size(flash)),
        None => "no budget".into(),
    }
}

fn facts(device: &Device) -> Value {
    let (layout, memory) = (&device.layout, &device.memory);
    json!({
        "board": device.name.value,
        "target": device.target,
        "image": { "start": layout.image.start, "len": layout.image.len },
        "blocks": layout.blocks,
        "block_size": device.stream.block_size.value.0,
        "journal": {
            "start": layout.journal.start, "len": layout.journal.len, "half_used": layout.journal_half,
        },
        "ram": {
            "total": memory.total(), "budget": device.ram_budget(), "buffer": memory.buffer,
            "state": memory.state, "receive": memory.receive,
            "arenas": memory.arenas, "plugin_stack": memory.plugin_stack,
        },
        "plugins": device.plugins.iter().map(plugin).collect::<Vec<_>>(),
        "store": device.layout.plugins.map(|cells| json!({
            "start": cells.region.start, "len": cells.region.len, "cell": cells.cell, "cells": cells.count,
        })),
        "code_budget": device.flash_budget(),
        "linked": linked(device),
    })
}

fn plugin(plugin: &Plugin) -> Value {
    let declared = &plugin.declared;
    let limits = declared.module();
    json!({
        "name": declared.name().0,
        "kind": declared.kind(),
        "slot": declared.slot().map(|slot| slot.value),
        "compiled_in": plugin.module.as_ref().map(|module| module.len),
        "arena": limits.map(|module| module.arena.value.0),
        "fuel": limits.map(|module| module.fuel.value.0),
    })
}
