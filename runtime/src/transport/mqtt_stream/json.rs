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
        let (mut numbers, mut ours, mut block) = ([None; 3], None, None);
        json.object()?;
        while let Some(key) = json.key()? {
            match keys.known(key, &["f", "i", "l", "c", "p"])? {
                Some(3) => ours = Some(json.text()?),
                Some(4) => block = Some(json.text()?),
                Some(known) => {
                    let number = Some(json.number()?);
                    numbers.get_mut(known).into_iter().for_each(|place| *place = number);
                }
                None => json.skip(NESTING)?,
            }
        }
        json.end()?;
        match (numbers, block) {
            ([Some(file), Some(index), Some(len)], Some(Text { raw, escaped })) => {
                let ours = ours.is_some_and(|ours| ours.is(token));
                let payload = Field { raw, coding: Coding::Base64, escaped };
                Ok(Data { ours, file, index, len, payload })
            }
            _ => Err(Failure::MissingField),
        }
    }

    fn rejected(payload: &[u8], token: &str) -> Result<Option<Failure>, Failure> {
        let mut json = wire::Json::new(payload);
        let mut keys = Keys::default();
        let mut texts = [None; 3];
        json.object()?;
        while let Some(key) = json.key()? {
            match keys.known(key, &["c", "o", "code"])?.and_then(|known| texts.get_mut(known)) {
                Some(text) => *text = json.text_or_null()?,
                None => json.skip(NESTING)?,
            }
        }
        json.end()?;
        let [ours, code, legacy] = texts;
        let code = code.or(legacy).ok_or(Failure::MissingField)?;
        // A request too broken to have a token is refused without one.
        Ok(ours.is_none_or(|ours: Text<'_>| ours.is(token)).then(|| refused(|name| code.is(name))))
    }
}
