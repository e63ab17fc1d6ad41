//! Stream messages in JSON: payloads are base64, bitmaps hex digits with or without `0x`.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Serialize;

use super::{Code, Data, Fields, KEYS, Rejection, Stream, Value};

pub(super) fn read(payload: &[u8]) -> Result<Fields, Rejection> {
    let json: serde_json::Value = serde_json::from_slice(payload).map_err(|error| {
        Rejection::new(Code::InvalidJson, format!("The payload is not JSON: {error}."))
    })?;
    let serde_json::Value::Object(map) = json else {
        return Err(Rejection::new(Code::InvalidRequest, "The payload is not an object."));
    };
    let known = map.into_iter().filter(|(key, value)| KEYS.contains(&&**key) && !value.is_null());
    Ok(known.map(|(key, value)| (key.clone(), field(&key, value))).collect())
}

fn field(key: &str, value: serde_json::Value) -> Value {
    match value {
        serde_json::Value::Number(number) => number.as_i128().map_or(Value::Other, Value::Int),
        serde_json::Value::String(hex) if key == "b" => {
            unhex(hex.strip_prefix("0x").unwrap_or(&hex)).map_or(Value::Other, Value::Bytes)
        }
        serde_json::Value::String(text) => Value::Text(text),
        _ => Value::Other,
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        digits.chars().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
    let pairs = digits?;
    (pairs.len() % 2 == 0).then(|| pairs.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[derive(Serialize)]
struct DataMessage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<&'a str>,
    f: u8,
    l: usize,
    i: u64,
    p: String,
}

pub(super) fn data(data: &Data<'_>) -> Vec<u8> {
    super::super::to_json(&DataMessage {
        c: data.token,
        f: data.file,
        l: data.payload.len(),
        i: data.index,
        p: BASE64_STANDARD.encode(data.payload),
    })
}

#[derive(Serialize)]
struct FileEntry {
    f: u8,
    z: u64,
}

#[derive(Serialize)]
struct Description<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<&'a str>,
    s: u32,
    d: &'a str,
    r: Vec<FileEntry>,
}

pub(super) fn description(token: Option<&str>, stream: &Stream) -> Vec<u8> {
    super::super::to_json(&Description {
        c: token,
        s: stream.version,
        d: &stream.description,
        r: stream.files.iter().map(|(&f, file)| FileEntry { f, z: file.size }).collect(),
    })
}

/// The short keys, and the long ones that older devices read.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rejected<'a> {
    o: &'a str,
    m: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<&'a str>,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
}

pub(super) fn rejected(token: Option<&str>, code: &str, message: &str) -> Vec<u8> {
    let (o, m, c) = (code, message, token);
    super::super::to_json(&Rejected { o, m, c, code, message, client_token: token })
}
