//! A provider as far as a scenario needs one: AWS IoT Jobs and MQTT streams of one thing.

use coreota::{
    message::Message,
    sim::link::{Outbox, Peer},
};
use serde_json::{Value, json};

/// How a job stands, and what was said of it.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub name: &'static str,
    pub document: Value,
    pub status: &'static str,
    pub version: u32,
    /// Every status and its details, in the order they came.
    pub told: Vec<(String, Value)>,
}

impl Job {
    /// `status reason` of the last report.
    pub(crate) fn last(&self) -> String {
        let Some((status, details)) = self.told.last() else { return self.status.into() };
        format!("{status} {}", details["reason"].as_str().unwrap_or_default())
    }

    fn is_over(&self) -> bool {
        matches!(self.status, "SUCCEEDED" | "FAILED" | "REJECTED" | "CANCELED")
    }
}

/// The provider of the thing `d`.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    pub jobs: Vec<Job>,
    /// Stream name and file; of a stream with several, `name/fileid`.
    pub streams: Vec<(String, Vec<u8>)>,
    /// Blocks sent, by number, over the whole scenario.
    pub sent: Vec<u32>,
    /// Requests for blocks: when, and the blocks.
    pub asked: Vec<(u64, Vec<u32>)>,
    /// How often it had to say that there is no job.
    pub idle: u32,
    /// Blocks it does not answer for, once each.
    pub lose: Vec<u32>,
    /// Reports it does not take in: so many final ones.
    pub deaf: u32,
    /// Blocks after which the current job is cancelled by force.
    pub cancel_after: Option<usize>,
}

impl Provider {
    /// Adds a job whose document is `document`.
    pub(crate) fn job(&mut self, name: &'static str, document: Value) {
        self.jobs.push(Job { name, document, status: "QUEUED", version: 1, told: vec![] });
    }

    /// Adds a job for a file without document signature.
    pub(crate) fn offer(&mut self, name: &'static str, file: &[u8]) {
        self.streams.push((name.into(), file.into()));
        self.job(
            name,
            json!({"afr_ota": {"protocols": ["MQTT"], "streamname": name, "files": [
                {"filepath": "app.bin", "filesize": file.len(), "fileid": 0, "certfile": "c"}]}}),
        );
    }

    /// Adds a job for several files: each with its `fileType`, in the order of the document.
    pub(crate) fn offer_files(&mut self, name: &'static str, files: &[(u64, &[u8])]) {
        let mut list = vec![];
        for (id, (kind, file)) in files.iter().enumerate() {
            self.streams.push((format!("{name}/{id}"), file.to_vec()));
            list.push(json!({"filesize": file.len(), "fileid": id, "fileType": kind,
                "certfile": "c", "sha256": hex(&coreota::verify::Hash::of(file))}));
        }
        self.job(
            name,
            json!({"afr_ota": {"protocols": ["MQTT"], "streamname": name, "files": list}}),
        );
    }

    pub(crate) fn find(&self, name: &str) -> &Job {
        self.jobs.iter().find(|job| job.name == name).expect("a job of the scenario")
    }

    fn next(&mut self) -> Option<&mut Job> {
        // In progress first: the natural place to go on after a reboot.
        let at = self
            .jobs
            .iter()
            .position(|job| job.status == "IN_PROGRESS")
            .or_else(|| self.jobs.iter().position(|job| job.status == "QUEUED"))?;
        self.jobs.get_mut(at)
    }

    fn jobs_topic(&mut self, topic: &str, payload: &Value, outbox: &mut Outbox) {
        let token = payload["clientToken"].clone();
        let reply = |outbox: &mut Outbox, how: &str, mut body: Value| {
            body["clientToken"] = token.clone();
            body["timestamp"] = json!(1_700_000_000);
            outbox.send(format!("$aws/things/d/jobs/{topic}/{how}"), body.to_string());
        };
        match topic.split('/').collect::<Vec<_>>()[..] {
            ["start-next"] | ["$next", "get"] => {
                let start = topic == "start-next";
                match self.next() {
                    None => {
                        self.idle += 1;
                        reply(outbox, "accepted", json!({}));
                    }
                    Some(job) => {
                        if start && job.status == "QUEUED" {
                            job.status = "IN_PROGRESS";
                            job.version += 1;
                        }
                        reply(outbox, "accepted", json!({"execution": execution(job)}));
                    }
                }
            }
            [name, "get"] => match self.jobs.iter().find(|job| job.name == name) {
                Some(job) => reply(outbox, "accepted", json!({"execution": execution(job)})),
                None => reply(outbox, "rejected", json!({"code": "ResourceNotFound"})),
            },
            [name, "update"] => {
                let status = payload["status"].as_str().unwrap_or_default();
                let last = matches!(status, "SUCCEEDED" | "FAILED" | "REJECTED");
                if last && self.deaf > 0 {
                    self.deaf -= 1;
                    return;
                }
                let Some(job) = self.jobs.iter_mut().find(|job| job.name == name) else {
                    return reply(outbox, "rejected", json!({"code": "ResourceNotFound"}));
                };
                let expected = payload["expectedVersion"].as_u64();
                let state = json!({"status": job.status, "versionNumber": job.version});
                if job.is_over() {
                    let body = json!({"code": "TerminalStateReached", "executionState": state});
                    return reply(outbox, "rejected", body);
                }
                if expected.is_some_and(|version| version != u64::from(job.version)) {
                    let body = json!({"code": "VersionMismatch", "executionState": state});
                    return reply(outbox, "rejected", body);
                }
                if status == "REJECTED" && job.status == "IN_PROGRESS" {
                    let body = json!({"code": "InvalidStateTransition", "executionState": state});
                    return reply(outbox, "rejected", body);
                }
                job.status = ["SUCCEEDED", "FAILED", "REJECTED", "IN_PROGRESS"]
                    .into_iter()
                    .find(|known| *known == status)
                    .unwrap_or(job.status);
                job.version += 1;
                job.told.push((status.into(), payload["statusDetails"].clone()));
                let state = json!({"status": job.status, "versionNumber": job.version});
                reply(outbox, "accepted", json!({"executionState": state}));
            }
            _ => panic!("the device asked {topic}"),
        }
    }

    fn stream_topic(&mut self, topic: &str, payload: &[u8], outbox: &mut Outbox) {
        let Some((name, "get/cbor")) = topic.split_once('/') else {
            panic!("the device asked {topic}")
        };
        // A request that was damaged on the way asks for nothing.
        let Ok(Request { file, first, len, bitmap, token, most }) = request(payload) else {
            return;
        };
        let (number, full) = (file, format!("{name}/{file}"));
        let named = |stream: &String| stream == name || *stream == full;
        let Some((_, file)) = self.streams.iter().find(|(stream, _)| named(stream)) else {
            let body = br#"{"o":"ResourceNotFound","m":"no such stream"}"#;
            return outbox.send(format!("$aws/things/d/streams/{name}/rejected/json"), &body[..]);
        };
        let wanted: Vec<u32> = (0..bitmap.len() as u32 * 8)
            .filter(|bit| (bitmap[*bit as usize / 8] >> (bit % 8)) & 1 == 1)
            .map(|bit| first + bit)
            .take(most as usize)
            .collect();
        self.asked.push((outbox.now_ms(), wanted.clone()));
        for index in wanted {
            if let Some(at) = self.lose.iter().position(|lost| *lost == index) {
                self.lose.remove(at);
                continue;
            }
            let from = index as usize * len as usize;
            let Some(rest) = file.get(from..) else { continue };
            let block = &rest[..rest.len().min(len as usize)];
            let mut body = vec![];
            let mut cbor = minicbor::Encoder::new(&mut body);
            // An indefinite map, as the service sends.
            let cbor = cbor.begin_map().unwrap().str("f").unwrap().u8(number).unwrap();
            let cbor = cbor.str("i").unwrap().u32(index).unwrap();
            let cbor = cbor.str("l").unwrap().u32(block.len() as u32).unwrap();
            let cbor = cbor.str("p").unwrap().bytes(block).unwrap();
            if let Some(token) = &token {
                cbor.str("c").unwrap().str(token).unwrap();
            }
            cbor.end().unwrap();
            self.sent.push(index);
            outbox.send(format!("$aws/things/d/streams/{name}/data/cbor"), body);
        }
        if self.cancel_after.is_some_and(|after| self.sent.len() >= after) {
            self.cancel_after = None;
            if let Some(job) = self.next() {
                job.status = "CANCELED";
                job.version += 1;
            }
            outbox.send("$aws/things/d/jobs/notify-next", r#"{"timestamp":1700000000}"#);
        }
    }
}

/// A request for blocks.
#[derive(Default)]
struct Request {
    file: u8,
    first: u32,
    len: u32,
    bitmap: Vec<u8>,
    token: Option<String>,
    most: u32,
}

fn request(payload: &[u8]) -> Result<Request, minicbor::decode::Error> {
    let mut request = Request { most: u32::MAX, ..Request::default() };
    let mut cbor = minicbor::Decoder::new(payload);
    for _ in 0..cbor.map()?.unwrap_or_default() {
        match cbor.str()? {
            "f" => request.file = cbor.u8()?,
            "o" => request.first = cbor.u32()?,
            "l" => request.len = cbor.u32()?,
            "n" => request.most = cbor.u32()?,
            "b" => request.bitmap = cbor.bytes()?.to_vec(),
            "c" => request.token = Some(cbor.str()?.to_owned()),
            _ => cbor.skip()?,
        }
    }
    Ok(request)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn execution(job: &Job) -> Value {
    json!({"jobId": job.name, "status": job.status, "queuedAt": 1, "lastUpdatedAt": 1,
           "versionNumber": job.version, "executionNumber": 1, "jobDocument": job.document})
}

impl Peer for Provider {
    fn heard(&mut self, message: Message<'_>, outbox: &mut Outbox) {
        let topic = message.topic.strip_prefix("$aws/things/d/").expect("a topic of this thing");
        if let Some(topic) = topic.strip_prefix("jobs/") {
            if let Ok(payload) = serde_json::from_slice(message.payload) {
                self.jobs_topic(topic, &payload, outbox);
            }
        } else if let Some(topic) = topic.strip_prefix("streams/") {
            self.stream_topic(topic, message.payload, outbox);
        } else {
            panic!("the device published to {topic}");
        }
    }
}
