//! Job documents: the `afr_ota` one, or the user's own shape with its placeholders filled in.

use serde::Serialize;

use crate::provider::Document;
use crate::provider::state::File;

/// What a document may tell of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) stream: String,
    /// Bytes.
    pub(crate) size: u64,
    /// Lower-case hex.
    pub(crate) sha256: String,
    /// Base64 of the DER.
    pub(crate) signature: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) file_path: String,
    pub(crate) file_id: u8,
    pub(crate) file_type: u32,
    pub(crate) certfile: Option<String>,
}

impl Facts {
    /// The file as a stream has it.
    pub(crate) fn file(&self) -> File {
        File { image: self.sha256.clone(), size: self.size }
    }
}

#[derive(Serialize)]
struct Outer<'a> {
    afr_ota: AfrOta<'a>,
}

#[derive(Serialize)]
struct AfrOta<'a> {
    protocols: &'a [&'a str],
    streamname: &'a str,
    files: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    filepath: &'a str,
    filesize: u64,
    fileid: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    certfile: Option<&'a str>,
    #[serde(rename = "fileType")]
    file_type: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_data_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_scheme: Option<&'a str>,
    #[serde(rename = "sig-sha256-ecdsa", skip_serializing_if = "Option::is_none")]
    signature: Option<&'a str>,
}

/// The document of an OTA update as AWS writes it: these files, in this order, of the first one's
/// stream.
pub(crate) fn afr_ota(files: &[&Facts]) -> Document {
    let url = files.iter().any(|facts| facts.url.is_some());
    let outer = Outer {
        afr_ota: AfrOta {
            protocols: if url { &["MQTT", "HTTP"] } else { &["MQTT"] },
            streamname: files.first().map_or("", |facts| &facts.stream),
            files: files.iter().map(|facts| entry(facts)).collect(),
        },
    };
    let text = serde_json::to_string(&outer).expect("a plain struct");
    Document::parse(&text).expect("a struct is an object")
}

fn entry(facts: &Facts) -> Entry<'_> {
    let url = facts.url.as_deref();
    Entry {
        filepath: &facts.file_path,
        filesize: facts.size,
        fileid: facts.file_id,
        certfile: facts.certfile.as_deref(),
        file_type: facts.file_type,
        update_data_url: url,
        auth_scheme: url.map(|_| "aws.s3.presigned"),
        signature: facts.signature.as_deref(),
    }
}

/// A document of the user's own shape: fills `${…}` in, then reads it. Errors say what is wrong and
/// what would be right.
pub(crate) fn fill(template: &str, facts: &Facts) -> Result<Document, (String, String)> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            return Err(("a ${ is never closed".to_owned(), "write ${size}".to_owned()));
        };
        text += before;
        text += &value(name, facts)?;
        rest = after;
    }
    text += rest;
    Document::parse(&text).map_err(|error| {
        let fix = "texts need their quotes: \"${stream}\"; ${size} needs none".to_owned();
        (format!("with its placeholders filled in it is no job document: {error}"), fix)
    })
}

/// A value as it stands between quotes.
fn value(name: &str, facts: &Facts) -> Result<String, (String, String)> {
    let given = |value: &Option<String>, option: &str| {
        value.clone().ok_or_else(|| (format!("${{{name}}} has no value"), format!("give {option}")))
    };
    let value = match name {
        "stream" => facts.stream.clone(),
        "size" => facts.size.to_string(),
        "sha256" => facts.sha256.clone(),
        "signature" => given(&facts.signature, "--key or --signature")?,
        "url" => given(&facts.url, "--url")?,
        "version" => given(&facts.version, "--version")?,
        _ => {
            let known =
                "${stream}, ${size}, ${sha256}, ${signature}, ${url} and ${version} are known";
            return Err((format!("${{{name}}} is not known"), known.to_owned()));
        }
    };
    let quoted = serde_json::to_string(&value).expect("a text");
    Ok(quoted[1..quoted.len() - 1].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            stream: "AFR_OTA-1".to_owned(),
            size: 7,
            sha256: "ab".to_owned(),
            file_path: "fw \"1\".bin".to_owned(),
            ..Facts::default()
        }
    }

    #[test]
    fn afr_ota_says_what_is_given_and_no_more() {
        assert_eq!(
            afr_ota(&[&facts()]).text(),
            r#"{"afr_ota":{"protocols":["MQTT"],"streamname":"AFR_OTA-1","files":[{"filepath":"fw \"1\".bin","filesize":7,"fileid":0,"fileType":0}]}}"#
        );
        let some = |text: &str| Some(text.to_owned());
        let (signature, url, certfile) = (some("MEU="), some("https://x/y"), some("c.pem"));
        let full = Facts { signature, url, certfile, file_id: 3, file_type: 2, ..facts() };
        assert_eq!(
            afr_ota(&[&full]).text(),
            r#"{"afr_ota":{"protocols":["MQTT","HTTP"],"streamname":"AFR_OTA-1","files":[{"filepath":"fw \"1\".bin","filesize":7,"fileid":3,"certfile":"c.pem","fileType":2,"update_data_url":"https://x/y","auth_scheme":"aws.s3.presigned","sig-sha256-ecdsa":"MEU="}]}}"#
        );
    }

    #[test]
    fn placeholders_are_filled_as_texts_and_numbers() {
        let facts = Facts { version: Some("1.\"2\"".to_owned()), ..facts() };
        let template = r#"{ "pkg": { "bytes": ${size}, "text": "${size} B", "sum": "${sha256}",
            "channel": "${stream}", "v": "${version}", "price": "$5 {x}" } }"#;
        assert_eq!(
            fill(template, &facts).expect("filled").text(),
            r#"{"pkg":{"bytes":7,"text":"7 B","sum":"ab","channel":"AFR_OTA-1","v":"1.\"2\"","price":"$5 {x}"}}"#
        );
    }

    #[test]
    fn what_cannot_be_filled_says_what_would_be_right() {
        for (template, what, fix) in [
            (r#"{"a":"${sig}"}"#, "${sig} is not known", "${signature}"),
            (r#"{"a":"${signature}"}"#, "${signature} has no value", "--key"),
            (r#"{"a":"${url}"}"#, "${url} has no value", "--url"),
            (r#"{"a":"${version}"}"#, "${version} has no value", "--version"),
            (r#"{"a":"${size"#, "never closed", "${size}"),
            (r#"{"a":${stream}}"#, "no job document", "quotes"),
            (r#"["${stream}"]"#, "JSON object", "quotes"),
        ] {
            let (error, advice) = fill(template, &facts()).expect_err(template);
            assert!(error.contains(what), "{template}: {error}");
            assert!(advice.contains(fix), "{template}: {advice}");
        }
    }
}
