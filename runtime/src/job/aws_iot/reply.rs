//! What the provider says: every message of AWS IoT Jobs read into the few members that matter.
//! The shapes differ by message; their keys do not, so one reader knows them all.

use crate::{
    error::Failure,
    wire::{Json, Keys, NESTING, Text, Value},
};

/// How deep a job document may be nested to be offered at all. Parsers allow less; but a document
/// that is offered can be refused with a report, one that is not only stands in the queue.
const DOCUMENT_NESTING: u32 = 24;

/// A message.
#[derive(Default)]
pub(super) struct Reply<'m> {
    /// `clientToken`, where it can be one of ours.
    pub(super) token: Option<u32>,
    /// `execution`
    pub(super) execution: Option<Execution<'m>>,
    /// `executionState`
    pub(super) state: Option<Execution<'m>>,
    /// `code`
    pub(super) code: Option<Text<'m>>,
}

/// `execution` or `executionState`.
#[derive(Default)]
pub(super) struct Execution<'m> {
    /// `jobId`
    pub(super) name: Option<&'m str>,
    /// `status`
    pub(super) stage: Option<Stage>,
    /// `versionNumber`
    pub(super) version: Option<u32>,
    /// `jobDocument`, an object
    pub(super) document: Option<&'m [u8]>,
}

/// Where an execution is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Queued,
    InProgress,
    Succeeded,
    Failed,
    Rejected,
    /// Ended by the provider: CANCELED, TIMED_OUT, REMOVED.
    Ended,
}

impl Stage {
    /// The word for it; one of those that end it, where the provider has several.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Stage::Queued => "QUEUED",
            Stage::InProgress => "IN_PROGRESS",
            Stage::Succeeded => "SUCCEEDED",
            Stage::Failed => "FAILED",
            Stage::Rejected => "REJECTED",
            Stage::Ended => "CANCELED",
        }
    }

    /// Whether nothing can come after it.
    pub(super) const fn is_over(self) -> bool {
        !matches!(self, Stage::Queued | Stage::InProgress)
    }

    fn read(text: Text<'_>) -> Result<Self, Failure> {
        [Stage::Queued, Stage::InProgress, Stage::Succeeded, Stage::Failed, Stage::Rejected]
            .into_iter()
            .find(|stage| text.is(stage.name()))
            .or_else(|| {
                let ended = ["CANCELED", "TIMED_OUT", "REMOVED"];
                ended.iter().any(|name| text.is(name)).then_some(Stage::Ended)
            })
            .ok_or(Failure::BadText)
    }
}

impl<'m> Reply<'m> {
    pub(super) fn read(payload: &'m [u8]) -> Result<Self, Failure> {
        let mut json = Json::new(payload);
        let mut reply = Reply::default();
        let mut keys = Keys::default();
        json.object()?;
        while let Some(key) = json.key()? {
            let names = ["clientToken", "execution", "executionState", "code"];
            match keys.known(key, &names)? {
                Some(0) => {
                    let token = json.text_or_null()?;
                    // Not a number of ours: the token of somebody else.
                    reply.token = token.map(|token| token.number().unwrap_or(0));
                }
                Some(known @ (1 | 2)) => {
                    let place = if known == 1 { &mut reply.execution } else { &mut reply.state };
                    *place = Execution::read(&mut json)?;
                }
                Some(_) => reply.code = json.text_or_null()?,
                None => json.skip(DOCUMENT_NESTING)?,
            }
        }
        json.end()?;
        Ok(reply)
    }
}

impl<'m> Execution<'m> {
    fn read(json: &mut Json<'m>) -> Result<Option<Self>, Failure> {
        match json.value()? {
            Value::Object => {}
            Value::Null => return Ok(None),
            _ => return Err(Failure::WrongType),
        }
        let mut execution = Execution::default();
        let mut keys = Keys::default();
        while let Some(key) = json.key()? {
            match keys.known(key, &["jobId", "status", "versionNumber", "jobDocument"])? {
                Some(0) => {
                    // No character of a job's name needs an escape.
                    let name = core::str::from_utf8(json.text()?.raw);
                    execution.name = Some(name.map_err(|_| Failure::BadText)?);
                }
                Some(1) => execution.stage = Some(Stage::read(json.text()?)?),
                Some(2) => {
                    let version = u32::try_from(json.number()?);
                    execution.version = Some(version.map_err(|_| Failure::BadNumber)?);
                }
                // Up to its end only. That the rest of it is well-formed is for the parsers to say,
                // which read all of it: they refuse the job with a report, while an answer found
                // malformed here would leave it in the queue.
                Some(_) => execution.document = json.enclosed(DOCUMENT_NESTING)?,
                None => json.skip(NESTING)?,
            }
        }
        // An object that says nothing about an execution stands for none.
        Ok((keys != Keys::default()).then_some(execution))
    }
}
