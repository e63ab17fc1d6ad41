//! The JSON of AWS IoT Jobs: requests read and checked, replies and pushes written.
//!
//! Field names and their order follow the service's documentation and published captures.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Document;
use super::execution::Step;
use super::names;
use super::state::{Details, Execution, Status};

/// Why a request is refused; the names are the codes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Code {
    InvalidTopic,
    InvalidJson,
    InvalidRequest,
    InvalidStateTransition,
    ResourceNotFound,
    VersionMismatch,
    TerminalStateReached,
}

/// A refusal on its way to the device.
#[derive(Debug)]
pub(super) struct Rejection {
    pub(super) code: Code,
    pub(super) message: String,
    /// Told with InvalidStateTransition and VersionMismatch, so that no second question is needed.
    pub(super) state: Option<State>,
}

impl Rejection {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), state: None }
    }

    pub(super) fn with_state(self, execution: &Execution) -> Self {
        Self { state: Some(State::of(execution)), ..self }
    }
}

/// A JSON object and its client token, which even a refusal echoes.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) token: Option<String>,
    body: Value,
}

impl Request {
    pub(super) fn read(payload: &[u8]) -> Result<Self, Rejection> {
        let body: Value = serde_json::from_slice(payload).map_err(|error| {
            Rejection::new(Code::InvalidJson, format!("The payload is not JSON: {error}."))
        })?;
        if !body.is_object() {
            return Err(Rejection::new(Code::InvalidRequest, "The payload is not a JSON object."));
        }
        let token = body["clientToken"].as_str().map(str::to_owned);
        Ok(Self { token, body })
    }

    /// The fields of one operation. Unknown fields are ignored, `null` counts as absent.
    pub(super) fn fields<T: for<'a> Deserialize<'a>>(&self) -> Result<T, Rejection> {
        T::deserialize(&self.body)
            .map_err(|error| Rejection::new(Code::InvalidRequest, format!("{error}.")))
    }
}

/// `start-next`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StartNext {
    status_details: Option<Details>,
    step_timeout_in_minutes: Option<i64>,
}

impl StartNext {
    pub(super) fn checked(self) -> Result<(Option<Details>, Step), Rejection> {
        Ok((details(self.status_details)?, step(self.step_timeout_in_minutes)?))
    }
}

/// `{jobId}/get`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Describe {
    pub(super) execution_number: Option<u64>,
    pub(super) include_job_document: Option<bool>,
}

/// `{jobId}/update`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Update {
    status: Option<Value>,
    status_details: Option<Details>,
    step_timeout_in_minutes: Option<i64>,
    pub(super) expected_version: Option<u64>,
    pub(super) execution_number: Option<u64>,
    pub(super) include_job_execution_state: Option<bool>,
    pub(super) include_job_document: Option<bool>,
}

impl Update {
    pub(super) fn checked(&self) -> Result<(Status, Option<Details>, Step), Rejection> {
        let status = self.status.as_ref().and_then(Value::as_str).unwrap_or_default();
        let status = match status {
            "IN_PROGRESS" => Status::InProgress,
            "SUCCEEDED" => Status::Succeeded,
            "FAILED" => Status::Failed,
            "REJECTED" => Status::Rejected,
            _ => {
                let allowed = "status must be IN_PROGRESS, SUCCEEDED, FAILED or REJECTED.";
                return Err(Rejection::new(Code::InvalidRequest, allowed));
            }
        };
        Ok((status, details(self.status_details.clone())?, step(self.step_timeout_in_minutes)?))
    }
}

fn details(details: Option<Details>) -> Result<Option<Details>, Rejection> {
    let bad = details
        .iter()
        .flatten()
        .find(|(key, value)| !names::is_detail_key(key) || !names::is_detail_value(value));
    match bad {
        None => Ok(details),
        Some((key, _)) => Err(Rejection::new(
            Code::InvalidRequest,
            format!(
                "statusDetails {key:?}: a key has 1 to {} of [a-zA-Z0-9:_-], a value 1 to {} \
                 characters and no control character.",
                names::DETAIL_KEY_MAX,
                names::DETAIL_VALUE_MAX
            ),
        )),
    }
}

fn step(minutes: Option<i64>) -> Result<Step, Rejection> {
    match minutes {
        None => Ok(Step::Keep),
        Some(-1) => Ok(Step::Stop),
        Some(minutes) => match u64::try_from(minutes) {
            Ok(minutes @ 1..=names::TIMEOUT_MAX_MINUTES) => Ok(Step::Minutes(minutes)),
            _ => Err(Rejection::new(
                Code::InvalidRequest,
                format!("stepTimeoutInMinutes must be 1 to {}, or -1.", names::TIMEOUT_MAX_MINUTES),
            )),
        },
    }
}

/// An execution in full.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Full<'a> {
    job_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thing_name: Option<&'a str>,
    status: Status,
    #[serde(skip_serializing_if = "Details::is_empty")]
    status_details: &'a Details,
    queued_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<u64>,
    last_updated_at: u64,
    version_number: u64,
    execution_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_seconds_before_timed_out: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_document: Option<&'a Document>,
}

impl<'a> Full<'a> {
    /// Replies name the thing, pushes do not.
    pub(super) fn new(
        execution: &'a Execution,
        thing: Option<&'a str>,
        document: Option<&'a Document>,
        now: u64,
    ) -> Self {
        Self {
            job_id: &execution.job,
            thing_name: thing,
            status: execution.status,
            status_details: &execution.details,
            queued_at: execution.queued_at,
            started_at: execution.started_at,
            last_updated_at: execution.updated_at,
            version_number: execution.version,
            execution_number: execution.number,
            approximate_seconds_before_timed_out: execution.seconds_left(now),
            job_document: document,
        }
    }
}

/// An execution in a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary<'a> {
    job_id: &'a str,
    queued_at: u64,
    last_updated_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<u64>,
    execution_number: u64,
    version_number: u64,
}

impl<'a> Summary<'a> {
    pub(super) fn of(execution: &'a Execution) -> Self {
        Self {
            job_id: &execution.job,
            queued_at: execution.queued_at,
            last_updated_at: execution.updated_at,
            started_at: execution.started_at,
            execution_number: execution.number,
            version_number: execution.version,
        }
    }
}

/// `executionState`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    status: Status,
    status_details: Details,
    version_number: u64,
}

impl State {
    pub(super) fn of(execution: &Execution) -> Self {
        Self {
            status: execution.status,
            status_details: execution.details.clone(),
            version_number: execution.version,
        }
    }
}

/// Every accepted reply and every push: what it has of these.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_token: Option<&'a str>,
    pub(super) timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution: Option<Full<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution_state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) job_document: Option<&'a Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) in_progress_jobs: Option<Vec<Summary<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queued_jobs: Option<Vec<Summary<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jobs: Option<Lists<'a>>,
}

/// The lists of a `notify`; an empty one is left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) struct Lists<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) in_progress: Vec<Summary<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) queued: Vec<Summary<'a>>,
}

/// A `rejected` reply.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rejected<'a> {
    pub(super) code: Code,
    pub(super) message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_token: Option<&'a str>,
    pub(super) timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) execution_state: Option<State>,
}
