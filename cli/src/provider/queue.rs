//! The pending executions of a thing, in the service's order, and the pushes when they change.

use super::Outgoing;
use super::job_wire::{Full, Lists, Message, Summary};
use super::state::{Execution, State, Status, Thing};

/// A `notify` lists at most this many executions.
const LISTED_MAX: usize = 15;

impl Thing {
    /// Its executions that are not over: IN_PROGRESS before QUEUED, each as they were queued.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Execution> {
        let with = |status| self.executions.iter().filter(move |e| e.status == status);
        with(Status::InProgress).chain(with(Status::Queued))
    }

    /// What `$next` means.
    pub(super) fn next(&self) -> Option<&Execution> {
        self.pending().next()
    }

    /// The execution of this job.
    pub(super) fn execution(&self, job: &str) -> Option<&Execution> {
        self.executions.iter().find(|execution| execution.job == job)
    }

    pub(super) fn execution_mut(&mut self, job: &str) -> Option<&mut Execution> {
        self.executions.iter_mut().find(|execution| execution.job == job)
    }
}

/// The queue of a thing before a change, to tell afterwards what is to be pushed.
#[derive(Debug, Default)]
pub(super) struct Before {
    pending: Vec<String>,
    next: Option<String>,
}

impl Before {
    pub(super) fn of(thing: Option<&Thing>) -> Self {
        let Some(thing) = thing else { return Self::default() };
        let mut pending: Vec<_> = thing.pending().map(|execution| execution.job.clone()).collect();
        pending.sort_unstable();
        Self { pending, next: thing.next().map(|execution| execution.job.clone()) }
    }

    /// `notify` when an execution joined or left the queue, `notify-next` when another one is next.
    /// A change that leaves both as they were (the next one starts, progress) pushes nothing.
    pub(super) fn pushes(self, state: &State, name: &str, now: u64, out: &mut Vec<Outgoing>) {
        let thing = state.things.get(name);
        let after = Self::of(thing);
        if after.pending != self.pending {
            out.push(Outgoing::json(format!("$aws/things/{name}/jobs/notify"), &list(thing, now)));
        }
        if after.next != self.next {
            out.push(next(state, name, now));
        }
    }
}

/// The `notify-next` of a thing as it stands.
pub(super) fn next(state: &State, name: &str, now: u64) -> Outgoing {
    let execution = state.things.get(name).and_then(Thing::next).map(|execution| {
        let document = state.jobs.get(&execution.job).map(|job| &job.document);
        Full::new(execution, None, document, now)
    });
    let message = Message { timestamp: now, execution, ..Message::default() };
    Outgoing::json(format!("$aws/things/{name}/jobs/notify-next"), &message)
}

fn list(thing: Option<&Thing>, now: u64) -> Message<'_> {
    let listed: Vec<_> = thing.into_iter().flat_map(Thing::pending).take(LISTED_MAX).collect();
    let with = |status| {
        listed.iter().filter(|e| e.status == status).map(|e| Summary::of(e)).collect::<Vec<_>>()
    };
    let jobs = Lists { in_progress: with(Status::InProgress), queued: with(Status::Queued) };
    Message { timestamp: now, jobs: Some(jobs), ..Message::default() }
}
