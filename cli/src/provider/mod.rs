//! The update provider as a state machine: AWS IoT Jobs and MQTT file streams, without I/O.
//!
//! A request goes in with the time ([`Provider::on_message`]), the messages to publish come out;
//! [`Provider::tick`] ends what timed out; [`Provider::publish`] and [`Provider::cancel`] are the
//! operator's side. What changed is collected for the log ([`Provider::take_changes`]); whoever
//! drives this saves [`Provider::state`] before the messages leave. The bytes of images come
//! through [`Images`].
//!
//! ```text
//! topic ─► names, job_wire ─► jobs ──► execution (life cycle, timers) ──► queue (pushes) ─► out
//!     ├──► stream (json | cbor ─► rules ─► blocks) ─────────────────────────────────────► out
//!     └──► raw_blocks ──────────────────────────────────────────────────────────────────► out
//! ```

mod admin;
mod document;
mod execution;
mod job_wire;
mod jobs;
pub(crate) mod names;
mod queue;
mod raw_blocks;
pub(crate) mod state;
mod stream;
#[cfg(test)]
mod tests;
mod topic;

use serde::Serialize;

pub(crate) use admin::{Cancelled, NewJob, NewStream, Refusal};
pub(crate) use document::Document;
use queue::Before;
use state::{Details, Execution, State, Status};
use topic::Operation;
pub(crate) use topic::{FILTERS, reply_topics};

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    /// QoS 1 instead of 0. Jobs messages are, stream messages are not: a lost block is asked again.
    pub(crate) acknowledged: bool,
}

impl Outgoing {
    fn json(topic: String, message: &impl Serialize) -> Self {
        Self::once_at_least(topic, to_json(message))
    }

    fn once_at_least(topic: String, payload: Vec<u8>) -> Self {
        Self { topic, payload, acknowledged: true }
    }
}

fn to_json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("messages are plain structs with text keys")
}

/// Where the bytes of images are.
pub(crate) trait Images: Send {
    /// `len` bytes from `offset` of the image with this SHA-256; the provider stays inside the file.
    fn read(&self, image: &str, offset: u64, len: usize) -> std::io::Result<Vec<u8>>;
}

/// Something worth telling, as it happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// A thing was heard of for the first time.
    Thing(String),
    /// An execution is new or moved on.
    Execution { thing: String, execution: Execution },
}

/// The provider. See the module's documentation.
pub(crate) struct Provider {
    state: State,
    images: Box<dyn Images>,
    changes: Vec<Change>,
}

impl Provider {
    pub(crate) fn new(state: State, images: Box<dyn Images>) -> Self {
        Self { state, images, changes: Vec::new() }
    }

    /// What is to be saved.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// What changed since the last call. Not empty means: save before publishing.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Answers a message. What is not a request gets no answer.
    pub(crate) fn on_message(&mut self, topic: &str, payload: &[u8], now: u64) -> Vec<Outgoing> {
        let Some(request) = topic::parse(topic) else {
            return self.raw_blocks(topic, payload).unwrap_or_default();
        };
        match request.operation {
            Operation::DescribeStream(stream, coding) => {
                self.describe_stream(request.thing, stream, coding, payload)
            }
            Operation::GetStream(stream, coding) => {
                self.get_stream(request.thing, stream, coding, payload)
            }
            operation => self.job_request(topic, request.thing, &operation, payload, now),
        }
    }

    /// Ends the executions whose timer ran out.
    pub(crate) fn tick(&mut self, now: u64) -> Vec<Outgoing> {
        let late: Vec<(String, String)> = self
            .state
            .things
            .iter()
            .flat_map(|(name, thing)| thing.executions.iter().map(move |e| (name, e)))
            .filter(|(_, execution)| execution.seconds_left(now) == Some(0))
            .map(|(name, execution)| (name.clone(), execution.job.clone()))
            .collect();
        let mut out = Vec::new();
        for (thing, job) in late {
            self.end(&thing, &job, Status::TimedOut, now, &mut out);
        }
        out
    }

    /// The `notify-next` of every thing that has something to do: after a broken link, what may have
    /// been missed.
    pub(crate) fn announce(&self, now: u64) -> Vec<Outgoing> {
        let waiting = self.state.things.iter().filter(|(_, thing)| thing.next().is_some());
        waiting.map(|(name, _)| queue::next(&self.state, name, now)).collect()
    }

    /// A thing spoke, or is spoken of.
    fn see(&mut self, thing: &str) {
        if !self.state.things.contains_key(thing) {
            self.state.things.insert(thing.to_owned(), state::Thing::default());
            self.changes.push(Change::Thing(thing.to_owned()));
        }
    }

    /// Moves an execution that exists; its status was allowed.
    fn change(
        &mut self,
        thing: &str,
        job: &str,
        status: Status,
        details: Option<Details>,
        step: execution::Step,
        now: u64,
    ) {
        let timeout = self.state.jobs.get(job).and_then(|job| job.timeout_minutes);
        if let Some(execution) =
            self.state.things.get_mut(thing).and_then(|thing| thing.execution_mut(job))
        {
            execution.change(status, details, step, timeout, now);
            let execution = execution.clone();
            self.changes.push(Change::Execution { thing: thing.to_owned(), execution });
        }
    }

    /// Ends an execution from this side, and pushes what that changes.
    fn end(&mut self, thing: &str, job: &str, status: Status, now: u64, out: &mut Vec<Outgoing>) {
        let before = Before::of(self.state.things.get(thing));
        self.change(thing, job, status, None, execution::Step::Keep, now);
        before.pushes(&self.state, thing, now, out);
    }
}
