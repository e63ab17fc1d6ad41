//! Stream messages in JSON: blocks in base64, bitmaps in hexadecimal. A third longer on the way and
//! slower to read than CBOR, for brokers and tools that speak nothing else.

use super::{Data, Encoding, PAYLOAD_MAX, Request, refused};
use crate::{
    error::Failure,
    field::{Coding, Field},
    wire::{self, Keys, NESTING, Text, Writer},
};

/// The `/json` topics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Encoding for Json {
    const NAME: &'static str = "json";
    const OVERHEAD: u32 = 64;
    const BLOCK_MAX: u32 = (PAYLOAD_MAX - Self::OVERHEAD) / 4 * 3;

    fn request(request: &Request<'_>, to: &mut Writer<'_>) {
        to.text("{\"c\":\"");
        to.text(request.token);
        to.text("\",\"f\":");
        to.number(request.geometry.file.into());
        to.text(",\"l\":");
        to.number(request.geometry.block);
        to.text(",\"o\":");
        to.number(request.wanted.first);
        to.text(",\"n\":");
        to.number(request.wanted.count());
        to.text(",\"b\":\"");
        for byte in request.bitmap(&mut [0; 8]) {
            to.hex(u32::from(*byte), 2);
        }
        to.text("\"}");
    }

    fn data<'m>(payload: &'m [u8], token: &str) -> Result<Data<'m>, Failure> {
        let mut json = wire::Json::new(payload);
        let mut keys = Keys::default();
        let (mut file, mut index, mut len, mut block, mut ours) = (None, None, None, None, false);
        json.object()?;
        while let Some(key) = json.key()? {
            match keys.known(key, &["c", "f", "i", "l", "p"])? {
                Some(0) => ours = json.text()?.is(token),
                Some(1) => file = Some(json.number()?),
                Some(2) => index = Some(json.number()?),
                Some(3) => len = Some(json.number()?),
                Some(_) => {
                    let Text { raw, escaped } = json.text()?;
                    block = Some(Field { raw, coding: Coding::Base64, escaped });
                }
                None => json.skip(NESTING)?,
            }
        }
        json.end()?;
        match (file, index, len, block) {
            (Some(file), Some(index), Some(len), Some(payload)) => {
                Ok(Data { ours, file, index, len, payload })
            }
            _ => Err(Failure::MissingField),
        }
    }

    fn rejected(payload: &[u8], token: &str) -> Result<Option<Failure>, Failure> {
        let mut json = wire::Json::new(payload);
        let mut keys = Keys::default();
        let (mut ours, mut code, mut legacy) = (true, None, None);
        json.object()?;
        while let Some(key) = json.key()? {
            match keys.known(key, &["c", "o", "code"])? {
                // A request too broken to have a token is refused without one.
                Some(0) => ours = json.text_or_null()?.is_none_or(|text| text.is(token)),
                Some(1) => code = json.text_or_null()?,
                Some(_) => legacy = json.text_or_null()?,
                None => json.skip(NESTING)?,
            }
        }
        json.end()?;
        let code = code.or(legacy).ok_or(Failure::MissingField)?;
        Ok(ours.then(|| refused(|name| code.is(name))))
    }
}
