//! One update without a cut, operation by operation.

use std::time::{Duration, Instant};

use coreota_emulator::{Change, Chip, Cut, Line, Tear};

use super::provider::Provider;
use super::subject::{NEW, Subject};

/// How long an update may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at what the provider knows.
const LOOK: Duration = Duration::from_millis(200);

/// The operations of a board, from the factory's flash to the end of its job.
pub(super) struct Recording {
    /// The flash before the first of them.
    before: Chip,
    changes: Vec<Change>,
    /// The first operation in the slot that runs: the new image was staged before it.
    pub(super) staged: usize,
    pub(super) violations: u64,
}

impl Recording {
    /// Runs the update.
    pub(super) fn of(subject: &Subject, provider: &Provider, thing: &str) -> Result<Self, String> {
        let before = subject.factory(thing, &provider.way)?;
        let mut chip = before.clone();
        chip.record();
        let mut board = subject.boot(chip, true)?;
        let end = Instant::now() + PATIENCE;
        let mut said = Vec::new();
        loop {
            match board.line(LOOK)? {
                Line::Said(line) => {
                    said.push(line);
                    continue;
                }
                Line::Silence => (),
                Line::Ended(status) => return Err(format!("the emulator ended: {status}")),
            }
            let execution = provider.execution(thing)?;
            if execution.status == "SUCCEEDED" {
                break;
            }
            if execution.is_over() || Instant::now() > end {
                return Err(format!("no update without a cut: {execution:?}, {said:#?}"));
            }
        }
        board.settled();
        let (changes, violations) = {
            let chip = board.flash().chip();
            (chip.recorded().to_vec(), chip.operations().violations)
        };
        let recording = Recording { before, staged: 0, violations, changes };
        let after = recording.chip(recording.len(), None)?;
        if subject.runs(after.bytes()) != Some(NEW) {
            return Err(format!("what was recorded does not lead to v{NEW}"));
        }
        let first = recording.changes.iter().position(|change| subject.is_primary(change.at));
        Ok(Recording { staged: first.ok_or("the slots were not swapped")?, ..recording })
    }

    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// The flash before that operation, or with what a cut leaves of it.
    pub(super) fn chip(&self, at: usize, cut: Option<(Tear, u64)>) -> Result<Chip, String> {
        let mut chip = self.before.clone();
        let refused = || "the recording does not hold together".to_owned();
        for Change { at, data } in self.changes.get(..at).ok_or_else(refused)? {
            chip.write(*at, data).ok_or_else(refused)?;
        }
        if let Some((tear, seed)) = cut {
            let Change { at, data } = self.changes.get(at).ok_or_else(refused)?;
            chip.arm(Cut { after: 0, tear, seed });
            // It has no power left to say that it is done.
            let _ = chip.write(*at, data);
            chip.power_on();
        }
        Ok(chip)
    }
}
