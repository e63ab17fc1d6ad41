//! `line-jobs`: a job protocol in lines of text, for providers that are a shell script.
//!
//! | topic | who | says |
//! |---|---|---|
//! | `line-jobs/THING/ask` | the device | `peek`, `start`, or `current NAME` |
//! | `line-jobs/THING/report` | the device | `NAME started`, `NAME receiving 3 10`, `NAME staged 1.2.0`, `NAME testing 1.1.0`, `NAME succeeded 1.2.0 1.1.0`, `NAME failed 770 WORDS`, `NAME rejected 257 WORDS` |
//! | `line-jobs/THING/answer` | the provider | `job NAME` or `started NAME` and, from the next line on, the document; `none`; `over`; `ok`; `again`; `no` |
//! | `line-jobs/THING/changed` | the provider | anything: there is something new to ask for |
//!
//! A name is 1 to 64 letters, digits, `-` and `_`. The number behind `failed` and `rejected` is the
//! failure's, in decimal; its words follow, and a note where there is one.

#![cfg_attr(target_family = "wasm", no_std)]

use coreota_plugin::{
    Ask, Draft, Error, Failure, Heard, Jobs, Message, Offer, Reason, Status, Writer, behind, is,
    is_name,
};

coreota_plugin::jobs!(LineJobs, input = 1152, scratch = 384);

const PREFIX: &str = "line-jobs/";
const THING_MAX: usize = 128;
const NAME_MAX: usize = 64;

/// Answers of one word.
const ANSWERS: [(&str, Heard<'static>); 5] = [
    ("none", Heard::NoJob),
    ("over", Heard::Over),
    ("ok", Heard::Accepted),
    ("again", Heard::Again),
    ("no", Heard::Refused(Failure::ProviderRefused)),
];

/// A short text that is kept.
#[derive(Clone, Debug)]
struct Kept<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Kept<N> {
    const NOTHING: Self = Kept { bytes: [0; N], len: 0 };

    /// Keeps a name, if it is one.
    fn keep(&mut self, name: &[u8], also: &str) -> Result<(), Failure> {
        if !is_name(name, N, also) {
            return Err(Failure::BadText);
        }
        Writer::new(&mut self.bytes).put(name);
        self.len = name.len();
        Ok(())
    }

    fn get(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The protocol of a thing.
#[derive(Clone, Debug)]
pub struct LineJobs {
    thing: Kept<THING_MAX>,
    current: Kept<NAME_MAX>,
    offered: Kept<NAME_MAX>,
}

impl LineJobs {
    fn topic(&self, verb: &str, topic: &mut Writer<'_>) {
        topic.put(PREFIX.as_bytes());
        topic.put(self.thing.get());
        topic.put(b"/");
        topic.put(verb.as_bytes());
    }

    /// What comes behind the thing in a topic of this protocol.
    fn verb<'m>(&self, topic: &'m [u8]) -> Option<&'m [u8]> {
        let rest = behind(topic, PREFIX.as_bytes())?;
        behind(behind(rest, self.thing.get())?, b"/")
    }

    fn offer<'m>(&mut self, rest: &'m [u8], started: bool) -> Result<Heard<'m>, Failure> {
        let (name, document) = cut(rest, b'\n');
        self.offered.keep(name, "-_")?;
        Ok(Heard::Offer(Offer { name, started, document }))
    }
}

impl Jobs for LineJobs {
    const NEW: Self =
        LineJobs { thing: Kept::NOTHING, current: Kept::NOTHING, offered: Kept::NOTHING };

    fn start(&mut self, thing: &[u8]) -> Result<(), Failure> {
        self.thing.keep(thing, "-_:")
    }

    fn subscription(&self, index: u32, topic: &mut Writer<'_>) -> bool {
        self.topic(if index == 0 { "answer" } else { "changed" }, topic);
        index < 2
    }

    fn adopt(&mut self, name: &[u8]) -> Result<(), Failure> {
        self.current.keep(name, "-_")
    }

    fn ask(&mut self, ask: Ask, draft: &mut Draft<'_>) -> Result<(), Failure> {
        self.topic("ask", draft.topic());
        let line = draft.payload();
        match ask {
            Ask::Peek => line.put(b"peek"),
            Ask::Start => line.put(b"start"),
            Ask::Current if self.current.len == 0 => return Err(Failure::Misconfigured),
            Ask::Current => {
                line.put(b"current ");
                line.put(self.current.get());
            }
        }
        Ok(())
    }

    fn report(&mut self, status: &Status<'_>, draft: &mut Draft<'_>) -> Result<(), Failure> {
        if self.current.len == 0 {
            return Err(Failure::Misconfigured);
        }
        self.topic("report", draft.topic());
        let line = draft.payload();
        line.put(self.current.get());
        match *status {
            Status::Started => line.put(b" started"),
            Status::Receiving { received, total } => {
                line.put(b" receiving ");
                line.number(received);
                line.put(b" ");
                line.number(total);
            }
            Status::Staged { running } => words(line, [b"staged", running, b""]),
            Status::Testing { from } => words(line, [b"testing", from, b""]),
            Status::Succeeded { running, from } => words(line, [b"succeeded", running, from]),
            Status::Failed(reason) => why(line, b" failed ", reason),
            Status::Rejected(reason) => why(line, b" rejected ", reason),
        }
        Ok(())
    }

    fn hear<'m>(&mut self, message: Message<'m>) -> Result<Heard<'m>, Error> {
        let Some(verb) = self.verb(message.topic) else {
            return Err(Error::NotMine(Failure::NoSuchKey));
        };
        if is(verb, "changed") {
            return Ok(Heard::Changed);
        }
        if !is(verb, "answer") {
            return Ok(Heard::Ignored);
        }
        let answer = message.payload;
        if let Some(rest) = behind(answer, b"job ") {
            return Ok(self.offer(rest, false)?);
        }
        if let Some(rest) = behind(answer, b"started ") {
            return Ok(self.offer(rest, true)?);
        }
        let (word, _) = cut(answer, b'\n');
        let known = ANSWERS.iter().find(|(name, _)| is(word, name));
        known.map(|(_, heard)| *heard).ok_or(Error::Malformed(Failure::BadText))
    }

    fn take(&mut self) -> Result<(), Failure> {
        if self.offered.len == 0 {
            return Err(Failure::Misconfigured);
        }
        self.current = self.offered.clone();
        self.offered.len = 0;
        Ok(())
    }
}

/// Appends words, each behind a space; none for nothing.
fn words(line: &mut Writer<'_>, words: [&[u8]; 3]) {
    for word in words {
        if !word.is_empty() {
            line.put(b" ");
            line.put(word);
        }
    }
}

fn why(line: &mut Writer<'_>, word: &[u8], reason: Reason<'_>) {
    line.put(word);
    line.number(reason.code);
    words(line, [reason.text, reason.note, b""]);
}

/// The parts before and behind the first `mark`; nothing is behind where there is none.
fn cut(bytes: &[u8], mark: u8) -> (&[u8], &[u8]) {
    let at = bytes.iter().position(|byte| *byte == mark).unwrap_or(bytes.len());
    let (before, rest) = bytes.split_at_checked(at).unwrap_or_default();
    (before, rest.split_first().map_or(&[], |(_, rest)| rest))
}
