//! What only the application knows: whether now is a good time, whether the new image works, how to
//! reset.

use crate::{descriptor::Descriptor, error::Failure, job::Status, plugin::store::State};

/// What to do with an offered job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Decision {
    /// Download it now; the provider sees it start.
    Accept,
    /// Ask again in so many milliseconds; the provider keeps it queued.
    Defer {
        /// Milliseconds until the hook is asked again.
        ms: u32,
    },
    /// Refuse it; the provider is told.
    Reject,
}

/// How a self-test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SelfTest {
    /// The image works: confirm it.
    Passed,
    /// It does not: go back.
    Failed,
    /// Ask again in so many milliseconds.
    Running {
        /// Milliseconds until the hook is asked again.
        ms: u32,
    },
}

/// The application's part in an update.
#[allow(async_fn_in_trait)] // device executors are single-threaded: futures need not be Send
pub trait Hooks {
    /// Whether to take the job; asked only where `[policy] accept = "ask"`, and for each of its files:
    /// an image behind a plugin is put off for itself.
    fn decide(&mut self, job: &str, descriptor: &Descriptor<'_>) -> Decision {
        let _ = (job, descriptor);
        Decision::Accept
    }

    /// Whether to obey an order by job that changes how `plugin` stands: enable, disable, remove; asked
    /// only where `[policy] accept = "ask"`.
    fn decide_order(&mut self, job: &str, plugin: &str, to: State) -> Decision {
        let _ = (job, plugin, to);
        Decision::Accept
    }

    /// Whether the new image, which runs on trial, works. `online` is true once the job source was
    /// reached: an image that cannot reach it can never be updated again.
    fn self_test(&mut self, online: bool) -> SelfTest;

    /// Resets the device into the bootloader. Where it returns, as on a simulated device, the
    /// orchestrator ends with [`End::Reset`](crate::orchestrator::End).
    fn reset(&mut self);

    /// Sees every status, as the provider does, and those it never hears of.
    fn status(&mut self, job: &str, status: &Status<'_>) {
        let _ = (job, status);
    }

    /// Sees failures that end nothing: a link that went down, a refused report.
    fn trouble(&mut self, what: Failure) {
        let _ = what;
    }
}
