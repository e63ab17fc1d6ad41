//! What a job document says, as the device's parsers read it.

use std::path::Path;

use coreota::error::Failure;
use coreota::parser::Parse;
use serde_json::{Map, Value, json};

use crate::descriptor::fields;
use crate::out::Out;

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
