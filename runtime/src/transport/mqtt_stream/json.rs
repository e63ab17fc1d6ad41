//! Stream messages in JSON: blocks in base64, bitmaps in hexadecimal. A third longer on the way and
//! slower to read than CBOR, for brokers and tools that speak nothing else.

use super::{Data, Encoding, PAYLOAD_MAX, Request, refused};
use crate::{
    error::Failure,
    field::{Coding, Field},
    wire::{self, Keys, NESTING, Writer},
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
        for (key, number) in [
            ("\",\"f\":", u32::from(request.geometry.file)),
            (",\"l\":", request.geometry.block),
            (",\"o\":", request.wanted.first),
            (",\"n\":", request.wanted.count()),
        ] {
            to.text(key);
            to.number(number);
        }
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
            match key.name(&mut [0; 24]) {
                b"c" => {
                    keys.once(0)?;
                    ours = json.text()?.is(token);
                }
                b"f" => {
                    keys.once(1)?;
                    file = Some(json.number()?);
                }
                b"i" => {
                    keys.once(2)?;
                    index = Some(json.number()?);
                }
                b"l" => {
                    keys.once(3)?;
                    len = Some(json.number()?);
                }
                b"p" => {
                    keys.once(4)?;
                    block = Some(Field { coding: Coding::Base64, ..json.text()?.into() });
                }
                _ => json.skip(NESTING)?,
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
            match key.name(&mut [0; 24]) {
                // A request too broken to have a token is refused without one.
                b"c" => {
                    keys.once(0)?;
                    ours = json.text_or_null()?.is_none_or(|text| text.is(token));
                }
                b"o" => {
                    keys.once(1)?;
                    code = json.text_or_null()?;
                }
                b"code" => {
                    keys.once(2)?;
                    legacy = json.text_or_null()?;
                }
                _ => json.skip(NESTING)?,
            }
        }
        json.end()?;
        let code = code.or(legacy).ok_or(Failure::MissingField)?;
        Ok(ours.then(|| refused(code.name(&mut [0; 24]))))
    }
}
