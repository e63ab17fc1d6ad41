//! MQTT file streams: describe, and get by offset, count and bitmap. Pure rules over values that
//! [`json`] or [`cbor`] read; what is asked is checked in full before a byte of the file is read.

mod cbor;
mod json;
mod request;

use std::collections::BTreeMap;

use super::state::Stream;
use super::topic::Coding;
use super::{Outgoing, Provider, names};
use request::{Get, token};

/// Bytes of file that one request yields at most; the rest is to be asked for again.
const REQUEST_MAX: u64 = 128 * 1024;
/// Bytes of an MQTT payload the service carries.
const MESSAGE_MAX: usize = 128 * 1024;

/// Why a request is refused; the names are the codes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    InvalidJson,
    InvalidCbor,
    InvalidRequest,
    BlockSizeOutOfBounds,
    OffsetOutOfBounds,
    BlockCountLimitExceeded,
    BlockBitmapLimitExceeded,
    ResourceNotFound,
    VersionMismatch,
    InternalError,
}

/// A refusal on its way to the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    code: Code,
    message: String,
}

impl Rejection {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A field of a request, before it is known to make sense.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Int(i128),
    Text(String),
    Bytes(Vec<u8>),
    Other,
}

/// A request as read: values by key. Keys this service does not know are left out.
type Fields = BTreeMap<String, Value>;

/// The keys of requests.
const KEYS: [&str; 7] = ["c", "s", "f", "l", "o", "n", "b"];

/// A block on its way to the device.
struct Data<'a> {
    token: Option<&'a str>,
    file: u8,
    index: u64,
    payload: &'a [u8],
}

impl Coding {
    fn read(self, payload: &[u8]) -> Result<Fields, Rejection> {
        match self {
            Self::Json => json::read(payload),
            Self::Cbor => cbor::read(payload),
        }
    }

    fn data(self, data: &Data<'_>) -> Vec<u8> {
        match self {
            Self::Json => json::data(data),
            Self::Cbor => cbor::data(data),
        }
    }

    fn description(self, token: Option<&str>, stream: &Stream) -> Vec<u8> {
        match self {
            Self::Json => json::description(token, stream),
            Self::Cbor => cbor::description(token, stream),
        }
    }

    fn rejected(self, token: Option<&str>, rejection: &Rejection) -> Vec<u8> {
        let code = format!("{:?}", rejection.code);
        match self {
            Self::Json => json::rejected(token, &code, &rejection.message),
            Self::Cbor => cbor::rejected(token, &code, &rejection.message),
        }
    }
}

impl Provider {
    /// Answers `describe`.
    pub(super) fn describe_stream(
        &mut self,
        thing: &str,
        name: &str,
        coding: Coding,
        payload: &[u8],
    ) -> Vec<Outgoing> {
        self.stream_request(thing, name, coding, payload, |provider, fields| {
            let token = token(fields)?;
            let stream = provider.stream(name)?;
            Ok(vec![("description", coding.description(token, stream))])
        })
    }

    /// Answers `get` with one message per block.
    pub(super) fn get_stream(
        &mut self,
        thing: &str,
        name: &str,
        coding: Coding,
        payload: &[u8],
    ) -> Vec<Outgoing> {
        self.stream_request(thing, name, coding, payload, |provider, fields| {
            let get = Get::read(fields)?;
            let stream = provider.stream(name)?;
            if get.version.is_some_and(|version| version != i128::from(stream.version)) {
                let message = format!("The stream is at version {}.", stream.version);
                return Err(Rejection::new(Code::VersionMismatch, message));
            }
            let Some(file) = stream.files.get(&get.file) else {
                let message = format!("The stream has no file {}.", get.file);
                return Err(Rejection::new(Code::ResourceNotFound, message));
            };
            get.blocks(file.size)?
                .into_iter()
                .map(|index| {
                    let offset = index * get.block_size;
                    let len = get.block_size.min(file.size - offset) as usize;
                    let payload = provider.images.read(&file.image, offset, len).map_err(|_| {
                        Rejection::new(Code::InternalError, "The file cannot be read.")
                    })?;
                    let data = Data { token: get.token, file: get.file, index, payload: &payload };
                    let message = coding.data(&data);
                    if coding == Coding::Json && message.len() > MESSAGE_MAX {
                        let message = "A JSON block of this size is over what a message carries.";
                        return Err(Rejection::new(Code::BlockSizeOutOfBounds, message));
                    }
                    Ok(("data", message))
                })
                .collect()
        })
    }

    /// Reads, lets `answer`, and addresses the answer or the refusal.
    fn stream_request(
        &mut self,
        thing: &str,
        name: &str,
        coding: Coding,
        payload: &[u8],
        answer: impl FnOnce(&Self, &Fields) -> Result<Vec<(&'static str, Vec<u8>)>, Rejection>,
    ) -> Vec<Outgoing> {
        let fields = coding.read(payload);
        let token = fields.as_ref().ok().and_then(|fields| token(fields).ok().flatten());
        let messages = match &fields {
            Err(rejection) => Err(rejection.clone()),
            Ok(_) if !names::is_thing(thing) => {
                Err(Rejection::new(Code::InvalidRequest, "The thing name is not valid."))
            }
            Ok(fields) => {
                self.see(thing);
                answer(self, fields)
            }
        };
        let messages = messages
            .unwrap_or_else(|rejection| vec![("rejected", coding.rejected(token, &rejection))]);
        let address = |kind| format!("$aws/things/{thing}/streams/{name}/{kind}/{}", coding.word());
        messages
            .into_iter()
            .map(|(kind, payload)| Outgoing { topic: address(kind), payload, acknowledged: false })
            .collect()
    }

    fn stream(&self, name: &str) -> Result<&Stream, Rejection> {
        self.state.streams.get(name).ok_or_else(|| {
            Rejection::new(Code::ResourceNotFound, format!("There is no stream {name}."))
        })
    }
}
