//! AWS IoT Jobs, and every provider that speaks it: `$aws/things/{thing}/jobs/…`.
//!
//! | question | published to | answered on |
//! |---|---|---|
//! | [`Ask::Peek`] | `$next/get` | `$next/get/accepted` or `rejected` |
//! | [`Ask::Start`] | `start-next` | `start-next/accepted` or `rejected` |
//! | [`Ask::Current`] | `{job}/get` | `{job}/get/accepted` or `rejected` |
//! | a report | `{job}/update` | `{job}/update/accepted` or `rejected` |
//! | (pushed) | | `notify-next` |
//!
//! One question is open at a time. Each carries a client token that counts up, and only the answer
//! with the token of the open one is heard; a late answer to an earlier one means nothing any more.
//!
//! An update is sent with the `versionNumber` that the execution really has: read from the offer,
//! one more with each accepted update, read again when the provider answers `VersionMismatch`. So
//! a report whose answer got lost is repeated with the old number, refused, and repeated with the
//! right one ([`Heard::Again`]), or found to be in already ([`Heard::Accepted`]).
//!
//! `notify-next` says which job is next, not what became of the current one, and it may have been
//! sent before the current job was started. One that does not name the current job is therefore
//! evidence of nothing but a change: [`Heard::Changed`], and [`Ask::Current`] tells. Its answer is
//! an offer of the same job while the job goes on, [`Heard::Over`] once it does not.

mod details;
mod reply;

use heapless::String;

use self::reply::{Execution, Reply, Stage};
use super::{Ask, Heard, JobProtocol, NAME_MAX, Offer, Status};
use crate::{
    error::Failure,
    message::{Draft, Message},
    wire::{Writer, is_name},
};

/// Longest name of a thing, in bytes.
pub const THING_MAX: usize = 128;
/// Longest topic of this protocol, in bytes: a buffer for topics needs no more.
pub const TOPIC_MAX: usize = PREFIX_MAX + NAME_MAX + "/update/accepted".len();
/// Longest message this protocol writes, in bytes.
pub const PAYLOAD_MAX: usize = 384;
/// Longest job document the provider allows, in bytes.
pub const DOCUMENT_MAX: usize = 32_768;

const PREFIX_MAX: usize = "$aws/things/".len() + THING_MAX + "/jobs/".len();

/// Job protocol of one thing.
#[derive(Clone, Debug)]
pub struct AwsIotJobs {
    /// `$aws/things/{thing}/jobs/`
    prefix: String<PREFIX_MAX>,
    current: Job,
    offered: Job,
    /// Token of the last question.
    token: u32,
    open: Question,
}

/// An execution as far as the device has to remember it.
#[derive(Clone, Debug, Default)]
struct Job {
    /// Empty: there is none.
    name: String<NAME_MAX>,
    /// `versionNumber`; unknown for a job that only the journal knows.
    version: Option<u32>,
    /// It is IN_PROGRESS: the provider no longer lets it be rejected.
    started: bool,
}

impl Job {
    /// Makes it the job of that name.
    ///
    /// # Errors
    /// [`Failure::BadText`] where that can be no job's.
    fn set(&mut self, name: &str, version: Option<u32>, started: bool) -> Result<(), Failure> {
        if !is_name(name, NAME_MAX, b"_-") {
            return Err(Failure::BadText);
        }
        self.clear();
        (self.version, self.started) = (version, started);
        self.name.push_str(name).map_err(|_| Failure::BadText)
    }

    fn clear(&mut self) {
        self.name.clear();
        self.version = None;
    }
}

/// What the provider has yet to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Nothing,
    Peek,
    Start,
    Current,
    /// A report that brings the execution to this stage.
    Update(Stage),
}

impl JobProtocol for AwsIotJobs {
    fn new(thing: &str) -> Result<Self, Failure> {
        if !is_name(thing, THING_MAX, b":_-") {
            return Err(Failure::BadText);
        }
        let mut prefix = String::new();
        for part in ["$aws/things/", thing, "/jobs/"] {
            prefix.push_str(part).map_err(|_| Failure::BadText)?;
        }
        let (current, offered) = (Job::default(), Job::default());
        Ok(AwsIotJobs { prefix, current, offered, token: 0, open: Question::Nothing })
    }

    fn subscription(&self, index: usize, topic: &mut Writer<'_>) -> bool {
        // The service sends answers without subscription; brokers that stand in for it do not.
        let topics = ["notify-next", "start-next/+", "+/get/+", "+/update/+"];
        let Some(tail) = topics.get(index) else { return false };
        topic.text(&self.prefix);
        topic.text(tail);
        true
    }

    fn adopt(&mut self, name: &str) -> Result<(), Failure> {
        // Only a job that was started gets into a journal.
        self.current.set(name, None, true)
    }

    fn ask(&mut self, ask: Ask, draft: &mut Draft<'_>) -> Result<(), Failure> {
        let (open, job, tail) = match ask {
            Ask::Peek => (Question::Peek, "$next", "/get"),
            Ask::Start => (Question::Start, "", "start-next"),
            Ask::Current if self.current.name.is_empty() => return Err(Failure::Misconfigured),
            Ask::Current => (Question::Current, self.current.name.as_str(), "/get"),
        };
        for part in [&self.prefix, job, tail] {
            draft.topic.text(part);
        }
        draft.payload.text("{");
        self.close(open, draft)
    }

    fn report(&mut self, status: &Status<'_>, draft: &mut Draft<'_>) -> Result<(), Failure> {
        if self.current.name.is_empty() {
            return Err(Failure::Misconfigured);
        }
        for part in [&self.prefix, self.current.name.as_str(), "/update"] {
            draft.topic.text(part);
        }
        let stage = match status {
            Status::Started
            | Status::Receiving { .. }
            | Status::Staged { .. }
            | Status::Testing { .. } => Stage::InProgress,
            Status::Succeeded { .. } | Status::Done { .. } => Stage::Succeeded,
            Status::Rejected { .. } if !self.current.started => Stage::Rejected,
            Status::Failed { .. } | Status::Rejected { .. } => Stage::Failed,
        };
        let payload = &mut draft.payload;
        payload.text("{\"status\":\"");
        payload.text(stage.name());
        payload.text("\"");
        details::write(status, payload);
        if let Some(version) = self.current.version {
            payload.text(",\"expectedVersion\":");
            payload.number(version);
        }
        payload.text(",");
        self.close(Question::Update(stage), draft)
    }

    fn hear<'m>(&mut self, message: Message<'m>) -> Heard<'m> {
        let Some(tail) = message.topic.strip_prefix(self.prefix.as_str()) else {
            return Heard::NotMine;
        };
        let accepted = match (tail.strip_suffix("/accepted"), tail.strip_suffix("/rejected")) {
            _ if tail == "notify-next" => None,
            (Some(question), _) if self.is_open(question) => Some(true),
            (_, Some(question)) if self.is_open(question) => Some(false),
            _ => return Heard::Ignored,
        };
        let reply = match Reply::read(message.payload) {
            Ok(reply) => reply,
            Err(why) => return Heard::Malformed(why),
        };
        let heard = match accepted {
            None => return self.pushed(&reply).unwrap_or_else(Heard::Malformed),
            // A request too broken to have a token is refused without one.
            Some(accepted) if reply.token.map_or(!accepted, |token| token == self.token) => {
                match accepted {
                    true => self.accepted(&reply),
                    false => Ok(self.rejected(&reply)),
                }
            }
            Some(_) => return Heard::Ignored,
        };
        let heard = heard.unwrap_or_else(Heard::Malformed);
        self.open = Question::Nothing;
        heard
    }

    fn take(&mut self) -> Result<(), Failure> {
        if self.offered.name.is_empty() {
            return Err(Failure::Misconfigured);
        }
        self.current = self.offered.clone();
        self.offered.clear();
        Ok(())
    }

    fn current(&self) -> &str {
        &self.current.name
    }
}

impl AwsIotJobs {
    /// Ends a question's payload with a fresh token, and opens it once it is sure to be whole.
    fn close(&mut self, open: Question, draft: &mut Draft<'_>) -> Result<(), Failure> {
        let token = self.token.wrapping_add(1);
        draft.payload.text("\"clientToken\":\"");
        draft.payload.number(token);
        draft.payload.text("\"}");
        draft.topic.whole()?;
        draft.payload.whole()?;
        self.token = token;
        self.open = open;
        Ok(())
    }

    /// Whether `question`, a topic without prefix and verdict, is the one not yet answered.
    fn is_open(&self, question: &str) -> bool {
        let of_current = question.strip_prefix(self.current.name.as_str());
        match self.open {
            Question::Nothing => false,
            Question::Peek => question == "$next/get",
            Question::Start => question == "start-next",
            Question::Current => of_current == Some("/get"),
            Question::Update(_) => of_current == Some("/update"),
        }
    }

    /// `notify-next`: the head of the queue changed.
    fn pushed<'m>(&mut self, reply: &Reply<'m>) -> Result<Heard<'m>, Failure> {
        match &reply.execution {
            Some(execution) if self.current.name.is_empty() => self.offer(execution),
            Some(execution) if execution.name == Some(self.current.name.as_str()) => {
                Ok(Heard::Ignored)
            }
            None if self.current.name.is_empty() => Ok(Heard::NoJob),
            _ => Ok(Heard::Changed),
        }
    }

    /// The open question was answered.
    fn accepted<'m>(&mut self, reply: &Reply<'m>) -> Result<Heard<'m>, Failure> {
        match (self.open, &reply.execution) {
            (Question::Update(stage), _) => {
                let told = reply.state.as_ref().and_then(|state| state.version);
                let counted = self.current.version.and_then(|version| version.checked_add(1));
                self.current.version = told.or(counted);
                self.current.started = true;
                if stage.is_over() {
                    self.current.clear();
                }
                Ok(Heard::Accepted)
            }
            (Question::Current, Some(execution)) => {
                if execution.name != Some(self.current.name.as_str()) {
                    return Err(Failure::WrongType);
                }
                if execution.stage.is_some_and(Stage::is_over) {
                    return Ok(self.over());
                }
                let heard = self.offer(execution)?;
                self.current = self.offered.clone();
                Ok(heard)
            }
            (Question::Current, None) => Err(Failure::MissingField),
            (_, Some(execution)) => self.offer(execution),
            (_, None) => Ok(Heard::NoJob),
        }
    }

    /// The open question was refused.
    fn rejected<'m>(&mut self, reply: &Reply<'m>) -> Heard<'m> {
        let is = |code: &str| reply.code.is_some_and(|text| text.is(code));
        let of_current = matches!(self.open, Question::Current | Question::Update(_));
        if is("RequestThrottled") || is("InternalError") {
            return Heard::Again;
        }
        if of_current && (is("ResourceNotFound") || is("TerminalStateReached")) {
            return self.over();
        }
        if !is("VersionMismatch") && !is("InvalidStateTransition") {
            return Heard::Refused(Failure::ProviderRefused);
        }
        // Both tell how the execution stands.
        match (
            self.open,
            reply.state.as_ref().and_then(|state| Some((state.stage?, state.version))),
        ) {
            // Our own report, whose answer was lost.
            (Question::Update(meant), Some((stage, _))) if stage.is_over() && stage == meant => {
                self.current.clear();
                Heard::Accepted
            }
            (_, Some((stage, _))) if stage.is_over() => self.over(),
            (_, Some((stage, version @ Some(_)))) => {
                self.current.version = version;
                self.current.started = stage == Stage::InProgress;
                Heard::Again
            }
            _ if is("VersionMismatch") => Heard::Changed,
            _ => self.over(),
        }
    }

    fn over<'m>(&mut self) -> Heard<'m> {
        self.current.clear();
        Heard::Over
    }

    fn offer<'m>(&mut self, execution: &Execution<'m>) -> Result<Heard<'m>, Failure> {
        let name = execution.name.ok_or(Failure::MissingField)?;
        let started = match execution.stage.ok_or(Failure::MissingField)? {
            Stage::Queued => false,
            Stage::InProgress => true,
            _ => return Err(Failure::BadText),
        };
        let document = execution.document.ok_or(Failure::MissingField)?;
        if document.len() > DOCUMENT_MAX {
            return Err(Failure::TooBig);
        }
        let version = Some(execution.version.ok_or(Failure::MissingField)?);
        self.offered.set(name, version, started)?;
        Ok(Heard::Offer(Offer { name, started, document }))
    }
}
