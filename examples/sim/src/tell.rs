//! What the device says: each thing once, as a line for people or as a JSON event for machines.

use std::fmt;
use std::io::{self, Write};

use coreota::error::{Blame, Failure};
use serde::{Deserialize, Serialize};

/// One thing that happened on the device. With `--json` each is one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The bootloader handed over to an image.
    Boot {
        /// Signed version of the image.
        version: String,
        /// What the bootloader did before.
        how: How,
    },
    /// A job is offered, understood and accepted.
    Accepted {
        /// Name of the job.
        job: String,
        /// Bytes of the image.
        size: u32,
        /// Blocks of the image.
        blocks: u32,
    },
    /// The device works on a job and is this far.
    Status {
        /// Name of the job.
        job: String,
        /// How far.
        #[serde(flatten)]
        stage: Stage,
        /// Blocks fetched and written since power on.
        fetched: u32,
    },
    /// The image on trial tested itself.
    SelfTest {
        /// Whether it passed.
        passed: bool,
    },
    /// Something failed that ends nothing: it is tried again.
    Trouble {
        /// Number of the failure.
        code: u16,
        /// In words.
        reason: String,
    },
    /// The device resets into its bootloader.
    Reset,
    /// The power went, in the middle of this flash operation.
    PowerCut {
        /// Flash operations since power on.
        operation: u64,
        /// Blocks fetched and written since power on.
        fetched: u32,
    },
}

/// What the bootloader did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Nothing: the image of before.
    Unchanged,
    /// Brought a new image in, on trial.
    Trial,
    /// Brought a new image in, to stay.
    Permanent,
    /// Brought the image of before back.
    Reverted,
    /// Refused the staged image.
    Refused,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Stage {
    /// The provider knows that it began.
    Started,
    /// Blocks arrive.
    Receiving {
        /// Blocks in the slot.
        received: u32,
        /// Blocks of the image.
        total: u32,
    },
    /// Verified, and handed to the bootloader.
    Staged,
    /// The new image runs on trial, and has reached its provider.
    Testing,
    /// The new image is confirmed.
    Succeeded {
        /// Version that ran before.
        from: String,
        /// Version that runs now.
        to: String,
    },
    /// Done, without a new image: which plugins there are now.
    Done {
        /// In words.
        note: String,
    },
    /// Over, without the new image.
    Failed {
        /// Number of the failure.
        code: u16,
        /// In words.
        reason: String,
    },
    /// Not begun.
    Rejected {
        /// Number of the failure.
        code: u16,
        /// In words.
        reason: String,
    },
}

/// The four phases of an update, and what is around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before and between updates.
    Boot,
    /// A job is learned of, and decided upon.
    Notify,
    /// Its image is fetched.
    Download,
    /// The image is proved.
    Verify,
    /// The image is booted on trial, and confirmed or left.
    Install,
}

impl Phase {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Phase::Boot => "boot",
            Phase::Notify => "notify",
            Phase::Download => "download",
            Phase::Verify => "verify",
            Phase::Install => "install",
        }
    }

    /// The phase in which a failure with that number happens.
    fn of(code: u16) -> Self {
        match Failure::from_code(code).map(Failure::blame) {
            Some(Blame::Job) => Phase::Notify,
            Some(Blame::Link | Blame::Flash) => Phase::Download,
            Some(Blame::Image) => Phase::Verify,
            _ => Phase::Install,
        }
    }
}

impl Event {
    /// The phase it belongs to.
    pub fn phase(&self) -> Phase {
        match self {
            Event::Boot { how: How::Unchanged, .. } => Phase::Boot,
            Event::Accepted { .. } => Phase::Notify,
            Event::PowerCut { .. } => Phase::Boot,
            Event::Boot { .. } | Event::Reset | Event::SelfTest { .. } => Phase::Install,
            Event::Trouble { code, .. } => Phase::of(*code),
            Event::Status { stage, .. } => match stage {
                Stage::Started => Phase::Notify,
                Stage::Receiving { .. } => Phase::Download,
                Stage::Staged => Phase::Verify,
                Stage::Testing | Stage::Succeeded { .. } | Stage::Done { .. } => Phase::Install,
                Stage::Failed { code, .. } | Stage::Rejected { code, .. } => Phase::of(*code),
            },
        }
    }
}

/// In words, without the phase.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Boot { version, how } => match how {
                How::Unchanged => write!(f, "v{version} runs"),
                How::Trial => write!(f, "bootloader swapped the slots: v{version} runs on trial"),
                How::Permanent => write!(f, "bootloader swapped the slots: v{version} runs"),
                How::Reverted => write!(f, "bootloader swapped back: v{version} runs again"),
                How::Refused => write!(f, "bootloader refused the new image: v{version} runs"),
            },
            Event::Accepted { job, size, blocks } => {
                write!(f, "{job}: {size} bytes in {blocks} blocks; accepted")
            }
            Event::SelfTest { passed: true } => f.write_str("self-test passed"),
            Event::SelfTest { passed: false } => f.write_str("self-test failed"),
            Event::Trouble { code, reason } => write!(f, "{reason} (0x{code:04x}); trying again"),
            Event::Reset => f.write_str("reset"),
            Event::PowerCut { operation, .. } => {
                write!(f, "POWER CUT in flash operation {operation}")
            }
            Event::Status { job, stage, .. } => match stage {
                Stage::Started => write!(f, "{job}: IN_PROGRESS"),
                Stage::Receiving { received, total } => write!(f, "{received}/{total} blocks"),
                Stage::Staged => f.write_str("whole, authentic, newer, for this board: staged"),
                Stage::Testing => f.write_str("provider reached: it can be updated again"),
                Stage::Succeeded { from, to } => write!(f, "{job}: SUCCEEDED, v{from} -> v{to}"),
                Stage::Done { note } => write!(f, "{job}: SUCCEEDED, plugins: {note}"),
                Stage::Failed { code, reason } => {
                    write!(f, "{job}: FAILED, {reason} (0x{code:04x})")
                }
                Stage::Rejected { code, reason } => {
                    write!(f, "{job}: REJECTED, {reason} (0x{code:04x})")
                }
            },
        }
    }
}

/// Says events on stdout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tell {
    pub(crate) json: bool,
}

impl Tell {
    /// A reader that went away is none of a device's business: it goes on.
    pub(crate) fn event(self, event: &Event) {
        let mut out = io::stdout().lock();
        let _ = match self.json {
            true => match serde_json::to_string(event) {
                Ok(line) => writeln!(out, "{line}"),
                Err(error) => Err(error.into()),
            },
            false => writeln!(out, "{:9} {event}", event.phase().word()),
        };
        let _ = out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_survive_json() {
        let status = |stage| Event::Status { job: "j".to_owned(), stage, fetched: 3 };
        for event in [
            Event::Boot { version: "1.0.0".to_owned(), how: How::Trial },
            Event::Reset,
            status(Stage::Receiving { received: 1, total: 2 }),
            status(Stage::Failed { code: 0x0301, reason: "r".to_owned() }),
        ] {
            let line = serde_json::to_string(&event).expect("an event");
            assert_eq!(serde_json::from_str::<Event>(&line).expect(&line), event);
        }
    }

    #[test]
    fn failures_belong_to_the_phase_that_found_them() {
        for (failure, phase) in [
            (Failure::OtherBoard, Phase::Notify),
            (Failure::NoAnswer, Phase::Download),
            (Failure::Signature, Phase::Verify),
            (Failure::Reverted, Phase::Install),
            (Failure::SelfTest, Phase::Install),
        ] {
            assert_eq!(Phase::of(failure.code()), phase);
        }
    }
}
