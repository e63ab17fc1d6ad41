//! Stream messages in CBOR. Written as the service does: maps of indefinite length, keys of a data
//! message in the order (c,) f, i, l, p. Read in any form that is well-formed.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use super::{Code, Data, Fields, KEYS, Rejection, Stream, Value};

pub(super) fn read(payload: &[u8]) -> Result<Fields, Rejection> {
    let malformed = |why: &str| Rejection::new(Code::InvalidCbor, format!("Not CBOR: {why}."));
    let mut whole = Decoder::new(payload);
    whole.skip().map_err(|error| malformed(&error.to_string()))?;
    if whole.position() != payload.len() {
        return Err(malformed("bytes follow the value"));
    }
    fields(payload).map_err(|error| {
        Rejection::new(Code::InvalidRequest, format!("Not a map with text keys: {error}."))
    })?
}

/// `payload` is one well-formed value; is it a map we can read?
fn fields(payload: &[u8]) -> Result<Result<Fields, Rejection>, minicbor::decode::Error> {
    let mut decoder = Decoder::new(payload);
    let mut left = decoder.map()?;
    let mut fields = Fields::new();
    while left != Some(0) {
        if left.is_none() && decoder.datatype()? == Type::Break {
            break;
        }
        left = left.map(|left| left - 1);
        let key = text(&mut decoder)?;
        let value = value(&mut decoder)?;
        if KEYS.contains(&&*key) && fields.insert(key.clone(), value).is_some() {
            let message = format!("{key} is given twice.");
            return Ok(Err(Rejection::new(Code::InvalidRequest, message)));
        }
    }
    Ok(Ok(fields))
}

fn value(decoder: &mut Decoder<'_>) -> Result<Value, minicbor::decode::Error> {
    Ok(match decoder.datatype()? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => Value::Int(decoder.u64()?.into()),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
            Value::Int(decoder.int()?.into())
        }
        Type::String | Type::StringIndef => Value::Text(text(decoder)?),
        Type::Bytes | Type::BytesIndef => {
            let parts: Result<Vec<&[u8]>, _> = decoder.bytes_iter()?.collect();
            Value::Bytes(parts?.concat())
        }
        _ => {
            decoder.skip()?;
            Value::Other
        }
    })
}

fn text(decoder: &mut Decoder<'_>) -> Result<String, minicbor::decode::Error> {
    decoder.str_iter()?.collect()
}

type Writer = Encoder<Vec<u8>>;
type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

/// One map of indefinite length.
fn map(fill: impl FnOnce(&mut Writer) -> Written) -> Vec<u8> {
    let mut writer = Encoder::new(Vec::new());
    let written = (|| {
        writer.begin_map()?;
        fill(&mut writer)?;
        writer.end()?;
        Written::Ok(())
    })();
    written.expect("a vector takes every byte");
    writer.into_writer()
}

fn optional(writer: &mut Writer, key: &str, value: Option<&str>) -> Written {
    if let Some(value) = value {
        writer.str(key)?.str(value)?;
    }
    Ok(())
}

pub(super) fn data(data: &Data<'_>) -> Vec<u8> {
    map(|writer| {
        optional(writer, "c", data.token)?;
        writer.str("f")?.u8(data.file)?;
        writer.str("i")?.u64(data.index)?;
        writer.str("l")?.u64(data.payload.len() as u64)?;
        writer.str("p")?.bytes(data.payload)?;
        Ok(())
    })
}

pub(super) fn description(token: Option<&str>, stream: &Stream) -> Vec<u8> {
    map(|writer| {
        optional(writer, "c", token)?;
        writer.str("s")?.u32(stream.version)?;
        writer.str("d")?.str(&stream.description)?;
        writer.str("r")?.begin_array()?;
        for (&id, file) in &stream.files {
            writer.begin_map()?.str("f")?.u8(id)?.str("z")?.u64(file.size)?.end()?;
        }
        writer.end()?;
        Ok(())
    })
}

pub(super) fn rejected(token: Option<&str>, code: &str, message: &str) -> Vec<u8> {
    map(|writer| {
        writer.str("o")?.str(code)?.str("m")?.str(message)?;
        optional(writer, "c", token)?;
        writer.str("code")?.str(code)?.str("message")?.str(message)?;
        optional(writer, "clientToken", token)
    })
}
