//! `ota.schema.json`: the keys as a JSON Schema, for editors. What keys mean together is not in it.

use crate::define::{Key, Shape, TableShape};
use crate::keys::Root;
use crate::tree::{self, Data, Node};
use serde_json::{Map, Value, json};

/// The schema, as it is committed.
pub fn schema() -> String {
    let mut root = table(&Root::keys(), None, false);
    if let Some(object) = root.as_object_mut() {
        object.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".into(), json!("ota.toml"));
    }
    format!("{root:#}\n")
}

/// The schema of a place in the file. In a `part` of a table no key is required.
fn place(shape: &Shape, part: bool) -> Value {
    match shape {
        Shape::Text { form, pattern, or_integer } => {
            let mut text = json!({ "type": "string", "description": form });
            match pattern {
                Some(pattern) => text["pattern"] = json!(pattern),
                None => text["minLength"] = json!(1),
            }
            match or_integer {
                Some((min, max)) => json!({ "anyOf": [text, integer(*min, *max)] }),
                None => text,
            }
        }
        Shape::Integer(min, max) => integer(*min, *max),
        Shape::Fraction => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Choice(words) => {
            let words: Vec<_> = words.iter().map(|(word, _)| word).collect();
            json!({ "type": "string", "enum": words })
        }
        Shape::Table(keys) => table(keys, None, part),
        Shape::Kinds(kinds) => {
            let kinds: Vec<_> =
                kinds.iter().map(|(kind, keys)| table(keys, Some(kind), part)).collect();
            json!({ "oneOf": kinds })
        }
        Shape::List(of) => json!({ "type": "array", "minItems": 1, "items": place(of, false) }),
        Shape::Choices(of) => json!({ "type": "array", "items": place(of, false) }),
        Shape::Named(of) => json!({ "type": "object", "additionalProperties": place(of, part) }),
        Shape::Part(whole) => place(whole, true),
        Shape::Either(one, other) => json!({ "anyOf": [place(one, part), place(other, part)] }),
    }
}

fn integer(min: u64, max: u64) -> Value {
    json!({ "type": "integer", "minimum": min, "maximum": max })
}

fn table(shape: &TableShape, kind: Option<&str>, part: bool) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    if let Some(kind) = kind {
        properties.insert("kind".into(), json!({ "type": "string", "const": kind }));
        required.push("kind");
    }
    for key in &shape.keys {
        properties.insert(key.name.clone(), described(key, part));
        if key.required && !part {
            required.push(&key.name);
        }
    }
    json!({
        "type": "object",
        "description": one_line(shape.doc),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn described(key: &Key, part: bool) -> Value {
    let mut value = place(&key.shape, part);
    if let Some(object) = value.as_object_mut() {
        let form = object
            .get("description")
            .and_then(Value::as_str)
            .map(|form| format!("\n\nWrite {form}."));
        let form = form.filter(|_| matches!(key.shape, Shape::Text { .. })).unwrap_or_default();
        object.insert("description".into(), json!(format!("{}{form}", one_line(key.doc))));
        // In a part, what is absent is as the whole says, not the default.
        if let Some(node) =
            key.default.filter(|_| !part).and_then(|text| tree::parse_value(text, 0..0))
        {
            object.insert("default".into(), json_of(&node));
        }
    }
    value
}

/// A doc comment without its line breaks.
pub(crate) fn one_line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json_of(node: &Node) -> Value {
    match &node.data {
        Data::Text(text) => json!(text),
        Data::Integer(value) => json!(value),
        Data::Number(value) => json!(value),
        Data::Boolean(value) => json!(value),
        Data::List(list) => list.iter().map(json_of).collect(),
        Data::Table(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.clone(), json_of(&entry.node)));
            Value::Object(entries.collect())
        }
        Data::Other(_) => Value::Null,
    }
}
