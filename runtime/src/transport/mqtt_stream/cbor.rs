//! Stream messages in CBOR (RFC 8949): a map with one-letter text keys. The service sends maps of
//! indefinite length; others send definite ones.

use minicbor::{
    data::Type,
    decode::{self, Decoder},
    encode::{Encoder, Write},
};

use super::{Data, Encoding, PAYLOAD_MAX, Request, refused};
use crate::{
    error::Failure,
    field::Field,
    wire::{Keys, NESTING, Writer},
};

/// The `/cbor` topics.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cbor;

impl Encoding for Cbor {
    const NAME: &'static str = "cbor";
    const OVERHEAD: u32 = 64;
    const BLOCK_MAX: u32 = PAYLOAD_MAX - Self::OVERHEAD;

    fn request(request: &Request<'_>, to: &mut Writer<'_>) {
        let mut cbor = Encoder::new(Sink(to));
        let mut bytes = [0; 8];
        // The writer remembers what did not fit, so that nothing can fail here.
        let _ = cbor
            .map(6)
            .and_then(|cbor| cbor.str("c")?.str(request.token))
            .and_then(|cbor| cbor.str("f")?.u8(request.geometry.file))
            .and_then(|cbor| cbor.str("l")?.u32(request.geometry.block))
            .and_then(|cbor| cbor.str("o")?.u32(request.wanted.first))
            .and_then(|cbor| cbor.str("n")?.u32(request.wanted.count()))
            .and_then(|cbor| cbor.str("b")?.bytes(request.bitmap(&mut bytes)));
    }

    fn data<'m>(payload: &'m [u8], token: &str) -> Result<Data<'m>, Failure> {
        let mut cbor = Decoder::new(payload);
        let mut keys = Keys::default();
        let (mut file, mut index, mut len, mut block, mut ours) = (None, None, None, None, false);
        let mut left = cbor.map().map_err(bad)?;
        while let Some(key) = next_key(&mut cbor, &mut left)? {
            match key {
                "c" => {
                    keys.once(0)?;
                    ours = text(&mut cbor)? == token;
                }
                "f" => {
                    keys.once(1)?;
                    file = Some(number(&mut cbor)?);
                }
                "i" => {
                    keys.once(2)?;
                    index = Some(number(&mut cbor)?);
                }
                "l" => {
                    keys.once(3)?;
                    len = Some(number(&mut cbor)?);
                }
                "p" => {
                    keys.once(4)?;
                    block = Some(Field::plain(cbor.bytes().map_err(bad)?));
                }
                _ => skip(&mut cbor, NESTING)?,
            }
        }
        end(&cbor)?;
        match (file, index, len, block) {
            (Some(file), Some(index), Some(len), Some(payload)) => {
                Ok(Data { ours, file, index, len, payload })
            }
            _ => Err(Failure::MissingField),
        }
    }

    fn rejected(payload: &[u8], token: &str) -> Result<Option<Failure>, Failure> {
        let mut cbor = Decoder::new(payload);
        let mut keys = Keys::default();
        let (mut ours, mut code, mut legacy) = (true, None, None);
        let mut left = cbor.map().map_err(bad)?;
        while let Some(key) = next_key(&mut cbor, &mut left)? {
            match key {
                // A request too broken to have a token is refused without one.
                "c" => {
                    keys.once(0)?;
                    ours = text(&mut cbor)? == token;
                }
                "o" => {
                    keys.once(1)?;
                    code = Some(text(&mut cbor)?);
                }
                "code" => {
                    keys.once(2)?;
                    legacy = Some(text(&mut cbor)?);
                }
                _ => skip(&mut cbor, NESTING)?,
            }
        }
        end(&cbor)?;
        let code = code.or(legacy).ok_or(Failure::MissingField)?;
        Ok(ours.then(|| refused(code.as_bytes())))
    }
}

/// The key of the next member, or `None` behind the last. `left` counts down where the map says how
/// many there are.
fn next_key<'m>(
    cbor: &mut Decoder<'m>,
    left: &mut Option<u64>,
) -> Result<Option<&'m str>, Failure> {
    if is_last(cbor, left)? {
        return Ok(None);
    }
    text(cbor).map(Some)
}

/// Whether an array or map is behind its last item; else one less is `left`.
fn is_last(cbor: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, Failure> {
    match left {
        Some(0) => return Ok(true),
        Some(left) => *left -= 1,
        None if cbor.datatype().map_err(bad)? == Type::Break => {
            cbor.set_position(cbor.position() + 1);
            return Ok(true);
        }
        None => {}
    }
    Ok(false)
}

fn text<'m>(cbor: &mut Decoder<'m>) -> Result<&'m str, Failure> {
    cbor.str().map_err(bad)
}

/// A whole number that is not negative.
fn number(cbor: &mut Decoder<'_>) -> Result<u64, Failure> {
    match cbor.datatype().map_err(bad)? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => cbor.u64().map_err(bad),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => Err(Failure::BadNumber),
        _ => Err(Failure::WrongType),
    }
}

/// Nothing may follow the map.
fn end(cbor: &Decoder<'_>) -> Result<(), Failure> {
    if cbor.position() == cbor.input().len() { Ok(()) } else { Err(Failure::BadCbor) }
}

/// Passes over an item that holds at most `deepest` arrays, maps and tags in one another.
fn skip(cbor: &mut Decoder<'_>, deepest: u32) -> Result<(), Failure> {
    let kind = cbor.datatype().map_err(bad)?;
    let mut left = match kind {
        Type::Array | Type::ArrayIndef => cbor.array().map_err(bad)?,
        Type::Map | Type::MapIndef => cbor
            .map()
            .map_err(bad)?
            .map(|pairs| pairs.checked_mul(2).ok_or(Failure::BadCbor))
            .transpose()?,
        Type::Tag => {
            cbor.tag().map_err(bad)?;
            Some(1)
        }
        Type::Break => return Err(Failure::BadCbor),
        // The item by itself: no nesting below.
        _ => return cbor.skip().map_err(bad),
    };
    let deepest = deepest.checked_sub(1).ok_or(Failure::TooDeep)?;
    let mut items = 0u32;
    while !is_last(cbor, &mut left)? {
        skip(cbor, deepest)?;
        items ^= 1;
    }
    // An endless map may end behind a key.
    if kind == Type::MapIndef && items != 0 { Err(Failure::BadCbor) } else { Ok(()) }
}

fn bad(error: decode::Error) -> Failure {
    if error.is_type_mismatch() { Failure::WrongType } else { Failure::BadCbor }
}

/// A [`Writer`] as the encoder's sink: it remembers an overflow, so that writing never fails.
struct Sink<'w, 'b>(&'w mut Writer<'b>);

impl Write for Sink<'_, '_> {
    type Error = core::convert::Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.put(bytes);
        Ok(())
    }
}
