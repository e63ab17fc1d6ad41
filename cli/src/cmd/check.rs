//! `cargo ota check`: everything that is wrong with an `ota.toml`, or what each board comes to.

use std::path::PathBuf;

use coreota_config::Model;
use coreota_config::model::Device;
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
    let required = device.verify.require.0.iter().flatten();
    let algorithms = required.map(|required| required.word().to_owned());
    let boot = device.bootloader.kind().to_owned();
    [jobs].into_iter().chain(parsers).chain([stream]).chain(algorithms).chain([boot]).collect()
}

fn summary(model: &Model, device: &Device) -> String {
    let (layout, memory) = (&device.layout, &device.memory);
    let budget = match device.ram_budget() {
        Some(ram) => format!(" of {} budgeted", size(ram)),
        None => ", no budget".into(),
    };
    let name = &device.name.value;
    [
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
        format!(
            "  RAM      about {}{budget}: buffer {}, state {}, receive {}",
            size(memory.total()),
            size(memory.buffer),
            size(memory.state),
            size(memory.receive)
        ),
        format!("  code     {}", code(device)),
        format!("  linked   {}\n", linked(device).join(", ")),
    ]
    .join("\n")
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
        },
        "code_budget": device.flash_budget(),
        "linked": linked(device),
    })
}
