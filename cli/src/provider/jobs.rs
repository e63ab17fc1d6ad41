//! The jobs operations a device calls: list, start, describe, update.

use super::document::Document;
use super::job_wire::{
    Code, Describe, Full, Message, Rejected, Rejection, Request, StartNext, State as Brief,
    Summary, Update,
};
use super::queue::Before;
use super::state::{Status, Thing};
use super::topic::Operation;
use super::{Outgoing, Provider, names};

impl Provider {
    /// Answers one request on `topic`, then pushes what it changed in the queue.
    pub(super) fn job_request(
        &mut self,
        topic: &str,
        thing: &str,
        operation: &Operation<'_>,
        payload: &[u8],
        now: u64,
    ) -> Vec<Outgoing> {
        let before = Before::of(self.state.things.get(thing));
        let mut out = Vec::new();
        let request = Request::read(payload);
        let token = request.as_ref().ok().and_then(|request| request.token.clone());
        let answer = request.and_then(|request| {
            if !names::is_thing(thing) {
                return Err(Rejection::new(Code::InvalidRequest, "The thing name is not valid."));
            }
            self.see(thing);
            let token = request.token.as_deref();
            match *operation {
                Operation::Pending => self.list_pending(thing, token, now),
                Operation::StartNext => self.start_next(thing, &request, now),
                Operation::DescribeJob(job) => self.describe_job(thing, job, &request, now),
                Operation::Update(job) => self.update_job(thing, job, &request, now),
                _ => Err(Rejection::new(Code::InvalidTopic, "The topic names no jobs operation.")),
            }
        });
        out.push(match answer {
            Ok(payload) => Outgoing::once_at_least(format!("{topic}/accepted"), payload),
            Err(Rejection { code, message, state }) => Outgoing::json(
                format!("{topic}/rejected"),
                &Rejected {
                    code,
                    message: &message,
                    client_token: token.as_deref(),
                    timestamp: now,
                    execution_state: state,
                },
            ),
        });
        before.pushes(&self.state, thing, now, &mut out);
        out
    }

    fn list_pending(&self, name: &str, token: Option<&str>, now: u64) -> Answer {
        let thing = self.state.things.get(name);
        let with = |status| {
            let pending = thing.into_iter().flat_map(Thing::pending);
            Some(pending.filter(|e| e.status == status).map(Summary::of).collect())
        };
        accepted(&Message {
            client_token: token,
            timestamp: now,
            in_progress_jobs: with(Status::InProgress),
            queued_jobs: with(Status::Queued),
            ..Message::default()
        })
    }

    /// What is IN_PROGRESS comes first and comes as it is; only a QUEUED one is started.
    fn start_next(&mut self, name: &str, request: &Request, now: u64) -> Answer {
        let (details, step) = request.fields::<StartNext>()?.checked()?;
        let next = self.state.things.get(name).and_then(Thing::next);
        if let Some((job, Status::Queued)) = next.map(|next| (next.job.clone(), next.status)) {
            self.change(name, &job, Status::InProgress, details, step, now);
        }
        self.full_reply(name, None, true, request, now)
    }

    fn describe_job(&self, name: &str, job: &str, request: &Request, now: u64) -> Answer {
        let fields: Describe = request.fields()?;
        let document = fields.include_job_document.unwrap_or(true);
        if job == "$next" {
            return self.full_reply(name, None, document, request, now);
        }
        let execution = self.find(name, job, fields.execution_number)?;
        if execution.status.is_terminal() {
            let status = execution.status.word();
            let message = format!("The execution of {job} is over: {status}.");
            return Err(Rejection::new(Code::TerminalStateReached, message));
        }
        self.full_reply(name, Some(job), document, request, now)
    }

    fn update_job(&mut self, name: &str, job: &str, request: &Request, now: u64) -> Answer {
        let fields: Update = request.fields()?;
        let (status, details, step) = fields.checked()?;
        let execution = self.find(name, job, fields.execution_number)?;
        let is = execution.version;
        if let Some(expected) = fields.expected_version.filter(|&expected| expected != is) {
            let message = format!("expectedVersion is {expected}, the execution is at {is}.");
            return Err(Rejection::new(Code::VersionMismatch, message).with_state(execution));
        }
        if !execution.allows(status) {
            let (from, to) = (execution.status.word(), status.word());
            let message = format!("An execution that is {from} cannot become {to}.");
            return Err(Rejection::new(Code::InvalidStateTransition, message).with_state(execution));
        }
        self.change(name, job, status, details, step, now);
        let execution = self.find(name, job, None)?;
        accepted(&Message {
            client_token: request.token.as_deref(),
            timestamp: now,
            execution_state: fields
                .include_job_execution_state
                .unwrap_or(false)
                .then(|| Brief::of(execution)),
            job_document: self.document(job).filter(|_| fields.include_job_document == Some(true)),
            ..Message::default()
        })
    }

    /// The execution of `job`, or of what is next; no `execution` key when nothing is.
    fn full_reply(
        &self,
        name: &str,
        job: Option<&str>,
        document: bool,
        request: &Request,
        now: u64,
    ) -> Answer {
        let execution = self.state.things.get(name).and_then(|thing| match job {
            Some(job) => thing.execution(job),
            None => thing.next(),
        });
        let execution = execution.map(|execution| {
            let document = self.document(&execution.job).filter(|_| document);
            Full::new(execution, Some(name), document, now)
        });
        let client_token = request.token.as_deref();
        accepted(&Message { client_token, timestamp: now, execution, ..Message::default() })
    }

    fn find(&self, name: &str, job: &str, number: Option<u64>) -> Found<'_> {
        if !names::is_job(job) {
            return Err(Rejection::new(Code::InvalidRequest, "The job id is not valid."));
        }
        let execution = self.state.things.get(name).and_then(|thing| thing.execution(job));
        execution.filter(|e| number.is_none_or(|number| number == e.number)).ok_or_else(|| {
            let message = format!("{name} has no such execution of {job}.");
            Rejection::new(Code::ResourceNotFound, message)
        })
    }

    fn document(&self, job: &str) -> Option<&Document> {
        self.state.jobs.get(job).map(|job| &job.document)
    }
}

/// The payload of an accepted reply.
type Answer = Result<Vec<u8>, Rejection>;
type Found<'a> = Result<&'a super::state::Execution, Rejection>;

fn accepted(message: &Message<'_>) -> Answer {
    Ok(super::to_json(message))
}
