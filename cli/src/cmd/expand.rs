//! `cargo ota expand`: what `orchestrator!` becomes, to read.

use std::path::PathBuf;

use serde_json::json;

use crate::error::{Error, Exit, Result};
use crate::ota_toml;
use crate::out::Out;

/// Print what `orchestrator!` becomes for a board
#[derive(clap::Args)]
pub(crate) struct Cmd {
    /// The file to expand
    #[arg(default_value = "ota.toml")]
    file: PathBuf,
    /// The board; not needed where there is only one
    #[arg(long, env = coreota_config::emit::BOARD)]
    board: Option<String>,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let model = ota_toml::read(&self.file, out)?;
        let known = || {
            model
                .boards
                .iter()
                .map(|device| device.name.value.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let device = model.choose(self.board.as_deref()).map_err(|report| {
            let wrong = report.errors.first().map_or("no such board", |error| &error.wrong);
            Error::new(Exit::No, wrong).fix(format!("--board with one of: {}", known()))
        })?;
        let text = coreota_config::emit::format(coreota_config::emit(&model, device))
            .map_err(|why| Error::new(Exit::File, format!("the expansion is not Rust: {why}")))?;
        out.event(
            "expansion",
            &json!({ "board": device.name.value, "rust": text }),
            text.trim_end(),
        );
        Ok(())
    }
}
