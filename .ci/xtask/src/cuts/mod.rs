//! `cargo xtask cuts`: the power of a board goes at an operation on its flash, at each of them in turn.
//!
//! The firmware and the bootloader are those of `cargo ota build`, unmodified, in the emulator that
//! `ota.toml` names; broker and provider are mosquitto and `cargo ota serve`. The flash is kept here and
//! reached by the emulator as a network block device, so that every operation on it is counted, held
//! against the rules of NOR flash, and can be the last.
//!
//! ```text
//! recording   one whole update: every operation, in its order
//! point       an operation: the flash as a cut in it leaves it, for a thing that has begun its job
//! judgement   boot ─► (the power goes again) ─► boot ─► what the provider hears ─► power cycle ─► verdict
//! ```
//! A board has its job before it first writes to its flash, and nothing else of what it was told is kept
//! outside of it. So the download before a cut is not run again: the flash is made from the recording. The
//! second cut, in the recovery of every other one, is made in the running board.

mod judge;
mod provider;
mod recording;
mod subject;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use coreota_emulator::Tear;

use judge::{Bench, Outcome, Point, Verdict};
use provider::Provider;
use recording::Recording;
use subject::Subject;

/// The thing whose update is recorded.
const RECORDED: &str = "recorded";
/// How many a provider gets to know before it starts anew.
const THINGS: usize = 100;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) board: String,
    /// The first operation, and the one behind the last.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// One in so many.
    pub(crate) every: usize,
    /// Or only so many, from the first of them to the last.
    pub(crate) sample: Option<usize>,
    /// The same tear everywhere, or one after the other.
    pub(crate) tear: Option<Tear>,
    /// How many boards run at once.
    pub(crate) jobs: usize,
    /// The images of the run before are taken.
    pub(crate) built: bool,
}

impl Wanted {
    /// The operations of so many.
    fn points(&self, operations: usize) -> Vec<usize> {
        let all: Vec<usize> = (self.from..self.to.min(operations)).step_by(self.every).collect();
        match self.sample {
            Some(count) if count < all.len() => {
                let gaps = count.saturating_sub(1).max(1);
                (0..count).map(|n| all[n * (all.len() - 1) / gaps]).collect()
            }
            _ => all,
        }
    }
}

/// What came of all cuts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) board: String,
    /// Of one update without a cut.
    pub(crate) operations: usize,
    pub(crate) cuts: usize,
    /// Those in the recovery from another.
    pub(crate) second: usize,
    /// Jobs that ended with the new image, and those that ended with the old one and said so.
    pub(crate) updated: usize,
    pub(crate) rolled_back: usize,
    /// Boards that do not boot an authentic image.
    pub(crate) bricks: usize,
    /// What the provider was told is not what is in the flash, or it was told nothing.
    pub(crate) disagreements: usize,
    /// Programs that asked for bits to go from 0 to 1.
    pub(crate) violations: u64,
}

impl Summary {
    /// Whether everything held, and there was anything to hold.
    pub(crate) fn holds(&self) -> bool {
        self.cuts > 0 && self.bricks == 0 && self.disagreements == 0 && self.violations == 0
    }

    fn count(&mut self, verdict: &Verdict) {
        self.cuts += 1;
        self.second += usize::from(verdict.twice);
        self.violations += verdict.violations;
        match verdict.outcome {
            Outcome::Updated => self.updated += 1,
            Outcome::RolledBack => self.rolled_back += 1,
            Outcome::Brick(_) => self.bricks += 1,
            Outcome::Disagrees(_) => self.disagreements += 1,
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: {} operations in an update; {} cuts, {} of them twice: {} bricks, {} disagreements, {} violations; {} updated, {} rolled back and reported",
            self.board,
            self.operations,
            self.cuts,
            self.second,
            self.bricks,
            self.disagreements,
            self.violations,
            self.updated,
            self.rolled_back
        )
    }
}

/// So many of each board without TLS in `cargo xtask test`; the command makes all of them.
const SAMPLE: usize = 7;

/// A sample on each board.
pub(crate) fn sample() -> Result<String, String> {
    let mut told = Vec::new();
    for board in subject::names()? {
        let wanted = ["--board", &board, "--sample", &SAMPLE.to_string(), "--jobs", "2"];
        let mistakes = Mutex::new(String::new());
        let note = |line: &str| lock(&mistakes).push_str(&format!("\n  {line}"));
        let summary = run(&self::wanted(&wanted)?, note)?;
        if !summary.holds() {
            return Err(format!("{summary}{}", lock(&mistakes)));
        }
        told.push(format!("{board}: {} cuts of {} operations", summary.cuts, summary.operations));
    }
    Ok(told.join("; "))
}

/// The command: tells each cut that did not hold as it comes, and the summary.
pub(crate) fn command(words: &[&str]) -> ExitCode {
    let summary = wanted(words).and_then(|wanted| run(&wanted, |line| eprintln!("{line}")));
    match summary {
        Ok(summary) => {
            println!("{summary}");
            if summary.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("cuts: {why}");
            ExitCode::FAILURE
        }
    }
}

fn wanted(words: &[&str]) -> Result<Wanted, String> {
    let mut wanted = Wanted {
        board: String::new(),
        from: 0,
        to: usize::MAX,
        every: 1,
        sample: None,
        tear: None,
        jobs: 1,
        built: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--built" {
            wanted.built = true;
            continue;
        }
        let value = *words.next().ok_or_else(|| format!("{word} needs a value"))?;
        let number = || value.parse::<usize>().map_err(|_| format!("{word}: {value} is no number"));
        match *word {
            "--board" => wanted.board = value.to_owned(),
            "--from" => wanted.from = number()?,
            "--to" => wanted.to = number()?,
            "--every" => wanted.every = number()?.max(1),
            "--sample" => wanted.sample = Some(number()?),
            "--jobs" => wanted.jobs = number()?.max(1),
            "--tear" => {
                wanted.tear = Some(match value {
                    "clean" => Tear::Clean,
                    "half" => Tear::Half,
                    "bits" => Tear::Bits,
                    _ => return Err(format!("--tear: {value} is none of clean, half, bits")),
                });
            }
            _ => {
                return Err(format!(
                    "{word} is none of --board, --from, --to, --every, --sample, --tear, --jobs, --built"
                ));
            }
        }
    }
    match wanted.board.is_empty() {
        true => Err("which board? --board NAME, as ota.toml calls it".to_owned()),
        false => Ok(wanted),
    }
}

/// Records an update, and cuts the power at the operations that are wanted.
pub(crate) fn run(wanted: &Wanted, tell: impl Fn(&str) + Sync) -> Result<Summary, String> {
    let subject = Subject::of(&wanted.board, wanted.built)?;
    let mut provider = Provider::start(&subject.name, subject.tls())?;
    provider.publish(&subject.update_path(), &[RECORDED.to_owned()])?;
    let recording = Recording::of(&subject, &provider, RECORDED)?;
    let points = wanted.points(recording.len());
    tell(&format!(
        "{}: {} operations recorded, staged before the {}th; {} cuts",
        subject.name,
        recording.len(),
        recording.staged,
        points.len()
    ));
    let summary = Summary {
        board: subject.name.clone(),
        operations: recording.len(),
        violations: recording.violations,
        ..Summary::default()
    };
    let summary = Mutex::new(summary);
    // Few enough things for a provider to remember at once.
    for points in points.chunks(THINGS) {
        provider.forget()?;
        let things: Vec<String> = points.iter().map(thing).collect();
        provider.publish(&subject.update_path(), &things)?;
        let bench = Bench { subject: &subject, provider: &provider, recording: &recording };
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), String> {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                let Some(&at) = points.get(nth) else { return Ok(()) };
                let tear = wanted.tear.unwrap_or(Tear::ALL[nth % Tear::ALL.len()]);
                let point = Point { at, tear, twice: nth % 2 == 1 };
                let verdict = bench.cut(&point, &thing(&at));
                let verdict = verdict.map_err(|why| format!("operation {at}: {why}"))?;
                if let Outcome::Brick(why) | Outcome::Disagrees(why) = &verdict.outcome {
                    tell(&format!("operation {at}, {tear:?}: {why}"));
                }
                lock(&summary).count(&verdict);
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..wanted.jobs).map(|_| scope.spawn(work)).collect();
            let mut ends = workers.into_iter().map(|worker| worker.join());
            ends.try_for_each(|end| end.unwrap_or_else(|_| Err("a worker panicked".to_owned())))
        })?;
        tell(&lock(&summary).to_string());
    }
    Ok(lock(&summary).clone())
}

fn thing(at: &usize) -> String {
    format!("cut-{at}")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_and_what_is_not_is_refused() {
        let some =
            wanted(&["--board", "b", "--built", "--from", "3", "--every", "7", "--tear", "bits"]);
        let expected = Wanted {
            board: "b".to_owned(),
            from: 3,
            to: usize::MAX,
            every: 7,
            sample: None,
            tear: Some(Tear::Bits),
            jobs: 1,
            built: true,
        };
        assert_eq!(some, Ok(expected));
        assert!(wanted(&[]).unwrap_err().contains("--board NAME"));
        assert!(wanted(&["--board"]).unwrap_err().contains("needs a value"));
        assert!(wanted(&["--every", "x"]).unwrap_err().contains("is no number"));
        assert!(wanted(&["--tear", "x"]).unwrap_err().contains("clean, half, bits"));
        assert!(wanted(&["--evry", "1"]).unwrap_err().contains("--every"));
    }

    #[test]
    fn a_sample_goes_from_the_first_to_the_last() {
        let all = wanted(&["--board", "b", "--every", "3"]).expect("good");
        assert_eq!(all.points(10), [0, 3, 6, 9]);
        let sample = |count| Wanted { sample: Some(count), every: 1, ..all.clone() };
        assert_eq!(sample(4).points(101), [0, 33, 66, 100]);
        assert_eq!(sample(1).points(101), [0]);
        assert_eq!(sample(7).points(3), [0, 1, 2]);
        assert!(sample(7).points(0).is_empty());
    }

    #[test]
    fn a_brick_a_disagreement_or_nothing_at_all_does_not_hold() {
        let good = Summary { cuts: 1, updated: 1, ..Summary::default() };
        assert!(good.holds());
        assert!(!Summary::default().holds());
        assert!(!Summary { bricks: 1, ..good.clone() }.holds());
        assert!(!Summary { disagreements: 1, ..good.clone() }.holds());
        assert!(!Summary { violations: 1, ..good }.holds());
    }
}
