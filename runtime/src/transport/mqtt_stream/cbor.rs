//! Stream messages in CBOR: a map with one-letter text keys. The service sends maps of indefinite
//! length, others definite ones.

use super::{Data, Encoding, PAYLOAD_MAX, Request, refused};
use crate::{
    error::Failure,
    field::Field,
    wire::{self, Keys, NESTING, Writer},
};

/// The `/cbor` topics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cbor;

impl Encoding for Cbor {
    const NAME: &'static str = "cbor";
    const OVERHEAD: u32 = 64;
    const BLOCK_MAX: u32 = PAYLOAD_MAX - Self::OVERHEAD;

    fn request(request: &Request<'_>, to: &mut Writer<'_>) {
        // A map of six pairs; every key is a text of one letter. The token is one of eight.
        to.put(b"\xa6\x61c\x68");
        to.text(request.token);
        for (key, number) in [
            (b'f', u32::from(request.geometry.file)),
            (b'l', request.geometry.block),
            (b'o', request.wanted.first),
            (b'n', request.wanted.count()),
        ] {
            // Both at once: each `put` looks for room.
            let [a, b, c, d] = number.to_be_bytes();
            match number {
                0..24 => to.put(&[0x61, key, d]),
                24..0x100 => to.put(&[0x61, key, 24, d]),
                0x100..0x1_0000 => to.put(&[0x61, key, 25, c, d]),
                _ => to.put(&[0x61, key, 26, a, b, c, d]),
            }
        }
        let mut bytes = [0; 8];
        let len = request.bitmap(&mut bytes).len();
        // A byte string of at most eight bytes: its length stands in its first byte.
        let [a, b, c, d, e, f, g, h] = bytes;
        let all = [0x61, b'b', 0x40 | len as u8, a, b, c, d, e, f, g, h];
        to.put(all.get(..3 + len).unwrap_or_default());
    }

    fn data<'m>(payload: &'m [u8], token: &str) -> Result<Data<'m>, Failure> {
        let mut cbor = wire::Cbor::new(payload);
        let mut keys = Keys::default();
        let (mut file, mut index, mut len, mut block, mut ours) = (None, None, None, None, false);
        let mut left = cbor.map()?;
        while let Some(key) = cbor.key(&mut left)? {
            match key {
                b"c" => {
                    keys.once(0)?;
                    ours = cbor.text()? == token.as_bytes();
                }
                b"f" => {
                    keys.once(1)?;
                    file = Some(cbor.number()?);
                }
                b"i" => {
                    keys.once(2)?;
                    index = Some(cbor.number()?);
                }
                b"l" => {
                    keys.once(3)?;
                    len = Some(cbor.number()?);
                }
                b"p" => {
                    keys.once(4)?;
                    block = Some(Field::plain(cbor.bytes()?));
                }
                _ => cbor.skip(NESTING)?,
            }
        }
        cbor.end()?;
        match (file, index, len, block) {
            (Some(file), Some(index), Some(len), Some(payload)) => {
                Ok(Data { ours, file, index, len, payload })
            }
            _ => Err(Failure::MissingField),
        }
    }

    fn rejected(payload: &[u8], token: &str) -> Result<Option<Failure>, Failure> {
        let mut cbor = wire::Cbor::new(payload);
        let mut keys = Keys::default();
        let (mut ours, mut code, mut legacy) = (true, None, None);
        let mut left = cbor.map()?;
        while let Some(key) = cbor.key(&mut left)? {
            match key {
                // A request too broken to have a token is refused without one.
                b"c" => {
                    keys.once(0)?;
                    ours = cbor.text()? == token.as_bytes();
                }
                b"o" => {
                    keys.once(1)?;
                    code = Some(cbor.text()?);
                }
                b"code" => {
                    keys.once(2)?;
                    legacy = Some(cbor.text()?);
                }
                _ => cbor.skip(NESTING)?,
            }
        }
        cbor.end()?;
        let code = code.or(legacy).ok_or(Failure::MissingField)?;
        Ok(ours.then(|| refused(|name| code == name.as_bytes())))
    }
}
