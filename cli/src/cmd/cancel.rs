//! `cargo ota cancel`: takes a job back.

use std::path::PathBuf;

use clap::Args;

use crate::control::{Connection, Reply, Request};
use crate::error::Result;
use crate::out::Out;
use crate::store::DEFAULT_DIR;

/// Cancel a job: what is queued, and with --force what is in progress
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// The job, as `cargo ota status` names it
    job: String,
    /// Only on this thing
    #[arg(long, value_name = "NAME")]
    thing: Option<String>,
    /// Also where it is IN_PROGRESS; the device's later reports are then refused
    #[arg(long)]
    force: bool,
    /// Folder of the running provider
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    state: PathBuf,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let Self { job, thing, force, state } = self;
        let request = Request::Cancel { job: job.clone(), thing, force };
        if let Reply::Cancelled(done) = Connection::open(&state)?.ask(request)? {
            let mut line = format!("{job} is cancelled on {} things", done.cancelled.len());
            if !done.in_progress.is_empty() {
                let left = done.in_progress.join(", ");
                line += &format!("; IN_PROGRESS and left alone (--force ends them): {left}");
            }
            out.event("cancelled", &done, line);
        }
        Ok(())
    }
}
