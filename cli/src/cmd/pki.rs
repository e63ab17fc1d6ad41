//! `cargo ota pki`: makes certificates to try TLS with.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::Result;
use crate::out::Out;
use crate::pki::{DEFAULT_DIR, Folder, HOSTS};

/// Make a CA with certificates for a broker and devices, for tests and small fleets
///
/// What is in the folder already stays: called again, it adds devices. `cargo ota serve --tls`, `run` and
/// `provision --pki` take the folder as it is; for mosquitto it prints what to write. Private keys are
/// readable by their owner only, and lie in the folder beside everything else: a product has its CA elsewhere.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The folder
    #[arg(value_name = "DIR", default_value = DEFAULT_DIR)]
    folder: PathBuf,
    /// A device to make a certificate for, by its name at the provider; may be repeated
    #[arg(long, value_name = "NAME")]
    thing: Vec<String>,
    /// A host name or address that the broker is found by; may be repeated [default: this machine,
    /// also as QEMU's boards find it]
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let folder = Folder::new(&self.folder);
        let made = folder.fill(&self.host, &self.thing)?;
        let settings = folder.mosquitto();
        let hosts: Vec<&str> = match self.host.is_empty() {
            true => HOSTS.to_vec(),
            false => self.host.iter().map(String::as_str).collect(),
        };
        let what = |name: &String| match name.as_str() {
            "ca" => "ca (the CA: who has its key can make devices)".to_owned(),
            "broker" => format!("broker (for {})", hosts.join(", ")),
            thing => thing.to_owned(),
        };
        let told = match made.is_empty() {
            true => "nothing: all of it was there".to_owned(),
            false => made.iter().map(what).collect::<Vec<_>>().join(", "),
        };
        let fields = json!({ "folder": self.folder, "made": made, "mosquitto": settings });
        let line = format!(
            "{}  made {told}\n\nFor tests and small fleets: the keys lie in the folder, nothing is ever \
             revoked. For mosquitto,\nwhich must be able to read broker.key.pem:\n\n{settings}",
            self.folder.display()
        );
        out.event("pki", &fields, line.trim_end());
        Ok(())
    }
}
