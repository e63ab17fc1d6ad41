//! Who is where: one row per thing and job, for `serve`, `status` and machines alike.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use crate::out::Out;
use crate::provider::state::{Details, Execution, State, Status};

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// One job on one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) thing: String,
    pub(crate) job: String,
    pub(crate) status: Status,
    pub(crate) details: Details,
    /// The version of the image, if the publisher said it.
    pub(crate) version: Option<String>,
    pub(crate) version_number: u64,
    pub(crate) queued_at: u64,
    pub(crate) started_at: Option<u64>,
    pub(crate) updated_at: u64,
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// By thing, then in the order of the queue.
    pub(crate) rows: Vec<Row>,
    /// Known, and without any job.
    pub(crate) idle: Vec<String>,
}

impl Row {
    pub(crate) fn new(state: &State, thing: &str, execution: &Execution) -> Self {
        Self {
            thing: thing.to_owned(),
            job: execution.job.clone(),
            status: execution.status,
            details: execution.details.clone(),
            version: state.jobs.get(&execution.job).and_then(|job| job.version.clone()),
            version_number: execution.version,
            queued_at: execution.queued_at,
            started_at: execution.started_at,
            updated_at: execution.updated_at,
        }
    }

    /// Blocks received and in all, as the device reports them: `"receive": "64/159"`.
    pub(crate) fn progress(&self) -> Option<(u64, u64)> {
        let (received, total) = self.details.get("receive")?.split_once('/')?;
        let progress = (received.parse().ok()?, total.parse().ok()?);
        (self.status == Status::InProgress).then_some(progress)
    }

    /// What the device says, in one line: progress, or the reason, or all it said.
    pub(crate) fn words(&self) -> String {
        if let Some((received, total)) = self.progress() {
            let percent = (received * 100).checked_div(total).unwrap_or(0);
            return format!("{received}/{total} blocks, {percent} %");
        }
        if let Some(reason) = self.details.get("reason") {
            return reason.clone();
        }
        match (self.details.get("self_test").map(String::as_str), self.status) {
            (Some("ready"), Status::InProgress) => "verified, about to reboot".to_owned(),
            (Some("active"), Status::InProgress) => "self-test on trial".to_owned(),
            (_, Status::TimedOut) => "no final report in time".to_owned(),
            _ => {
                let said = self.details.iter().map(|(key, value)| format!("{key}: {value}"));
                said.collect::<Vec<_>>().join(", ")
            }
        }
    }
}

impl Snapshot {
    pub(crate) fn of(state: &State) -> Self {
        let row = |(name, thing): (&String, &crate::provider::state::Thing)| {
            thing.executions.iter().map(|e| Row::new(state, name, e)).collect::<Vec<_>>()
        };
        let idle = state.things.iter().filter(|(_, thing)| thing.executions.is_empty());
        Self {
            rows: state.things.iter().flat_map(row).collect(),
            idle: idle.map(|(name, _)| name.clone()).collect(),
        }
    }

    /// How many are in which status.
    pub(crate) fn counts(&self) -> BTreeMap<Status, usize> {
        let mut counts = BTreeMap::new();
        for row in &self.rows {
            *counts.entry(row.status).or_default() += 1;
        }
        counts
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.thing, self.job)?;
        if let Some(version) = &self.version {
            write!(f, "  v{version}")?;
        }
        write!(f, "  {}", self.status.word())?;
        match self.words().as_str() {
            "" => Ok(()),
            words => write!(f, "  {words}"),
        }
    }
}

/// How long ago, for a person.
pub(crate) fn ago(then: u64, now: u64) -> String {
    match now.saturating_sub(then) {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s @ 7200..172_800 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

/// Rows as they change: progress as bars on a terminal, everything else as lines.
pub(crate) struct Live<'a> {
    out: &'a Out,
    bars: BTreeMap<(String, String), ProgressBar>,
}

impl<'a> Live<'a> {
    pub(crate) fn new(out: &'a Out) -> Self {
        Self { out, bars: BTreeMap::new() }
    }

    pub(crate) fn show(&mut self, row: &Row) {
        let key = (row.thing.clone(), row.job.clone());
        match row.progress() {
            Some((received, total)) if self.out.has_bars() => {
                let out = self.out;
                let what = format!("{} {}", row.thing, row.job);
                let bar = self.bars.entry(key).or_insert_with(|| out.bar(total, what));
                bar.set_position(received);
            }
            progress => {
                if progress.is_none()
                    && let Some(bar) = self.bars.remove(&key)
                {
                    bar.finish_and_clear();
                }
                self.out.event("execution", row, row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(status: Status, details: &[(&str, &str)]) -> Row {
        let mut execution: Execution = serde_json::from_value(serde_json::json!({
            "job": "j", "status": status, "details": {}, "queued_at": 1, "started_at": null,
            "updated_at": 2, "version": 3, "number": 1, "deadline": null, "step_deadline": null,
        }))
        .expect("an execution");
        execution.details =
            details.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
        Row::new(&State::default(), "a", &execution)
    }

    #[test]
    fn words_tell_progress_reason_or_phase() {
        use Status::*;
        for (status, details, words) in [
            (InProgress, &[("receive", "64/159")][..], "64/159 blocks, 40 %"),
            (InProgress, &[("receive", "0/0")], "0/0 blocks, 0 %"),
            (
                InProgress,
                &[("self_test", "ready"), ("updatedBy", "0x1")],
                "verified, about to reboot",
            ),
            (InProgress, &[("self_test", "active")], "self-test on trial"),
            (Failed, &[("reason", "signature does not match")], "signature does not match"),
            (TimedOut, &[("receive", "1/2")], "no final report in time"),
            (Queued, &[], ""),
            (Failed, &[("b", "2"), ("a", "1")], "a: 1, b: 2"),
        ] {
            assert_eq!(row(status, details).words(), words);
        }
    }

    #[test]
    fn ages_have_a_fitting_unit() {
        let ages = [(119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 days")];
        for (seconds, text) in ages {
            assert_eq!(ago(0, seconds), text);
        }
        assert_eq!(ago(5, 0), "0 s", "a clock set back");
    }
}
