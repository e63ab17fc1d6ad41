//! `cargo ota status`: who is where, and why it failed.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::control::{Connection, Reply, Request};
use crate::error::Result;
use crate::out::Out;
use crate::report::{Live, Row, Snapshot, ago, now};
use crate::store::DEFAULT_DIR;

/// Show who is where: status, progress and reasons per thing and job
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Only these jobs
    #[arg(long, value_name = "JOB")]
    job: Vec<String>,
    /// Only these things
    #[arg(long, value_name = "NAME")]
    thing: Vec<String>,
    /// Follow the changes until interrupted
    #[arg(long)]
    watch: bool,
    /// Folder of the running provider
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    state: PathBuf,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let mut provider = Connection::open(&self.state)?;
        let request = if self.watch { Request::Watch } else { Request::Status };
        if let Reply::Status(mut snapshot) = provider.ask(request)? {
            snapshot.rows.retain(|row| self.wants(row));
            let every = self.job.is_empty() && self.thing.is_empty();
            snapshot.idle.retain(|thing| every || self.thing.contains(thing));
            show(&snapshot, out);
        }
        if !self.watch {
            return Ok(());
        }
        let mut live = Live::new(out);
        while let Some(reply) = provider.next()? {
            if let Reply::Change(row) = reply
                && self.wants(&row)
            {
                live.show(&row);
            }
        }
        out.event("stopped", &json!({}), "the provider stopped");
        Ok(())
    }

    fn wants(&self, row: &Row) -> bool {
        let among = |wanted: &[String], name| wanted.is_empty() || wanted.contains(name);
        among(&self.job, &row.job) && among(&self.thing, &row.thing)
    }
}

/// A table, then the counts.
fn show(snapshot: &Snapshot, out: &Out) {
    let now = now();
    let cells: Vec<[String; 6]> = snapshot.rows.iter().map(|row| cells(row, now)).collect();
    let width = |column: usize| {
        cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..5).map(width).collect();
    for (row, cells) in snapshot.rows.iter().zip(&cells) {
        let columns = cells.iter().zip(&widths).filter(|&(_, &width)| width > 0);
        let padded = columns.map(|(cell, &width)| format!("{cell:width$}  "));
        out.event(
            "execution",
            row,
            format!("{}{}", padded.collect::<String>(), cells[5]).trim_end(),
        );
    }
    for thing in &snapshot.idle {
        out.event("idle", &json!({ "thing": thing }), format_args!("{thing}  no job"));
    }
    let counts = snapshot.counts();
    let words = counts.iter().map(|(status, count)| format!("{count} {}", status.word()));
    let line = match snapshot.rows.len() {
        0 => "no jobs; `cargo ota publish` makes one".to_owned(),
        _ => words.collect::<Vec<_>>().join(", "),
    };
    out.event("counts", &json!({ "counts": counts, "idle": snapshot.idle.len() }), line);
}

fn cells(row: &Row, now: u64) -> [String; 6] {
    [
        row.thing.clone(),
        row.job.clone(),
        row.version.as_ref().map(|version| format!("v{version}")).unwrap_or_default(),
        row.status.word().to_owned(),
        format!("{} ago", ago(row.updated_at, now)),
        row.words(),
    ]
}
