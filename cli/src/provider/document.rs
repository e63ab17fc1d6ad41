//! A job document: a JSON object kept as text, so that its keys reach the device in the order and
//! with the numbers they were written with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// The text of one JSON object, without white space around its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document(String);

impl Document {
    /// Reads an object; what is wrong with anything else is told.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(serde_json::Value::Object(_)) => Ok(Self(compact(text))),
            Ok(_) => Err("a job document is a JSON object: { … }".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Bytes on the wire.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// Drops the white space between tokens of valid JSON.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|&c| {
            let keep = in_string || !c.is_ascii_whitespace();
            if c == '"' && !escaped {
                in_string = !in_string;
            }
            escaped = in_string && c == '\\' && !escaped;
            keep
        })
        .collect()
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_texts_stay() {
        let text = "{ \"b\" : [ 1.50 , \"x \\\" y\\\\\" ] ,\n\t\"a\" : \" \" }";
        let document = Document::parse(text).expect("an object");
        assert_eq!(document.text(), r#"{"b":[1.50,"x \" y\\"],"a":" "}"#);
    }

    #[test]
    fn only_an_object_is_a_document() {
        assert!(Document::parse("[]").is_err() && Document::parse("{").is_err());
        assert!(serde_json::from_str::<Document>("1").is_err());
    }
}
