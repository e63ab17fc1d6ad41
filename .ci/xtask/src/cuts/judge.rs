//! One cut: made, recovered from, and judged.

use std::time::{Duration, Instant};

use coreota_emulator::{Chip, Cut, Line, Tear};

use super::provider::{Execution, Provider};
use super::recording::Recording;
use super::subject::{NEW, OLD, Powered, Subject};

/// How long a board may take to boot, and to be done with its job, on a busy machine.
const BOOT: Duration = Duration::from_secs(60);
const JOB: Duration = Duration::from_secs(180);
/// Between two looks: at the console while the power may go, at the provider while it may not.
const LOOK: Duration = Duration::from_millis(10);
const ASK: Duration = Duration::from_millis(200);
/// The power goes again within so many operations of the recovery.
const AGAIN_WITHIN: u64 = 24;
/// What the firmware says first, between them its version.
const RUNS: (&str, &str) = ("boot      v", " runs on ");

/// Where the power goes.
pub(super) struct Point {
    /// The operation, of the recorded update.
    pub(super) at: usize,
    pub(super) tear: Tear,
    /// Once more during the recovery.
    pub(super) twice: bool,
}

/// What came of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The new image runs, and the provider knows.
    Updated,
    /// The bootloader went back, the old image runs, and the provider knows why.
    RolledBack,
    /// No authentic image boots.
    Brick(String),
    /// The provider was told something else than what is in the flash, or nothing.
    Disagrees(String),
}

/// Of one cut.
pub(super) struct Verdict {
    pub(super) outcome: Outcome,
    /// Whether the second cut came.
    pub(super) twice: bool,
    pub(super) violations: u64,
}

/// What every cut needs.
pub(super) struct Bench<'a> {
    pub(super) subject: &'a Subject,
    pub(super) provider: &'a Provider,
    pub(super) recording: &'a Recording,
}

/// How a boot went on.
enum Went {
    /// The power went, and left this flash; whether the new image had been staged by then.
    Cut {
        chip: Chip,
        staged: bool,
    },
    /// The job is over at the provider; the flash as it is then.
    Over {
        chip: Chip,
        execution: Execution,
    },
    Wrong(Outcome),
}

impl Bench<'_> {
    /// Cuts the power there, for a thing that was not used yet.
    pub(super) fn cut(&self, point: &Point, thing: &str) -> Result<Verdict, String> {
        self.provider.begin(thing)?;
        let seed = point.at as u64;
        let torn = self.recording.chip(point.at, Some((point.tear, seed)))?;
        let mut chip = self.subject.renamed(&torn, thing, &self.provider.way)?;
        let mut may_roll_back = point.at >= self.recording.staged;
        let verdict = |outcome, twice, violations| Ok(Verdict { outcome, twice, violations });
        let (mut twice, mut violations) = (false, 0);
        if point.twice {
            let after = seed.wrapping_mul(0x9e37_79b9) % AGAIN_WITHIN;
            chip.arm(Cut { after, tear: point.tear, seed });
        }
        let (chip, execution) = loop {
            // Only where the power goes in it the order of operations counts.
            let exact = point.twice && !twice;
            match self.run(chip, exact, thing, &mut violations)? {
                Went::Over { chip, execution } => break (chip, execution),
                Went::Wrong(outcome) => return verdict(outcome, twice, violations),
                Went::Cut { chip: left, staged } => {
                    (chip, twice) = (left, true);
                    may_roll_back |= staged;
                }
            }
        };
        // What it told must be what it is, and stay so.
        let outcome = match self.boots(chip)? {
            Ok(version) => agree(&execution, version, may_roll_back),
            Err(outcome) => outcome,
        };
        verdict(outcome, twice, violations)
    }

    /// Until the job is over or the power goes.
    fn run(
        &self,
        chip: Chip,
        exact: bool,
        thing: &str,
        violations: &mut u64,
    ) -> Result<Went, String> {
        let mut board = self.subject.boot(chip, exact)?;
        let begun = Instant::now();
        let (mut asked, mut booted, mut staged) = (begun, false, false);
        let mut said = Vec::new();
        loop {
            let cut = board.flash().wait_for_cut(LOOK);
            while let Line::Said(line) = next(&mut board)? {
                staged |= line.ends_with(": staged");
                if line == "panic" {
                    return Ok(Went::Wrong(Outcome::Disagrees(format!("it panics: {said:#?}"))));
                }
                if let Some(version) = version(&line)
                    && !cut
                {
                    booted = true;
                    if let Err(wrong) = self.authentic(&board, version) {
                        return Ok(Went::Wrong(wrong));
                    }
                }
                said.push(line);
            }
            if cut {
                let mut chip = left(board, violations);
                chip.power_on();
                return Ok(Went::Cut { chip, staged });
            }
            if !booted && begun.elapsed() > BOOT {
                return Ok(Went::Wrong(Outcome::Brick(format!("nothing boots: {said:#?}"))));
            }
            if asked.elapsed() > ASK {
                let execution = self.provider.execution(thing)?;
                if execution.is_over() {
                    board.settled();
                    return Ok(Went::Over { chip: left(board, violations), execution });
                }
                if begun.elapsed() > JOB {
                    let why = format!("{execution:?} after {} s: {said:#?}", JOB.as_secs());
                    return Ok(Went::Wrong(Outcome::Disagrees(why)));
                }
                asked = Instant::now();
            }
        }
    }

    /// The version that boots.
    fn boots(&self, mut chip: Chip) -> Result<Result<&'static str, Outcome>, String> {
        chip.power_on();
        let mut board = self.subject.boot(chip, false)?;
        let mut said = Vec::new();
        let end = Instant::now() + BOOT;
        while Instant::now() < end {
            match board.line(ASK)? {
                Line::Said(line) => {
                    if let Some(version) = version(&line) {
                        return Ok(self.authentic(&board, version).map(|()| version));
                    }
                    said.push(line);
                }
                Line::Silence => (),
                Line::Ended(status) => return Err(format!("the emulator ended: {status}")),
            }
        }
        Ok(Err(Outcome::Brick(format!("nothing boots after the job: {said:#?}"))))
    }

    /// Whether the image of that version is in the slot that runs, byte by byte. What the bootloader
    /// wrote may still be on its way.
    fn authentic(&self, board: &Powered, version: &str) -> Result<(), Outcome> {
        let end = Instant::now() + BOOT;
        loop {
            let in_flash = self.subject.runs(board.flash().chip().bytes());
            if in_flash == Some(version) {
                return Ok(());
            }
            if Instant::now() > end {
                let why = format!("v{version} boots, in its slot there is {in_flash:?}");
                return Err(Outcome::Brick(why));
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Takes the board's power; gives what is in its flash.
fn left(board: Powered, violations: &mut u64) -> Chip {
    let flash = board.flash().clone();
    // A block device that is written to later says nothing of the firmware's own order.
    *violations += match board.is_exact() {
        true => flash.chip().operations().violations,
        false => 0,
    };
    let chip = flash.chip().clone();
    drop(board);
    chip
}

/// A line that is there already.
fn next(board: &mut Powered) -> Result<Line, String> {
    match board.line(Duration::ZERO)? {
        Line::Ended(status) => Err(format!("the emulator ended: {status}")),
        line => Ok(line),
    }
}

/// The version in the first line of one of the images.
fn version(line: &str) -> Option<&'static str> {
    let (version, _) = line.strip_prefix(RUNS.0)?.split_once(RUNS.1)?;
    [OLD, NEW].into_iter().find(|known| *known == version)
}

/// Whether what the provider heard is what runs.
fn agree(execution: &Execution, runs: &str, may_roll_back: bool) -> Outcome {
    let reverted = ["0x00000504", "0x00000505"];
    let is_reverted = reverted.iter().any(|code| execution.reason.contains(code));
    match (execution.status.as_str(), runs) {
        ("SUCCEEDED", NEW) => Outcome::Updated,
        ("FAILED", OLD) if may_roll_back && is_reverted => Outcome::RolledBack,
        _ => Outcome::Disagrees(format!("v{runs} runs, and the provider has {execution:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_has_to_know_what_runs() {
        let execution = |status: &str, reason: &str| Execution {
            status: status.to_owned(),
            reason: reason.to_owned(),
        };
        let good = execution("SUCCEEDED", "accepted v2.0.0");
        let reverted = execution("FAILED", "rejected: 0x00000504");
        assert_eq!(agree(&good, NEW, false), Outcome::Updated);
        assert_eq!(agree(&reverted, OLD, true), Outcome::RolledBack);
        let wrong = [
            (&good, OLD, true),
            (&reverted, NEW, true),
            // Nothing was staged that could be gone back from.
            (&reverted, OLD, false),
            (&execution("FAILED", "rejected: 0x00000301"), OLD, true),
            (&execution("REJECTED", ""), OLD, true),
        ];
        for (execution, runs, may_roll_back) in wrong {
            let outcome = agree(execution, runs, may_roll_back);
            assert!(matches!(outcome, Outcome::Disagrees(_)), "{execution:?} {runs}");
        }
    }

    #[test]
    fn a_boot_is_told_by_its_version() {
        assert_eq!(version("boot      v2.0.0 runs on emcraft-sf2"), Some(NEW));
        assert_eq!(version("boot      v3.0.0 runs on emcraft-sf2"), None);
        assert_eq!(version("boot      no connection (0x0201); trying again"), None);
    }
}
