//! The application's part in an update: it takes every job, tests itself, and says what it sees.

use coreota::descriptor::Descriptor;
use coreota::error::Failure;
use coreota::job::Status;
use coreota::wire::Writer;
use coreota::{Decision, Hooks, SelfTest, Version};
use microbit::{memory, ota, uart};

/// How often a self-test looks whether the provider was reached.
const LOOK_MS: u32 = 200;

/// An image with the feature `fails-self-test` never works.
const WORKS: bool = !cfg!(feature = "fails-self-test");

pub(crate) struct Application;

impl Hooks for Application {
    fn decide(&mut self, job: &str, descriptor: &Descriptor<'_>) -> Decision {
        uart::line(|line| {
            line.text("notify    ");
            line.text(job);
            line.text(": ");
            line.number(descriptor.size);
            line.text(" bytes in ");
            line.number(descriptor.size.div_ceil(ota::BLOCK_SIZE as u32));
            line.text(" blocks; accepted");
        });
        Decision::Accept
    }

    fn self_test(&mut self, online: bool) -> SelfTest {
        // An image that cannot reach its provider can never be replaced.
        if !online {
            return SelfTest::Running { ms: LOOK_MS };
        }
        let (words, verdict) = match WORKS {
            true => ("install   self-test passed", SelfTest::Passed),
            false => ("install   self-test failed", SelfTest::Failed),
        };
        uart::line(|line| line.text(words));
        verdict
    }

    fn reset(&mut self) {
        say_memory();
        uart::line(|line| line.text("install   reset"));
        microbit::reset()
    }

    fn status(&mut self, job: &str, status: &Status<'_>) {
        uart::line(|line| say_status(line, job, status));
        if status.is_final() {
            say_memory();
        }
    }

    fn trouble(&mut self, what: Failure) {
        uart::line(|line| {
            line.text("boot      ");
            say_failure(line, what, "");
            line.text("; trying again");
        });
    }
}

fn say_status(line: &mut Writer<'_>, job: &str, status: &Status<'_>) {
    let mut of_job = |phase: &str, what: &str| {
        line.text(phase);
        line.text(job);
        line.text(what);
    };
    match *status {
        Status::Started => of_job("notify    ", ": IN_PROGRESS"),
        Status::Receiving { received, total } => {
            line.text("download  ");
            line.number(received);
            line.text("/");
            line.number(total);
            line.text(" blocks");
        }
        Status::Staged { .. } => {
            line.text("verify    whole, authentic, newer, for this board: staged");
        }
        Status::Testing { .. } => {
            line.text("install   provider reached: it can be updated again");
        }
        Status::Succeeded { running, from } => {
            of_job("install   ", ": SUCCEEDED, v");
            say_version(line, from);
            line.text(" -> v");
            say_version(line, running);
        }
        Status::Done { note } => {
            of_job("install   ", ": SUCCEEDED, ");
            line.text(note);
        }
        Status::Failed { why, note } => {
            of_job("install   ", ": FAILED, ");
            say_failure(line, why, note);
        }
        Status::Rejected { why, note } => {
            of_job("notify    ", ": REJECTED, ");
            say_failure(line, why, note);
        }
    }
}

fn say_failure(line: &mut Writer<'_>, why: Failure, note: &str) {
    line.text(why.text());
    if !note.is_empty() {
        line.text(": ");
        line.text(note);
    }
    line.text(" (0x");
    line.hex(why.code().into(), 4);
    line.text(")");
}

/// `1.4.0`, or `1.4.0+17`.
pub(crate) fn say_version(line: &mut Writer<'_>, version: Version) {
    line.number(version.major.into());
    line.text(".");
    line.number(version.minor.into());
    line.text(".");
    line.number(version.revision.into());
    if version.build > 0 {
        line.text("+");
        line.number(version.build);
    }
}

/// How much of the stack was ever used: what sizes are set by.
fn say_memory() {
    let (used, room) = memory::stack();
    uart::line(|line| {
        line.text("memory    stack ");
        line.number(used as u32);
        line.text(" of ");
        line.number(room as u32);
        line.text(" bytes at most");
    });
}
