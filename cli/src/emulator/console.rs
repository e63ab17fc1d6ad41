//! What the firmware of the example boards says on its console, as the events of the simulated device.
//!
//! The lines are those of [`coreota::say`]: a phase in ten columns, then the words that [`Event`] has for a
//! person.

use coreota::error::Failure;
use sim_device::{Event, How, Stage};

/// A console that is being read.
pub(crate) struct Console {
    /// After how many blocks the firmware reports.
    every: u32,
    /// What the bootloader said last.
    how: How,
    /// Blocks in the slot by the last report since power on.
    received: Option<u32>,
    /// No fewer than were fetched since power on.
    fetched: u32,
    job: String,
}

impl Console {
    pub(crate) fn new(every: u32) -> Self {
        Console { every, how: How::Unchanged, received: None, fetched: 0, job: String::new() }
    }

    /// The event that a line tells of; `None` for one that tells of none.
    pub(crate) fn event(&mut self, line: &str) -> Option<Event> {
        if let Some(said) = line.strip_prefix("bootloader ") {
            (self.received, self.fetched) = (None, 0);
            self.how = match said {
                _ if said.starts_with("swapped the slots back") => How::Reverted,
                _ if said.ends_with("to stay") => How::Permanent,
                _ if said.starts_with("swapped the slots") => How::Trial,
                _ if said.starts_with("refused") => How::Refused,
                _ => How::Unchanged,
            };
            return None;
        }
        let (phase, said) = (line.get(..10)?.trim_end(), line.get(10..)?);
        match phase {
            "boot" => self.boot(said),
            "notify" if said.ends_with("; accepted") => self.accepted(said),
            "download" => self.progress(said),
            "verify" => Some(self.status(Stage::Staged)),
            "install" if said == "self-test passed" => Some(Event::SelfTest { passed: true }),
            "install" if said == "self-test failed" => Some(Event::SelfTest { passed: false }),
            "install" if said == "reset" => Some(Event::Reset),
            "install" if said.starts_with("provider reached") => Some(self.status(Stage::Testing)),
            "notify" | "install" => self.job(said),
            _ => None,
        }
    }

    fn boot(&mut self, said: &str) -> Option<Event> {
        if let Some(trouble) = said.strip_suffix("; trying again") {
            let (reason, code) = failure(trouble)?;
            return Some(Event::Trouble { code, reason });
        }
        let (version, _) = said.strip_prefix('v')?.split_once(" runs on ")?;
        Some(Event::Boot { version: version.to_owned(), how: self.how })
    }

    fn accepted(&mut self, said: &str) -> Option<Event> {
        let (job, rest) = said.split_once(": ")?;
        let mut numbers = rest.split(' ').filter_map(|word| word.parse().ok());
        let (size, blocks) = (numbers.next()?, numbers.next()?);
        self.job = job.to_owned();
        Some(Event::Accepted { job: self.job.clone(), size, blocks })
    }

    /// `64/150 blocks`. Every so many blocks are reported: the first report after power on tells
    /// that no more were fetched since.
    fn progress(&mut self, said: &str) -> Option<Event> {
        let (received, total) = said.strip_suffix(" blocks")?.split_once('/')?;
        let (received, total) = (received.parse().ok()?, total.parse().ok()?);
        self.fetched += match self.received {
            Some(before) => received - before.min(received),
            None => self.every.min(received),
        };
        self.received = Some(received);
        Some(self.status(Stage::Receiving { received, total }))
    }

    /// `JOB: WORD, more`.
    fn job(&mut self, said: &str) -> Option<Event> {
        let (job, rest) = said.split_once(": ")?;
        let stage = match rest.split_once(", ").unwrap_or((rest, "")) {
            ("IN_PROGRESS", "") => Stage::Started,
            ("SUCCEEDED", versions) => {
                let (from, to) = versions.split_once(" -> ")?;
                let plain = |version: &str| version.trim_start_matches('v').to_owned();
                Stage::Succeeded { from: plain(from), to: plain(to) }
            }
            ("FAILED", why) => {
                let (reason, code) = failure(why)?;
                Stage::Failed { code, reason }
            }
            ("REJECTED", why) => {
                let (reason, code) = failure(why)?;
                Stage::Rejected { code, reason }
            }
            _ => return None,
        };
        self.job = job.to_owned();
        Some(self.status(stage))
    }

    fn status(&self, stage: Stage) -> Event {
        Event::Status { job: self.job.clone(), stage, fetched: self.fetched }
    }
}

/// `words (0x0701)`, where it is a number of ours.
fn failure(text: &str) -> Option<(String, u16)> {
    let (reason, code) = text.rsplit_once(" (0x")?;
    let code = u16::from_str_radix(code.strip_suffix(')')?, 16).ok()?;
    Failure::from_code(code)?;
    Some((reason.to_owned(), code))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a board printed it.
    const LINES: &str = "\
bootloader starts the image
boot      v1.0.0 runs on emcraft-sf2
boot      no connection (0x0201); trying again
notify    c1: 153080 bytes in 150 blocks; accepted
notify    c1: IN_PROGRESS
download  96/150 blocks
download  128/150 blocks
verify    whole, authentic, newer, for this board: staged
memory    stack 11336 of 29048 bytes at most, heap 88 of 14336 now
install   reset
bootloader swapped the slots and starts the new image on trial
boot      v2.0.0 runs on emcraft-sf2
install   provider reached: it can be updated again
install   self-test passed
install   c1: SUCCEEDED, v1.0.0 -> v2.0.0
bootloader swapped the slots back and starts the image of before
boot      v1.0.0 runs on emcraft-sf2
install   c1: FAILED, the new image failed its self-test (0x0701)
";

    /// What is read is told again in the same words, but for what only the board knows.
    #[test]
    fn lines_are_read_as_they_are_told() {
        let mut console = Console::new(32);
        let events: Vec<Event> = LINES.lines().filter_map(|line| console.event(line)).collect();
        let told: Vec<String> = events.iter().map(|event| event.to_string()).collect();
        let expected = [
            "v1.0.0 runs",
            "no connection (0x0201); trying again",
            "c1: 153080 bytes in 150 blocks; accepted",
            "c1: IN_PROGRESS",
            "96/150 blocks",
            "128/150 blocks",
            "whole, authentic, newer, for this board: staged",
            "reset",
            "bootloader swapped the slots: v2.0.0 runs on trial",
            "provider reached: it can be updated again",
            "self-test passed",
            "c1: SUCCEEDED, v1.0.0 -> v2.0.0",
            "bootloader swapped back: v1.0.0 runs again",
            "c1: FAILED, the new image failed its self-test (0x0701)",
        ];
        assert_eq!(told, expected);
        let fetched: Vec<u32> = events
            .iter()
            .filter_map(|event| match event {
                Event::Status { stage: Stage::Receiving { .. }, fetched, .. } => Some(*fetched),
                _ => None,
            })
            .collect();
        assert_eq!(fetched, [32, 64], "64 blocks were there before");
    }

    /// What firmware says of each status is understood here.
    #[test]
    fn what_firmware_says_is_understood() {
        use coreota::{Version, boot::How as Done, job::Status, say, wire::Writer};
        fn said(say: impl FnOnce(&mut Writer<'_>)) -> String {
            let mut buffer = [0; 192];
            let mut line = Writer::new(&mut buffer);
            say(&mut line);
            String::from_utf8(line.finish().expect("it fits").to_vec()).expect("UTF-8")
        }
        let (running, from) = (Version::new(2, 0, 0), Version::new(1, 0, 0));
        let (why, note) = (Failure::Digest, "");
        let statuses = [
            Status::Started,
            Status::Receiving { received: 1, total: 2 },
            Status::Staged { running: from },
            Status::Testing { from },
            Status::Succeeded { running, from },
            Status::Failed { why, note },
            Status::Rejected { why, note },
        ];
        let mut console = Console::new(32);
        for status in &statuses {
            let line = said(|line| say::status(line, "j", status));
            let Some(Event::Status { job, .. }) = console.event(&line) else { panic!("{line}") };
            assert!(job == "j" || job.is_empty(), "{line}");
        }
        let mut told = |line: String| console.event(&line).map(|event| event.to_string());
        let boots = [Done::Unchanged, Done::Trial, Done::Permanent, Done::Reverted, Done::Refused];
        let boots = boots.map(|how| {
            assert_eq!(told(said(|line| say::loaded(line, how))), None);
            told(said(|line| say::booted(line, running, "b")))
        });
        let unlike: std::collections::BTreeSet<_> = boots.iter().flatten().collect();
        assert_eq!(unlike.len(), boots.len(), "{boots:?}");
        assert_eq!(told(said(say::reset)).as_deref(), Some("reset"));
        let passed = told(said(|line| say::tested(line, true)));
        assert_eq!(passed.as_deref(), Some("self-test passed"));
        let trouble = told(said(|line| say::trouble(line, why)));
        assert!(trouble.is_some_and(|told| told.ends_with("; trying again")));
    }

    #[test]
    fn other_lines_tell_nothing() {
        let mut console = Console::new(32);
        for line in ["", "panic", "boot      it is not provisioned", "download  x/y blocks", "é"] {
            assert_eq!(console.event(line), None, "{line}");
        }
    }
}
