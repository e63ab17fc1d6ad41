//! What a job document says, as the device's parsers read it.

use std::path::Path;

use coreota::descriptor::Descriptor;
use coreota::error::Failure;
use coreota::field::Field;
use coreota::parser::Parse;
use serde_json::{Map, Value, json};

use crate::keys::word;
use crate::out::Out;
use crate::store::hex;

/// Shows which parser took the document, which declined, and what it says.
pub(super) fn show(
    path: &Path,
    document: &[u8],
    parser: &str,
    parse: &Parse<'_>,
    declined: &[(&str, Failure)],
    out: &Out,
) {
    let mut lines = vec![format!("{}  job document, {} bytes", path.display(), document.len())];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<9}  {value}"));
    for (name, why) in declined {
        line("not for", format!("{name}: {}", why.text()));
    }
    let fields = match parse {
        Parse::Descriptor(descriptor) => {
            line("for", parser.into());
            let fields = fields(descriptor);
            for (name, value) in &fields {
                match value {
                    Value::Null => {}
                    Value::String(text) => line(name, text.clone()),
                    other => line(name, other.to_string()),
                }
            }
            fields
        }
        Parse::Malformed(why) => {
            line("for", format!("{parser}, but {}", why.text()));
            Map::new()
        }
        Parse::NotMine(_) => Map::new(),
    };
    let declined: Vec<Value> = declined
        .iter()
        .map(|(name, why)| json!({ "parser": name, "why": why.text(), "code": why.code() }))
        .collect();
    let event = json!({
        "size": document.len(), "parser": parser, "declined": declined, "descriptor": fields,
    });
    out.event("document", &event, lines.join("\n"));
}

/// The descriptor in words, field by field.
fn fields(descriptor: &Descriptor<'_>) -> Map<String, Value> {
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
    let pairs = [
        ("size", descriptor.size.into()),
        ("file", descriptor.file.into()),
        ("files", descriptor.files.into()),
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
fn decoded(field: &Field<'_>) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![0; field.raw.len()];
    field.decode(&mut bytes).map(<[u8]>::to_vec)
}
