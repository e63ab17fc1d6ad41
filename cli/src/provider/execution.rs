//! The life of one execution: QUEUED, IN_PROGRESS, then one terminal status, and its two timers.

use super::state::{Details, Execution, Status};

const MINUTE: u64 = 60;

/// What `stepTimeoutInMinutes` asks of the step timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Not mentioned: the timer goes on.
    Keep,
    /// -1: no timer.
    Stop,
    /// From now on this many minutes.
    Minutes(u64),
}

impl Execution {
    /// As it enters the queue of a thing.
    pub(super) fn queued(job: &str, now: u64) -> Self {
        Self {
            job: job.to_owned(),
            status: Status::Queued,
            details: Details::new(),
            queued_at: now,
            started_at: None,
            updated_at: now,
            version: 1,
            number: 1,
            deadline: None,
            step_deadline: None,
        }
    }

    /// May a device move it to `next`?
    ///
    /// REJECTED says "I will not begin": too late once IN_PROGRESS. Nothing leaves a terminal status.
    pub(super) fn allows(&self, next: Status) -> bool {
        match (self.status, next) {
            (Status::Queued, Status::Rejected) => true,
            (Status::Queued | Status::InProgress, next) => {
                matches!(next, Status::InProgress | Status::Succeeded | Status::Failed)
            }
            _ => false,
        }
    }

    /// Moves it to `next`, counts the version, and sets or ends the timers. `details: None` leaves
    /// them as they are.
    pub(super) fn change(
        &mut self,
        next: Status,
        details: Option<Details>,
        step: Step,
        timeout_minutes: Option<u64>,
        now: u64,
    ) {
        if next == Status::InProgress && self.status == Status::Queued {
            self.started_at = Some(now);
            self.deadline = timeout_minutes.map(|minutes| now + minutes * MINUTE);
        }
        self.status = next;
        self.details = details.unwrap_or(std::mem::take(&mut self.details));
        self.version += 1;
        self.updated_at = now;
        match step {
            _ if next.is_terminal() => (self.deadline, self.step_deadline) = (None, None),
            Step::Keep => {}
            Step::Stop => self.step_deadline = None,
            Step::Minutes(minutes) => self.step_deadline = Some(now + minutes * MINUTE),
        }
    }

    /// `approximateSecondsBeforeTimedOut`, while a timer runs.
    pub(super) fn seconds_left(&self, now: u64) -> Option<u64> {
        let end = self.deadline.into_iter().chain(self.step_deadline).min()?;
        Some(end.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::*;

    const ALL: [Status; 8] =
        [Queued, InProgress, Succeeded, Failed, Rejected, Canceled, TimedOut, Removed];

    fn at(status: Status) -> Execution {
        Execution { status, ..Execution::queued("j", 100) }
    }

    #[test]
    fn a_device_may_write_exactly_these_transitions() {
        let allowed: Vec<_> = ALL
            .iter()
            .flat_map(|&from| ALL.iter().map(move |&to| (from, to)))
            .filter(|&(from, to)| at(from).allows(to))
            .collect();
        assert_eq!(
            allowed,
            [
                (Queued, InProgress),
                (Queued, Succeeded),
                (Queued, Failed),
                (Queued, Rejected),
                (InProgress, InProgress),
                (InProgress, Succeeded),
                (InProgress, Failed),
            ]
        );
    }

    #[test]
    fn each_change_counts_one_version_and_only_the_start_sets_started_at() {
        let mut execution = at(Queued);
        execution.change(InProgress, None, Step::Keep, None, 110);
        execution.change(InProgress, None, Step::Keep, None, 120);
        assert_eq!((execution.version, execution.started_at), (3, Some(110)));
        assert_eq!((execution.queued_at, execution.updated_at), (100, 120));
    }

    #[test]
    fn details_not_given_stay_and_details_given_replace() {
        let details = |key: &str| Details::from([(key.to_owned(), "x".to_owned())]);
        let mut execution = at(Queued);
        execution.change(InProgress, Some(details("a")), Step::Keep, None, 1);
        execution.change(InProgress, None, Step::Keep, None, 2);
        assert_eq!(execution.details, details("a"));
        execution.change(InProgress, Some(details("b")), Step::Keep, None, 3);
        assert_eq!(execution.details, details("b"));
    }

    #[test]
    fn the_job_timer_starts_with_the_execution_and_is_not_moved() {
        let mut execution = at(Queued);
        assert_eq!(execution.seconds_left(100), None);
        execution.change(InProgress, None, Step::Keep, Some(2), 100);
        execution.change(InProgress, None, Step::Keep, Some(2), 150);
        assert_eq!(execution.seconds_left(150), Some(70));
    }

    #[test]
    fn the_shorter_timer_counts_and_minus_one_stops_the_step() {
        let mut execution = at(Queued);
        execution.change(InProgress, None, Step::Minutes(1), Some(2), 100);
        assert_eq!(execution.seconds_left(100), Some(60));
        execution.change(InProgress, None, Step::Keep, None, 130);
        assert_eq!(execution.seconds_left(130), Some(30));
        execution.change(InProgress, None, Step::Stop, None, 140);
        assert_eq!(execution.seconds_left(140), Some(80));
    }

    #[test]
    fn a_terminal_status_ends_both_timers() {
        let mut execution = at(Queued);
        execution.change(InProgress, None, Step::Minutes(1), Some(2), 100);
        execution.change(Failed, None, Step::Minutes(5), None, 110);
        assert_eq!(execution.seconds_left(110), None);
    }
}
