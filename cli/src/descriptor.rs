//! A descriptor, as people and machines are told of it.

use coreota::descriptor::Descriptor;
use coreota::error::Failure;
use coreota::field::Field;
use coreota::plugin::Content;
use serde_json::{Map, Value};

use crate::keys::word;
use crate::store::hex;

/// The descriptor in words, field by field.
pub(crate) fn fields(descriptor: &Descriptor<'_>) -> Map<String, Value> {
    let text = |field: &Option<Field<'_>>| match field {
        None => Value::Null,
        Some(field) => match decoded(field) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into(),
            Err(why) => why.text().into(),
        },
    };
    let sha256 = match &descriptor.sha256 {
        None => Value::Null,
        Some(field) => decoded(field).map_or_else(|why| why.text().into(), |b| hex(&b).into()),
    };
    let signature = match &descriptor.signature {
        None => Value::Null,
        Some((algorithm, field)) => match decoded(field) {
            Ok(bytes) => format!("{}, {} bytes", word(*algorithm), bytes.len()).into(),
            Err(why) => format!("{}: {}", word(*algorithm), why.text()).into(),
        },
    };
    let content = match descriptor.content {
        Content::Image => Value::Null,
        Content::Plugin => "plugin".into(),
        Content::Table => "table".into(),
    };
    let pairs = [
        ("size", descriptor.size.into()),
        ("file", descriptor.file.into()),
        ("files", descriptor.files.into()),
        ("content", content),
        ("protocol", text(&descriptor.protocol)),
        ("stream", text(&descriptor.stream)),
        ("url", text(&descriptor.url)),
        ("sha256", sha256),
        ("signature", signature),
        ("version", text(&descriptor.version)),
        ("board", text(&descriptor.board)),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Decoding never makes a value longer.
pub(crate) fn decoded(field: &Field<'_>) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![0; field.raw.len()];
    field.decode(&mut bytes).map(<[u8]>::to_vec)
}
