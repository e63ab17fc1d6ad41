//! `cargo ota plugin order`: a job that says what is to become of a plugin which a device has.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::control::{Connection, Reply, Request};
use crate::error::Result;
use crate::out::Out;
use crate::provider::{Document, NewJob};
use crate::publishing;
use crate::store::DEFAULT_DIR;

/// Order devices to list, disable, enable or remove plugins, as a job
///
/// Job documents are not signed: an order can take a plugin away or bring back one that was verified,
/// never bring one in. Its answer is in the job's status: which plugins the device has now.
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// What to do
    #[arg(value_enum)]
    verb: Verb,
    /// The plugin, by the name of its `[[plugin]]`
    #[arg(required_if_eq_any([("verb", "disable"), ("verb", "enable"), ("verb", "remove")]))]
    name: Option<String>,
    /// For this thing; may be repeated
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    thing: Vec<String>,
    /// For every thing the provider knows
    #[arg(long, conflicts_with = "thing")]
    all: bool,
    /// Job id [default: made of the order and a random number]
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Follow the job until it is over everywhere; exit 1 when it did not succeed everywhere
    #[arg(long)]
    wait: bool,
    /// Folder of the running provider
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    state: PathBuf,
}

/// What a device can be told, as the job's document says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Verb {
    /// Tell which plugins there are
    List,
    /// Stop one and keep it
    Disable,
    /// Start one that was disabled
    Enable,
    /// Forget one, but for its version: an older one is not taken after it
    Remove,
}

impl Verb {
    const fn word(self) -> &'static str {
        match self {
            Verb::List => "list",
            Verb::Disable => "disable",
            Verb::Enable => "enable",
            Verb::Remove => "remove",
        }
    }
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let mut order = json!({ "plugins": self.verb.word() });
        // To list asks about all of them.
        if let (Some(name), true) = (&self.name, self.verb != Verb::List) {
            order["name"] = json!(name);
        }
        let text = json!({ "coreota": order }).to_string();
        let document = Document::parse(&text).expect("an object");
        let job = match &self.job {
            Some(job) => job.clone(),
            None => publishing::job_id(&Sha256::digest(&text))?,
        };
        let reply = Connection::open(&self.state)?.ask(Request::Publish(NewJob {
            job: job.clone(),
            things: (!self.all).then_some(self.thing),
            document,
            timeout_minutes: None,
            version: None,
            stream: None,
        }))?;
        if let Reply::Published(things) = reply {
            let line = format!("{job}  {text}, queued for {}", things.join(", "));
            out.event("published", &json!({ "job": job, "things": things, "order": order }), line);
        }
        if self.wait { publishing::follow(&self.state, &job, out) } else { Ok(()) }
    }
}
