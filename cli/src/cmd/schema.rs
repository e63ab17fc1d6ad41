//! `cargo ota schema`: the keys of `ota.toml` for editors, or as a page to read.

use serde_json::json;

use crate::error::Result;
use crate::out::Out;

/// Print the JSON Schema of ota.toml, or the reference of its keys
#[derive(clap::Args)]
pub(crate) struct Cmd {
    /// The reference of every key, in Markdown
    #[arg(long)]
    reference: bool,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let (name, text) = match self.reference {
            true => ("reference", coreota_config::reference::reference()),
            false => ("schema", coreota_config::schema::schema()),
        };
        out.event(name, &json!({ "text": text }), text.trim_end());
        Ok(())
    }
}
