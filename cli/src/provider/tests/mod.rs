//! The provider's rules, one small test each, over a world of one provider and a clock.

mod admin;
mod jobs;
mod pushes;
mod raw_blocks;
mod stream_cbor;
mod stream_json;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::state::{File, State};
use super::*;

/// A file of 10,000 bytes: in blocks of 1024, nine whole ones and one of 784.
pub(super) const FILE_SIZE: usize = 10_000;

pub(super) fn file() -> Vec<u8> {
    (0..FILE_SIZE).map(|i| (i * 7 + i / 256) as u8).collect()
}

struct InMemory(BTreeMap<String, Vec<u8>>);

impl Images for InMemory {
    fn read(&self, image: &str, offset: u64, len: usize) -> std::io::Result<Vec<u8>> {
        let at = offset as usize;
        let bytes = self.0.get(image).and_then(|image| image.get(at..at + len));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

/// A message in short: the topic below `$aws/things/`, and its JSON.
pub(super) type Short = (String, Value);

pub(super) struct World {
    pub(super) provider: Provider,
    pub(super) now: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let images = InMemory([("image".to_owned(), file())].into());
        Self { provider: Provider::new(State::default(), Box::new(images)), now: 1000 }
    }

    /// A world where the jobs are published for the thing `a`, one second apart.
    pub(super) fn with_jobs(jobs: &[&str]) -> Self {
        let mut world = Self::new();
        for job in jobs {
            world.publish(job, &["a"]);
            world.now += 1;
        }
        world
    }

    pub(super) fn new_job(job: &str, things: &[&str]) -> NewJob {
        NewJob {
            job: job.to_owned(),
            things: Some(things.iter().map(|&thing| thing.to_owned()).collect()),
            document: document(&format!(r#"{{"z":1,"a":"{job}"}}"#)),
            timeout_minutes: None,
            version: None,
            stream: None,
        }
    }

    pub(super) fn publish(&mut self, job: &str, things: &[&str]) -> Vec<Short> {
        self.publish_new(Self::new_job(job, things))
    }

    pub(super) fn publish_new(&mut self, job: NewJob) -> Vec<Short> {
        short(self.provider.publish(job, self.now).expect("accepted").1)
    }

    /// A world with the stream `s`: the file as file 0 and as nothing else.
    pub(super) fn with_stream() -> Self {
        let mut world = Self::new();
        let mut job = Self::new_job("j", &["a"]);
        let file = File { image: "image".to_owned(), size: FILE_SIZE as u64 };
        let (name, description) = ("s".to_owned(), "a file".to_owned());
        job.stream = Some(NewStream { name, description, files: [(0, file)].into() });
        world.publish_new(job);
        world
    }

    /// What the thing `a` gets for this request: the reply first, then the pushes.
    pub(super) fn ask(&mut self, rest: &str, payload: Value) -> Vec<Short> {
        self.ask_raw(&format!("a/{rest}"), payload.to_string().as_bytes())
    }

    pub(super) fn ask_raw(&mut self, topic: &str, payload: &[u8]) -> Vec<Short> {
        short(self.provider.on_message(&format!("$aws/things/{topic}"), payload, self.now))
    }

    /// The one reply to a request that pushes nothing.
    pub(super) fn reply(&mut self, rest: &str, payload: Value) -> Short {
        let mut messages = self.ask(rest, payload);
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    /// The code of a refusal on the topic that belongs to the request.
    pub(super) fn refused(&mut self, rest: &str, payload: Value) -> String {
        let (topic, body) = self.reply(rest, payload);
        assert_eq!(topic, format!("a/{rest}/rejected"));
        body["code"].as_str().expect("a code").to_owned()
    }

    /// The body of an accepted reply; pushes may follow it.
    pub(super) fn accepted(&mut self, rest: &str, payload: Value) -> Value {
        let (topic, body) = self.ask(rest, payload).remove(0);
        assert_eq!(topic, format!("a/{rest}/accepted"), "{body}");
        body
    }

    pub(super) fn update(&mut self, job: &str, status: &str) -> Value {
        self.accepted(&format!("jobs/{job}/update"), json!({ "status": status }))
    }

    pub(super) fn tick(&mut self) -> Vec<Short> {
        short(self.provider.tick(self.now))
    }

    pub(super) fn status(&self, job: &str) -> &'static str {
        self.provider.state.things["a"].execution(job).expect("queued").status.word()
    }
}

pub(super) fn document(text: &str) -> Document {
    Document::parse(text).expect("an object")
}

fn short(messages: Vec<Outgoing>) -> Vec<Short> {
    messages
        .into_iter()
        .map(|message| {
            let topic = message.topic.strip_prefix("$aws/things/").expect("a thing's topic");
            assert!(message.acknowledged, "jobs messages are QoS 1");
            (topic.to_owned(), serde_json::from_slice(&message.payload).expect("JSON"))
        })
        .collect()
}
