//! What the provider remembers: things, jobs, their executions, streams. Plain data, saved as it is.
//!
//! All times are seconds since 1970 (UTC), as on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::document::Document;

/// The number a saved state carries; another one is not read.
pub(crate) const FORMAT: u32 = 1;

/// What a device says about its execution.
pub(crate) type Details = BTreeMap<String, String>;

/// Everything, as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) format: u32,
    pub(crate) things: BTreeMap<String, Thing>,
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) streams: BTreeMap<String, Stream>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            format: FORMAT,
            things: BTreeMap::new(),
            jobs: BTreeMap::new(),
            streams: BTreeMap::new(),
        }
    }
}

/// A device, known because it asked something or because a job was published for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thing {
    /// In the order they were queued.
    pub(crate) executions: Vec<Execution>,
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    pub(crate) document: Document,
    pub(crate) created_at: u64,
    /// From the start of an execution to its TIMED_OUT.
    pub(crate) timeout_minutes: Option<u64>,
    /// The version of the image, when the publisher said it: for people, never decisive.
    pub(crate) version: Option<String>,
}

/// One job on one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Execution {
    pub(crate) job: String,
    pub(crate) status: Status,
    pub(crate) details: Details,
    pub(crate) queued_at: u64,
    pub(crate) started_at: Option<u64>,
    pub(crate) updated_at: u64,
    /// `versionNumber`: 1 when queued, one more with each change.
    pub(crate) version: u64,
    /// `executionNumber`.
    pub(crate) number: u64,
    /// When the job's own timer ends; set at the start and never moved.
    pub(crate) deadline: Option<u64>,
    /// When the device's step timer ends; each update may set it anew.
    pub(crate) step_deadline: Option<u64>,
}

/// Where an execution stands, spelled as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Queued,
    InProgress,
    Succeeded,
    Failed,
    Rejected,
    Canceled,
    TimedOut,
    Removed,
}

impl Status {
    /// The word on the wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Rejected => "REJECTED",
            Self::Canceled => "CANCELED",
            Self::TimedOut => "TIMED_OUT",
            Self::Removed => "REMOVED",
        }
    }

    /// Nothing follows it.
    pub(crate) fn is_terminal(self) -> bool {
        !matches!(self, Self::Queued | Self::InProgress)
    }
}

/// Files that devices fetch block by block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stream {
    /// `s`: starts at 1.
    pub(crate) version: u32,
    pub(crate) description: String,
    pub(crate) files: BTreeMap<u8, File>,
}

/// A file of a stream; its bytes are kept under its digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// SHA-256 in lower-case hex: the name of the image in the store.
    pub(crate) image: String,
    /// Bytes.
    pub(crate) size: u64,
}
