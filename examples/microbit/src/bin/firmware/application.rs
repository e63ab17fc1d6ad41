//! The application's part in an update: it takes every job, tests itself, and says what it sees.

use coreota::descriptor::Descriptor;
use coreota::error::Failure;
use coreota::job::Status;
use coreota::{Decision, Hooks, SelfTest, say};
use microbit::{memory, ota, uart};

/// How often a self-test looks whether the provider was reached.
const LOOK_MS: u32 = 200;

/// An image with the feature `fails-self-test` never works.
const WORKS: bool = !cfg!(feature = "fails-self-test");

pub(crate) struct Application;

impl Hooks for Application {
    fn decide(&mut self, job: &str, descriptor: &Descriptor<'_>) -> Decision {
        uart::line(|line| say::accepted(line, job, descriptor, ota::BLOCK_SIZE));
        Decision::Accept
    }

    fn self_test(&mut self, online: bool) -> SelfTest {
        // An image that cannot reach its provider can never be replaced.
        if !online {
            return SelfTest::Running { ms: LOOK_MS };
        }
        uart::line(|line| say::tested(line, WORKS));
        if WORKS { SelfTest::Passed } else { SelfTest::Failed }
    }

    fn reset(&mut self) {
        say_memory();
        uart::line(say::reset);
        microbit::reset()
    }

    fn status(&mut self, job: &str, status: &Status<'_>) {
        uart::line(|line| say::status(line, job, status));
        if status.is_final() {
            say_memory();
        }
    }

    fn trouble(&mut self, what: Failure) {
        uart::line(|line| say::trouble(line, what));
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
