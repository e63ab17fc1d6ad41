//! `cargo ota plugin publish`: a job that brings a plugin, alone or before the firmware that needs it.

use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine};
use clap::Args;
use coreota::image::PluginFile;
use coreota::plugin::Content;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::board::spelt;
use crate::cmd::sign::version;
use crate::control::{Connection, Reply, Request};
use crate::error::{Error, Result};
use crate::job_document::{self, Facts};
use crate::out::Out;
use crate::provider::{NewJob, NewStream};
use crate::publishing;
use crate::store::{DEFAULT_DIR, ImageFolder, hex};

/// `fileType` of a plugin and of a table in an afr_ota document.
const PLUGIN: u32 = 101;
const TABLE: u32 = 102;

/// Publish a plugin as a job; with --with-firmware the plugin comes first, then the image
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The signed file: `cargo ota plugin sign` makes it
    file: PathBuf,
    /// For this thing; may be repeated
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    thing: Vec<String>,
    /// For every thing the provider knows
    #[arg(long, conflicts_with = "thing")]
    all: bool,
    /// An image to install behind it, in the same job
    #[arg(long, value_name = "IMAGE")]
    with_firmware: Option<PathBuf>,
    /// Version of the firmware, for `status`
    #[arg(long, value_parser = version, requires = "with_firmware")]
    version: Option<coreota::version::Version>,
    /// Sign the files of the job with this ECDSA P-256 private key too (sig-sha256-ecdsa)
    #[arg(long, value_name = "PEM")]
    key: Option<PathBuf>,
    /// Job id [default: made of the plugin's digest and a random number]
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Minutes from IN_PROGRESS to TIMED_OUT, 1 to 10080 [default: never]
    #[arg(long, value_name = "MINUTES")]
    timeout: Option<u64>,
    /// Follow the job until it is over everywhere; exit 1 when it did not succeed everywhere
    #[arg(long)]
    wait: bool,
    /// Folder of the running provider
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    state: PathBuf,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let bytes = publishing::read(&self.file)?;
        let Some(plugin) = PluginFile::read(&bytes) else {
            return Err(Error::file("publish", &self.file, "it is no signed plugin")
                .fix("`cargo ota plugin sign` makes one of a module"));
        };
        let digest = Sha256::digest(&bytes);
        let job = match &self.job {
            Some(job) => job.clone(),
            None => publishing::job_id(&digest)?,
        };
        let stream = publishing::stream_name(&digest, &job);
        let file_type = if plugin.facts.content == Content::Table { TABLE } else { PLUGIN };
        let mut files =
            vec![(self.facts(&self.file, &bytes, &stream, 0, file_type)?, bytes.clone())];
        if let Some(path) = &self.with_firmware {
            let image = publishing::read(path)?;
            files.push((self.facts(path, &image, &stream, 1, 0)?, image));
        }
        let all: Vec<&Facts> = files.iter().map(|(facts, _)| facts).collect();
        let document = job_document::afr_ota(&all);
        // Connect before copying: without a provider nothing is left behind.
        let mut provider = Connection::open(&self.state)?;
        for (_, bytes) in &files {
            ImageFolder::of(&self.state).put(bytes)?;
        }
        let version = self.version.map(spelt);
        let reply = provider.ask(Request::Publish(NewJob {
            job: job.clone(),
            things: (!self.all).then_some(self.thing),
            document,
            timeout_minutes: self.timeout,
            version,
            stream: Some(NewStream {
                name: stream.clone(),
                description: format!("plugin {}", plugin.name),
                files: all.iter().map(|facts| (facts.file_id, facts.file())).collect(),
            }),
        }))?;
        if let Reply::Published(things) = reply {
            let behind = match self.with_firmware {
                Some(path) => format!(" and {} behind it", path.display()),
                None => String::new(),
            };
            let line = format!(
                "{job}  plugin `{}`, {} bytes{behind}, queued for {}",
                plugin.name,
                bytes.len(),
                things.join(", ")
            );
            let sizes: Vec<u64> = all.iter().map(|facts| facts.size).collect();
            let fields = json!({
                "job": job, "things": things, "stream": stream, "plugin": plugin.name, "sizes": sizes,
                "sha256": hex(&digest),
            });
            out.event("published", &fields, line);
        }
        if self.wait { publishing::follow(&self.state, &job, out) } else { Ok(()) }
    }

    fn facts(
        &self,
        path: &std::path::Path,
        bytes: &[u8],
        stream: &str,
        file_id: u8,
        file_type: u32,
    ) -> Result<Facts> {
        let signature = match &self.key {
            Some(key) => Some(BASE64_STANDARD.encode(publishing::sign(key, bytes)?)),
            None => None,
        };
        Ok(Facts {
            stream: stream.to_owned(),
            size: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
            signature,
            file_path: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            file_id,
            file_type,
            ..Facts::default()
        })
    }
}
