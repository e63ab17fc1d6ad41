//! The firmware's part in an update: it takes every job, tests itself as its image says, and tells
//! what it sees.

use coreota::descriptor::Descriptor;
use coreota::error::Failure;
use coreota::job::Status;
use coreota::{Decision, Hooks, SelfTest, Version};

use crate::firmware::{Behaviour, Firmware};
use crate::parts::Meter;
use crate::tell::{Event, Stage, Tell};

/// How often a self-test looks whether the provider was reached.
const LOOK_MS: u32 = 200;

#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) firmware: Firmware,
    pub(crate) block: u32,
    /// Where the provider should be.
    pub(crate) broker: String,
    pub(crate) meter: Meter,
    pub(crate) tell: Tell,
}

impl Hooks for Application {
    fn decide(&mut self, job: &str, descriptor: &Descriptor<'_>) -> Decision {
        let size = descriptor.size;
        let blocks = size.div_ceil(self.block);
        self.tell.event(&Event::Accepted { job: job.to_owned(), size, blocks });
        Decision::Accept
    }

    fn self_test(&mut self, online: bool) -> SelfTest {
        // An image that cannot reach its provider can never be replaced.
        if !online {
            return SelfTest::Running { ms: LOOK_MS };
        }
        let passed = self.firmware.behaviour == Behaviour::Works;
        self.tell.event(&Event::SelfTest { passed });
        if passed { SelfTest::Passed } else { SelfTest::Failed }
    }

    fn reset(&mut self) {
        self.tell.event(&Event::Reset);
    }

    fn status(&mut self, job: &str, status: &Status<'_>) {
        let because = |why: Failure, note: &str| match note {
            "" => (why.code(), why.text().to_owned()),
            note => (why.code(), format!("{}: {note}", why.text())),
        };
        let stage = match *status {
            Status::Started => Stage::Started,
            Status::Receiving { received, total } => Stage::Receiving { received, total },
            Status::Staged { .. } => Stage::Staged,
            Status::Testing { .. } => Stage::Testing,
            Status::Succeeded { running, from } => {
                Stage::Succeeded { from: words(from), to: words(running) }
            }
            Status::Done { note } => Stage::Done { note: note.to_owned() },
            Status::Failed { why, note } => {
                let (code, reason) = because(why, note);
                Stage::Failed { code, reason }
            }
            Status::Rejected { why, note } => {
                let (code, reason) = because(why, note);
                Stage::Rejected { code, reason }
            }
        };
        let fetched = self.meter.blocks();
        self.tell.event(&Event::Status { job: job.to_owned(), stage, fetched });
    }

    fn trouble(&mut self, what: Failure) {
        let reason = match what {
            Failure::LinkDown => format!("no connection to {}", self.broker),
            other => other.text().to_owned(),
        };
        self.tell.event(&Event::Trouble { code: what.code(), reason });
    }
}

/// `1.4.0`, or `1.4.0+17`.
pub(crate) fn words(version: Version) -> String {
    let Version { major, minor, revision, build } = version;
    match build {
        0 => format!("{major}.{minor}.{revision}"),
        build => format!("{major}.{minor}.{revision}+{build}"),
    }
}
