//! Test events of a protocol: what happens, one thing after the other, and what the protocol has to make
//! of each, in a file.
//!
//! ```toml
//! thing = "lamp"                 # the device; "thing" if not given
//!
//! [[event]]                      # of a block protocol: a file is opened
//! on = { open = { place = "fw", size = 2500, block = 1024, file = 3 } }     # file: 0 if not given
//! expect = "done"
//!
//! [[event]]                      # of both kinds: what to subscribe to
//! on = "connected"
//! expect = { subscribe = ["raw-blocks/lamp/fw/data", "raw-blocks/lamp/fw/refused"] }
//!
//! [[event]]                      # blocks are wanted, by their numbers: at most 63 after the first
//! on = { wanted = [1, 2] }
//! expect = { publish = { topic = "raw-blocks/lamp/fw/get", hex = "03000000 00040000 01000000 03000000 00000000" } }
//!
//! [[event]]                      # a message comes; a payload is `text` or `hex`
//! on = { message = { topic = "raw-blocks/lamp/fw/refused", hex = "05020000", wanted = [1, 2] } }
//! expect = { refused = "StreamMissing" }        # as in coreota::error::Failure
//! ```
//! A block that is taken is `{ block = { index = 2, hex = "…" } }`, one that is not, or a message that makes
//! no sense, `{ malformed = "BadBlock" }`, and a message of somebody else `"not-mine"`.
//!
//! Events of a job protocol are `"connected"`, `{ adopt = "job" }`, `{ ask = "peek" }` (or `start`, `current`),
//! `"take"`, `{ message = … }` and `{ report = … }`, where a report is `"started"`, `{ receiving = [3, 10] }`,
//! `{ staged = "1.1.0" }` (what runs), `{ testing = "1.1.0" }` (what ran before), `{ succeeded = ["1.2.0", "1.1.0"] }`
//! (what runs, what ran before), `{ done = "words" }`, `{ failed = ["Signature", "words"] }` or `{ rejected = … }` likewise.
//! A message may come to `{ offer = { job = "fw-7", started = true, document = "{…}" } }`, `"no-job"`, `"over"`,
//! `"accepted"`, `"again"`, `{ refused = … }`, `"changed"`, `"ignored"`, `{ malformed = … }` or `"not-mine"`.

use std::fs;
use std::path::{Path, PathBuf};

use coreota::error::Failure;
use coreota::job::{Ask, Heard, JobProtocol, Status};
use coreota::message::{Draft, Message};
use coreota::transport::{Arrival, BlockProtocol, Geometry, Wanted};
use coreota::version::Version;
use coreota::wire::Writer;
use serde::Deserialize;

/// Events in their order, and what is expected of each.
#[derive(Clone, Debug)]
pub struct Events {
    /// Where they were read.
    pub path: PathBuf,
    /// The device they happen to.
    pub thing: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default = "thing")]
    thing: String,
    event: Vec<Step>,
}

fn thing() -> String {
    "thing".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    on: Happening,
    expect: Outcome,
}

/// What happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Happening {
    Connected,
    Take,
    Open(Open),
    Wanted(Vec<u32>),
    Message(Came),
    Adopt(String),
    Ask(Asked),
    Report(Report),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    place: String,
    size: u32,
    block: u32,
    #[serde(default)]
    file: u8,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Came {
    topic: String,
    text: Option<String>,
    hex: Option<String>,
    #[serde(default)]
    wanted: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Asked {
    Peek,
    Start,
    Current,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Report {
    Started,
    Receiving(u32, u32),
    Staged(String),
    Testing(String),
    Succeeded(String, String),
    Done(String),
    Failed(String, String),
    Rejected(String, String),
}

/// What it has to come to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Done,
    NotMine,
    NoJob,
    Over,
    Accepted,
    Again,
    Changed,
    Ignored,
    Subscribe(Vec<String>),
    Publish(Published),
    Block(Block),
    Offer(Offered),
    Refused(String),
    Malformed(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    topic: String,
    text: Option<String>,
    hex: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    index: u32,
    text: Option<String>,
    hex: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered {
    job: String,
    #[serde(default)]
    started: bool,
    document: String,
}

/// Reads the events of a folder, in the order of their files' names.
///
/// # Errors
/// Which file cannot be read, or what is wrong in it.
pub fn read(folder: &Path) -> Result<Vec<Events>, String> {
    let entries = fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut paths: Vec<_> =
        entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|is| is == "toml"));
    let one = |path: PathBuf| {
        let wrong = |why: String| format!("{}: {why}", path.display());
        let text = fs::read_to_string(&path).map_err(|why| wrong(why.to_string()))?;
        let written: Written = toml::from_str(&text).map_err(|why| wrong(why.to_string()))?;
        for (number, step) in (1..).zip(&written.event) {
            step.check().map_err(|why| wrong(format!("event {number}: {why}")))?;
        }
        Ok(Events { thing: written.thing, steps: written.event, path })
    };
    paths.into_iter().map(one).collect()
}

impl Step {
    /// What can be wrong with it whatever the protocol does.
    fn check(&self) -> Result<(), String> {
        match &self.on {
            Happening::Message(came) => {
                bytes(&came.text, &came.hex)?;
                wanted(&came.wanted)?;
            }
            Happening::Wanted(blocks) if blocks.is_empty() => {
                return Err("no block is wanted".into());
            }
            Happening::Wanted(blocks) => _ = wanted(blocks)?,
            Happening::Report(report) => _ = report.status()?,
            _ => {}
        }
        match &self.expect {
            Outcome::Publish(said) => bytes(&said.text, &said.hex).map(drop),
            Outcome::Block(block) => bytes(&block.text, &block.hex).map(drop),
            Outcome::Refused(why) | Outcome::Malformed(why) => failure(why).map(drop),
            _ => Ok(()),
        }
    }
}

impl Events {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.steps.len()
    }

    /// Lets them happen to a block protocol, which begins with them; `after` each it is looked at.
    ///
    /// # Errors
    /// Every difference, a line each.
    pub fn happen_to_blocks<P: BlockProtocol>(
        &self,
        protocol: &mut P,
        mut after: impl FnMut(&mut P),
    ) -> Result<(), String> {
        let mut geometry = Geometry::default();
        self.compare(|on| {
            let outcome = match on {
                Happening::Connected => subscribe(|index, to| protocol.subscription(index, to)),
                Happening::Open(open) => {
                    geometry = Geometry { size: open.size, block: open.block, file: open.file };
                    done(protocol.open(&open.place, geometry))
                }
                Happening::Wanted(blocks) => {
                    let blocks = wanted(blocks)?;
                    publish(|draft| protocol.request(blocks, draft))
                }
                Happening::Message(came) => {
                    let payload = bytes(&came.text, &came.hex)?;
                    let message = Message { topic: &came.topic, payload: &payload };
                    let mut into = vec![0; geometry.block as usize];
                    match protocol.accept(message, wanted(&came.wanted)?, &mut into) {
                        Arrival::Block { index, len } => {
                            let bytes = into.get(..len as usize).unwrap_or_default();
                            Outcome::Block(Block { index, text: None, hex: Some(hex(bytes)) })
                        }
                        Arrival::Refused(why) => Outcome::Refused(format!("{why:?}")),
                        Arrival::Ignored(why) => Outcome::Malformed(format!("{why:?}")),
                        Arrival::NotMine => Outcome::NotMine,
                    }
                }
                _ => return Err("is an event of job protocols".to_owned()),
            };
            after(protocol);
            Ok(outcome)
        })
    }

    /// Lets them happen to a job protocol, which begins with them; `after` each it is looked at.
    ///
    /// # Errors
    /// Every difference, a line each.
    pub fn happen_to_jobs<P: JobProtocol>(
        &self,
        protocol: &mut P,
        mut after: impl FnMut(&mut P),
    ) -> Result<(), String> {
        self.compare(|on| {
            let outcome = match on {
                Happening::Connected => subscribe(|index, to| protocol.subscription(index, to)),
                Happening::Take => done(protocol.take()),
                Happening::Adopt(job) => done(protocol.adopt(job)),
                Happening::Ask(ask) => {
                    let ask = match ask {
                        Asked::Peek => Ask::Peek,
                        Asked::Start => Ask::Start,
                        Asked::Current => Ask::Current,
                    };
                    publish(|draft| protocol.ask(ask, draft))
                }
                Happening::Report(report) => {
                    let status = report.status()?;
                    publish(|draft| protocol.report(&status, draft))
                }
                Happening::Message(came) => {
                    let payload = bytes(&came.text, &came.hex)?;
                    heard(protocol.hear(Message { topic: &came.topic, payload: &payload }))
                }
                _ => return Err("is an event of block protocols".to_owned()),
            };
            after(protocol);
            Ok(outcome)
        })
    }

    fn compare(
        &self,
        mut happen: impl FnMut(&Happening) -> Result<Outcome, String>,
    ) -> Result<(), String> {
        let mut differences = String::new();
        for (number, Step { on, expect }) in (1..).zip(&self.steps) {
            let (name, what) = (self.path.display(), on.word());
            let difference = match happen(on).map(|said| said.words()) {
                Ok(said) if said == expect.words() => continue,
                Ok(said) => format!("came to {said}, not to {}", expect.words()),
                Err(why) => why,
            };
            differences += &format!("{name}, event {number}, `{what}`: {difference}\n");
        }
        if differences.is_empty() { Ok(()) } else { Err(differences) }
    }
}

impl Happening {
    fn word(&self) -> &'static str {
        match self {
            Happening::Connected => "connected",
            Happening::Take => "take",
            Happening::Open(_) => "open",
            Happening::Wanted(_) => "wanted",
            Happening::Message(_) => "message",
            Happening::Adopt(_) => "adopt",
            Happening::Ask(_) => "ask",
            Happening::Report(_) => "report",
        }
    }
}

impl Report {
    fn status(&self) -> Result<Status<'_>, String> {
        Ok(match self {
            Report::Started => Status::Started,
            Report::Receiving(received, total) => {
                Status::Receiving { received: *received, total: *total }
            }
            Report::Staged(running) => Status::Staged { running: version(running)? },
            Report::Testing(from) => Status::Testing { from: version(from)? },
            Report::Succeeded(running, from) => {
                Status::Succeeded { running: version(running)?, from: version(from)? }
            }
            Report::Done(note) => Status::Done { note },
            Report::Failed(why, note) => Status::Failed { why: failure(why)?, note },
            Report::Rejected(why, note) => Status::Rejected { why: failure(why)?, note },
        })
    }
}

impl Outcome {
    /// In words that can be compared and read; bytes in hexadecimal.
    fn words(&self) -> String {
        let written = |text: &Option<String>, digits: &Option<String>| match bytes(text, digits) {
            Ok(bytes) => hex(&bytes),
            Err(why) => why,
        };
        match self {
            Outcome::Done => "done".into(),
            Outcome::NotMine => "not-mine".into(),
            Outcome::NoJob => "no-job".into(),
            Outcome::Over => "over".into(),
            Outcome::Accepted => "accepted".into(),
            Outcome::Again => "again".into(),
            Outcome::Changed => "changed".into(),
            Outcome::Ignored => "ignored".into(),
            Outcome::Subscribe(topics) => format!("subscribe {}", topics.join(" ")),
            Outcome::Publish(said) => {
                format!("publish {} {}", said.topic, written(&said.text, &said.hex))
            }
            Outcome::Block(block) => {
                format!("block {} {}", block.index, written(&block.text, &block.hex))
            }
            Outcome::Offer(Offered { job, started, document }) => {
                let how = if *started { ", started" } else { "" };
                format!("offer {job}{how}: {document}")
            }
            Outcome::Refused(why) => format!("refused {why}"),
            Outcome::Malformed(why) => format!("malformed {why}"),
        }
    }
}

/// What is subscribed to, up to a number that no device has room for.
fn subscribe(topics: impl Fn(usize, &mut Writer<'_>) -> bool) -> Outcome {
    let mut all = Vec::new();
    for index in 0..16 {
        let mut room = [0; TOPIC_MAX];
        let mut topic = Writer::new(&mut room);
        if !topics(index, &mut topic) {
            break;
        }
        let text = topic.finish().map(|topic| String::from_utf8_lossy(topic).into_owned());
        all.push(text.unwrap_or_else(|why| format!("({why:?})")));
    }
    Outcome::Subscribe(all)
}

/// Bytes of a message that a device has room for.
const TOPIC_MAX: usize = 256;
const PAYLOAD_MAX: usize = 384;

fn publish(write: impl FnOnce(&mut Draft<'_>) -> Result<(), Failure>) -> Outcome {
    let (mut topic, mut payload) = ([0; TOPIC_MAX], [0; PAYLOAD_MAX]);
    let mut draft = Draft::new(&mut topic, &mut payload);
    let written = write(&mut draft);
    match written.and_then(|()| draft.finish()) {
        Ok(Message { topic, payload }) => {
            let (topic, hex) = (topic.to_owned(), Some(hex(payload)));
            Outcome::Publish(Published { topic, text: None, hex })
        }
        Err(why) => Outcome::Refused(format!("{why:?}")),
    }
}

fn done(result: Result<(), Failure>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(why) => Outcome::Refused(format!("{why:?}")),
    }
}

fn heard(heard: Heard<'_>) -> Outcome {
    match heard {
        Heard::Offer(offer) => Outcome::Offer(Offered {
            job: offer.name.to_owned(),
            started: offer.started,
            document: String::from_utf8_lossy(offer.document).into_owned(),
        }),
        Heard::NoJob => Outcome::NoJob,
        Heard::Over => Outcome::Over,
        Heard::Accepted => Outcome::Accepted,
        Heard::Again => Outcome::Again,
        Heard::Refused(why) => Outcome::Refused(format!("{why:?}")),
        Heard::Changed => Outcome::Changed,
        Heard::Malformed(why) => Outcome::Malformed(format!("{why:?}")),
        Heard::Ignored => Outcome::Ignored,
        Heard::NotMine => Outcome::NotMine,
    }
}

/// Blocks by their numbers, as they are asked for: the first, and which of the 63 behind it.
fn wanted(blocks: &[u32]) -> Result<Wanted, String> {
    let first = blocks.iter().min().copied().unwrap_or(0);
    let mut bits = 0;
    for block in blocks {
        match block - first {
            behind @ 0..64 => bits |= 1 << behind,
            _ => return Err(format!("block {block} is more than 63 behind block {first}")),
        }
    }
    Ok(Wanted { first, bits })
}

/// The bytes that a text or digits stand for.
fn bytes(text: &Option<String>, digits: &Option<String>) -> Result<Vec<u8>, String> {
    match (text, digits) {
        (Some(text), None) => Ok(text.clone().into_bytes()),
        (None, Some(digits)) => {
            let digits: String = digits.split_ascii_whitespace().collect();
            let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
            let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
            bytes.ok_or_else(|| format!("`{digits}` is not hexadecimal"))
        }
        _ => Err("give its bytes as `text` or as `hex`".to_owned()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failure(name: &str) -> Result<Failure, String> {
    let found = Failure::ALL.iter().find(|failure| format!("{failure:?}") == name);
    found.copied().ok_or_else(|| format!("`{name}` is no failure; StreamMissing is one"))
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).map_err(|why| format!("`{text}` is no version: {}", why.text()))
}
