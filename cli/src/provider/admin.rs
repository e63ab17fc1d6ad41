//! The operator's side: publish a job, cancel it. What is asked is checked here, against the same
//! limits the service has.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::queue::Before;
use super::state::{Execution, File, Job, Status, Stream};
use super::{Change, Outgoing, Provider, names};

/// A job to publish.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewJob {
    pub(crate) job: String,
    /// For these things; `None`: for every thing known now.
    pub(crate) things: Option<Vec<String>>,
    pub(crate) document: Document,
    pub(crate) timeout_minutes: Option<u64>,
    pub(crate) version: Option<String>,
    pub(crate) stream: Option<NewStream>,
}

/// A stream that comes with a job; its files by number, at least one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewStream {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) files: BTreeMap<u8, File>,
}

/// Why the provider does not do it, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) what: String,
    pub(crate) fix: String,
}

fn refuse<T>(what: impl Into<String>, fix: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { what: what.into(), fix: fix.into() })
}

/// What a cancel did: the things it ended, and those it left because they are IN_PROGRESS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cancelled {
    pub(crate) cancelled: Vec<String>,
    pub(crate) in_progress: Vec<String>,
}

impl Provider {
    /// Queues a job for its things; gives their names and the pushes.
    pub(crate) fn publish(
        &mut self,
        new: NewJob,
        now: u64,
    ) -> Result<(Vec<String>, Vec<Outgoing>), Refusal> {
        let things = self.check(&new)?;
        if let Some(NewStream { name, description, files }) = new.stream {
            self.state.streams.insert(name, Stream { version: 1, description, files });
        }
        let NewJob { job, document, timeout_minutes, version, .. } = new;
        let entry = Job { document, created_at: now, timeout_minutes, version };
        self.state.jobs.insert(job.clone(), entry);
        let mut out = Vec::new();
        for name in &things {
            self.see(name);
            let before = Before::of(self.state.things.get(name));
            let execution = Execution::queued(&job, now);
            self.changes
                .push(Change::Execution { thing: name.clone(), execution: execution.clone() });
            if let Some(thing) = self.state.things.get_mut(name) {
                thing.executions.push(execution);
            }
            before.pushes(&self.state, name, now, &mut out);
        }
        Ok((things, out))
    }

    fn check(&self, new: &NewJob) -> Result<Vec<String>, Refusal> {
        if !names::is_job(&new.job) {
            let what = format!("job id {:?} is not valid", new.job);
            return refuse(what, "1 to 64 characters of a-z A-Z 0-9 _ -");
        }
        if self.state.jobs.contains_key(&new.job) {
            return refuse(
                format!("there is already a job {}", new.job),
                "give another --job, or none to have one made",
            );
        }
        let bytes = new.document.len();
        if bytes > names::DOCUMENT_MAX {
            return refuse(
                format!("the job document has {bytes} bytes"),
                format!("at most {} are carried", names::DOCUMENT_MAX),
            );
        }
        if new.timeout_minutes.is_some_and(|m| !(1..=names::TIMEOUT_MAX_MINUTES).contains(&m)) {
            return refuse(
                "the timeout is out of range",
                format!("1 to {} minutes", names::TIMEOUT_MAX_MINUTES),
            );
        }
        if let Some(stream) = &new.stream {
            self.check_stream(stream)?;
        }
        self.check_things(new.things.as_deref())
    }

    fn check_stream(&self, stream: &NewStream) -> Result<(), Refusal> {
        if !names::is_stream(&stream.name) {
            let what = format!("stream name {:?} is not valid", stream.name);
            return refuse(what, "1 to 128 characters of a-z A-Z 0-9 _ -");
        }
        if self.state.streams.contains_key(&stream.name) {
            return refuse(
                format!("there is already a stream {}", stream.name),
                "give another --stream, or none to have one made",
            );
        }
        if stream.files.is_empty() {
            return refuse("the stream has no file", "give it one");
        }
        for file in stream.files.values() {
            if !(1..=names::FILE_MAX).contains(&file.size) {
                return refuse(
                    format!("the image has {} bytes", file.size),
                    format!("a stream carries 1 to {} bytes", names::FILE_MAX),
                );
            }
            if let Err(error) = self.images.read(&file.image, file.size - 1, 1) {
                let what = format!("image {} cannot be read: {error}", file.image);
                return refuse(what, "publish with the provider's own --state folder");
            }
        }
        Ok(())
    }

    fn check_things(&self, things: Option<&[String]>) -> Result<Vec<String>, Refusal> {
        let things: Vec<String> = match things {
            Some(things) => things.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect(),
            None => self.state.things.keys().cloned().collect(),
        };
        if things.is_empty() {
            return refuse(
                "no thing is known yet",
                "name it with --thing, or publish after it has connected",
            );
        }
        match things.iter().find(|name| !names::is_thing(name)) {
            None => Ok(things),
            Some(bad) => refuse(
                format!("thing name {bad:?} is not valid"),
                "1 to 128 characters of a-z A-Z 0-9 : _ -",
            ),
        }
    }

    /// Cancels a job, on one thing or on all. IN_PROGRESS ones are left alone unless forced.
    pub(crate) fn cancel(
        &mut self,
        job: &str,
        thing: Option<&str>,
        force: bool,
        now: u64,
    ) -> Result<(Cancelled, Vec<Outgoing>), Refusal> {
        if !self.state.jobs.contains_key(job) {
            return refuse(format!("there is no job {job}"), "`cargo ota status` lists the jobs");
        }
        let mut pending = Vec::new();
        for (name, known) in &self.state.things {
            if let Some(execution) = known.execution(job)
                && thing.is_none_or(|thing| thing == name)
            {
                pending.push((name.clone(), execution.status));
            }
        }
        match (thing, pending.first()) {
            (Some(thing), None) => {
                let what = format!("{thing} has no execution of {job}");
                return refuse(what, "`cargo ota status` lists who has which job");
            }
            (Some(thing), Some((_, status))) if status.is_terminal() => {
                let what = format!("{job} on {thing} is already {}", status.word());
                return refuse(what, "nothing is left to cancel");
            }
            (Some(thing), Some((_, Status::InProgress))) if !force => {
                let what = format!("{job} is IN_PROGRESS on {thing}");
                return refuse(what, "add --force to cancel it all the same");
            }
            _ => {}
        }
        let mut done = Cancelled::default();
        let mut out = Vec::new();
        for (name, status) in pending {
            match status {
                Status::InProgress if !force => done.in_progress.push(name),
                status if status.is_terminal() => {}
                _ => {
                    self.end(&name, job, Status::Canceled, now, &mut out);
                    done.cancelled.push(name);
                }
            }
        }
        Ok((done, out))
    }
}
