//! A device as somebody else would write it against AWS: topics and payloads by hand, nothing shared
//! with the tool.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

use crate::mqtt311::Client;

pub(crate) struct Device {
    pub(crate) mqtt: Client,
    thing: String,
}

/// A block as it came: file, index and bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) file: u64,
    pub(crate) index: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Device {
    pub(crate) fn new(port: u16, thing: &str) -> Self {
        let mut mqtt = Client::connect(port, &format!("device-{thing}"));
        for rest in
            ["jobs/#", "streams/+/data/+", "streams/+/rejected/+", "streams/+/description/+"]
        {
            mqtt.subscribe(&format!("$aws/things/{thing}/{rest}"));
        }
        Self { mqtt, thing: thing.to_owned() }
    }

    pub(crate) fn topic(&self, rest: &str) -> String {
        format!("$aws/things/{}/{rest}", self.thing)
    }

    /// Asks with QoS 1; gives the body of the accepted or rejected reply.
    pub(crate) fn ask(&mut self, rest: &str, outcome: &str, payload: Value) -> Value {
        let topic = self.topic(rest);
        self.mqtt.publish_acknowledged(&topic, payload.to_string().as_bytes());
        self.expect(&format!("{rest}/{outcome}"))
    }

    pub(crate) fn accepted(&mut self, rest: &str, payload: Value) -> Value {
        self.ask(rest, "accepted", payload)
    }

    pub(crate) fn rejected(&mut self, rest: &str, payload: Value) -> Value {
        self.ask(rest, "rejected", payload)
    }

    pub(crate) fn expect(&mut self, rest: &str) -> Value {
        let payload = self.mqtt.expect(&self.topic(rest));
        serde_json::from_slice(&payload).expect("JSON")
    }

    /// Starts the next job; gives its execution.
    pub(crate) fn start(&mut self) -> Value {
        self.accepted("jobs/start-next", json!({ "clientToken": "t" }))["execution"].take()
    }

    /// Reports a status, with the version it should be at.
    pub(crate) fn report(&mut self, job: &str, status: &str, version: u64, details: Value) {
        let update = json!({ "status": status, "expectedVersion": version,
                             "statusDetails": details });
        self.accepted(&format!("jobs/{job}/update"), update);
    }

    /// Asks for blocks in CBOR by bitmap.
    pub(crate) fn ask_cbor(&mut self, stream: &str, size: u16, offset: u8, bitmap: &[u8]) {
        assert!(bitmap.len() < 24 && offset < 24, "short forms");
        let request = [
            &b"\xa4\x61f\x00\x61l\x19"[..],
            &size.to_be_bytes(),
            b"\x61o",
            &[offset],
            b"\x61b",
            &[0x40 + bitmap.len() as u8],
            bitmap,
        ]
        .concat();
        let topic = self.topic(&format!("streams/{stream}/get/cbor"));
        self.mqtt.publish(&topic, &request);
    }

    /// Asks for `count` blocks in JSON.
    pub(crate) fn ask_json(&mut self, stream: &str, size: u16, offset: u64, count: u64) {
        let request = json!({ "f": 0, "l": size, "o": offset, "n": count });
        let topic = self.topic(&format!("streams/{stream}/get/json"));
        self.mqtt.publish(&topic, request.to_string().as_bytes());
    }

    /// The next block in either coding, if one comes.
    pub(crate) fn block(&mut self, within: Duration) -> Option<Block> {
        let (topic, payload) = loop {
            match self.mqtt.next(within)? {
                // A push may still be on its way.
                (topic, _) if topic.contains("/jobs/") => {}
                message => break message,
            }
        };
        if topic.ends_with("/data/cbor") {
            return cbor(&payload);
        }
        assert!(topic.ends_with("/data/json"), "{topic}");
        let body: Value = serde_json::from_slice(&payload).ok()?;
        let bytes = BASE64_STANDARD.decode(body["p"].as_str()?).ok()?;
        assert_eq!(body["l"], bytes.len());
        Some(Block { file: body["f"].as_u64()?, index: body["i"].as_u64()?, bytes })
    }

    /// Collects this many different blocks.
    pub(crate) fn blocks(&mut self, count: usize) -> BTreeMap<u64, Vec<u8>> {
        let mut blocks = BTreeMap::new();
        while blocks.len() < count {
            let block = self.block(crate::mqtt311::PATIENCE);
            let block = block.unwrap_or_else(|| panic!("only {} of {count}", blocks.len()));
            assert_eq!(block.file, 0);
            blocks.insert(block.index, block.bytes);
        }
        blocks
    }
}

/// `bf 61 f .. 61 i .. 61 l .. 61 p .. ff`; `None` when it is anything else.
pub(crate) fn cbor(payload: &[u8]) -> Option<Block> {
    let mut cbor = minicbor::Decoder::new(payload);
    let is = |key: Result<&str, _>, name: &str| key.is_ok_and(|key| key == name).then_some(());
    cbor.map().ok()?.is_none().then_some(())?;
    is(cbor.str(), "f")?;
    let file = cbor.u64().ok()?;
    is(cbor.str(), "i")?;
    let index = cbor.u64().ok()?;
    is(cbor.str(), "l")?;
    let len = cbor.u64().ok()?;
    is(cbor.str(), "p")?;
    let bytes = cbor.bytes().ok()?.to_vec();
    let rest = &payload[cbor.position()..];
    (len == bytes.len() as u64 && rest == [0xff]).then_some(Block { file, index, bytes })
}
