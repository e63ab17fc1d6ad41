//! `cargo ota publish`: makes a job of an image and hands it to the running provider.
//!
//! Keys stay in this process: the provider gets the finished document and the image.

use std::fs;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine};
use clap::Args;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::control::{Connection, Reply, Request};
use crate::error::{Error, Result};
use crate::job_document::{self, Facts};
use crate::keys;
use crate::out::Out;
use crate::provider::{NewJob, NewStream};
use crate::publishing;
use crate::store::{DEFAULT_DIR, ImageFolder, hex};

/// Publish an image as a job for one thing, several, or all
///
/// The job document is AWS's `afr_ota` one. With --document it is a file of your own, in which
/// ${stream}, ${size}, ${sha256}, ${signature}, ${url} and ${version} are filled in.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The image to install
    image: PathBuf,
    /// For this thing; may be repeated
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    thing: Vec<String>,
    /// For every thing the provider knows
    #[arg(long, conflicts_with = "thing")]
    all: bool,
    /// Job id [default: made of the image's digest and a random number]
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Version of the image: for `status` and ${version}; devices read it from signed bytes
    #[arg(long)]
    version: Option<String>,
    /// Sign the image with this ECDSA P-256 private key (sig-sha256-ecdsa)
    #[arg(long, value_name = "PEM", conflicts_with = "signature")]
    key: Option<PathBuf>,
    /// File with a signature made elsewhere: DER, or base64 of it
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// A document of your own instead of afr_ota
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Where the image can be fetched over HTTP, besides the stream
    #[arg(long)]
    url: Option<String>,
    /// Minutes from IN_PROGRESS to TIMED_OUT, 1 to 10080 [default: never]
    #[arg(long, value_name = "MINUTES")]
    timeout: Option<u64>,
    /// Name of the stream [default: AFR_OTA-UUID]
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// filepath in afr_ota [default: the image's file name]
    #[arg(long, value_name = "PATH")]
    file_path: Option<String>,
    /// File id in stream and document
    #[arg(long, value_name = "0-255", default_value = "0")]
    file_id: u8,
    /// fileType in afr_ota
    #[arg(long, value_name = "N", default_value = "0")]
    file_type: u32,
    /// certfile in afr_ota: the name the device knows the key by
    #[arg(long, value_name = "NAME")]
    certfile: Option<String>,
    /// Follow the job until it is over everywhere; exit 1 when it did not succeed everywhere
    #[arg(long)]
    wait: bool,
    /// Folder of the running provider
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    state: PathBuf,
}

#[derive(Serialize)]
struct Published<'a> {
    job: &'a str,
    things: Vec<String>,
    stream: String,
    size: u64,
    sha256: &'a str,
    signed: bool,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let image = publishing::read(&self.image)?;
        let digest = Sha256::digest(&image);
        let job = match &self.job {
            Some(job) => job.clone(),
            None => publishing::job_id(&digest)?,
        };
        let facts = self.facts(&image, &digest, &job)?;
        let document = match &self.document {
            None => job_document::afr_ota(&[&facts]),
            Some(path) => {
                let template = fs::read_to_string(path)
                    .map_err(|error| Error::file("read", path, error).fix("check --document"))?;
                job_document::fill(&template, &facts)
                    .map_err(|(what, fix)| Error::file("use", path, what).fix(fix))?
            }
        };
        // Connect before copying: without a provider nothing is left behind.
        let mut provider = Connection::open(&self.state)?;
        ImageFolder::of(&self.state).put(&image)?;
        let reply = provider.ask(Request::Publish(NewJob {
            job: job.clone(),
            things: (!self.all).then_some(self.thing),
            document,
            timeout_minutes: self.timeout,
            version: self.version,
            stream: Some(NewStream {
                name: facts.stream.clone(),
                description: facts.file_path.clone(),
                files: [(facts.file_id, facts.file())].into(),
            }),
        }))?;
        if let Reply::Published(things) = reply {
            let line = format!("{job}  {} bytes, queued for {}", facts.size, things.join(", "));
            let signed = facts.signature.is_some();
            let (size, sha256, stream) = (facts.size, facts.sha256.as_str(), facts.stream);
            let fields = Published { job: &job, things, stream, size, sha256, signed };
            out.event("published", &fields, line);
            if !signed {
                out.line("not signed here: devices take it only with a signature inside the image");
            }
        }
        if self.wait { publishing::follow(&self.state, &job, out) } else { Ok(()) }
    }

    fn facts(&self, image: &[u8], digest: &[u8], job: &str) -> Result<Facts> {
        let name = self.image.file_name().unwrap_or_default().to_string_lossy();
        Ok(Facts {
            stream: self.stream.clone().unwrap_or_else(|| publishing::stream_name(digest, job)),
            size: image.len() as u64,
            sha256: hex(digest),
            signature: self.sign(image)?.map(|der| BASE64_STANDARD.encode(der)),
            url: self.url.clone(),
            version: self.version.clone(),
            file_path: self.file_path.clone().unwrap_or_else(|| name.into_owned()),
            file_id: self.file_id,
            file_type: self.file_type,
            certfile: self.certfile.clone(),
        })
    }

    fn sign(&self, image: &[u8]) -> Result<Option<Vec<u8>>> {
        if let Some(path) = &self.key {
            return publishing::sign(path, image).map(Some);
        }
        self.signature.as_deref().map(read_signature).transpose()
    }
}

fn read_signature(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path)
        .map_err(|error| Error::file("read", path, error).fix("check --signature"))?;
    let text = std::str::from_utf8(&bytes).ok().and_then(|t| BASE64_STANDARD.decode(t.trim()).ok());
    let der = text.unwrap_or(bytes);
    if keys::is_ecdsa_p256_der(&der) {
        return Ok(der);
    }
    Err(Error::file("use", path, "it is no ECDSA P-256 signature")
        .fix("`openssl dgst -sha256 -sign KEY IMAGE` writes one"))
}
