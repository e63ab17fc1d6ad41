//! Tables, as their authors write them: a file with the keys of a `[[parser]] kind = "table"`, in TOML or
//! JSON.

use std::path::Path;

use coreota::descriptor::Algorithm;
use coreota::field::Coding;
use coreota::image::table;
use coreota::parser::table::{Coded, LEN_MAX, Signed, TableSpec};
use serde::Deserialize;

use crate::error::{Error, Exit, Result};

/// Where each field of a job document is, as JSON pointers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    size: String,
    file_id: Option<String>,
    stream: Option<String>,
    url: Option<String>,
    sha256: Option<Digest>,
    signature: Option<Signature>,
    version: Option<String>,
    board: Option<String>,
    protocol: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Digest {
    path: String,
    encoding: Encoding,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    path: String,
    encoding: Encoding,
    algorithm: Kind,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Encoding {
    Base64,
    Hex,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    EcdsaP256,
    Ed25519,
}

/// The table in `text` as devices read it.
pub(crate) fn read(path: &Path, text: &str) -> Result<Vec<u8>> {
    let json = text.trim_ascii_start().starts_with('{');
    let written: std::result::Result<Written, String> = match json {
        true => serde_json::from_str(text).map_err(|why| why.to_string()),
        false => toml::from_str(text).map_err(|why| why.to_string()),
    };
    let written = written.map_err(|why| {
        Error::new(Exit::File, format!("{} is no table: {}", path.display(), why.trim_end()))
            .fix("it has the keys of a `[[parser]] kind = \"table\"` (docs/ota-toml.md), but for kind and name")
    })?;
    table(&written.spec()).map_err(|_| {
        let what = format!("no device would read the table in {}", path.display());
        let fix = format!(
            "it takes `stream` or `url`; pointers like \"/pkg/bytes\", of at most 8 steps; {LEN_MAX} bytes in all"
        );
        Error::new(Exit::No, what).fix(fix)
    })
}

impl Written {
    fn spec(&self) -> TableSpec<'_> {
        TableSpec {
            size: &self.size,
            file: self.file_id.as_deref(),
            stream: self.stream.as_deref(),
            url: self.url.as_deref(),
            sha256: self
                .sha256
                .as_ref()
                .map(|digest| Coded { path: &digest.path, coding: digest.encoding.coding() }),
            signature: self.signature.as_ref().map(|signature| Signed {
                path: &signature.path,
                coding: signature.encoding.coding(),
                algorithm: signature.algorithm.algorithm(),
            }),
            version: self.version.as_deref(),
            board: self.board.as_deref(),
            protocol: self.protocol.as_deref(),
            ..TableSpec::EMPTY
        }
    }
}

impl Encoding {
    const fn coding(self) -> Coding {
        match self {
            Encoding::Base64 => Coding::Base64,
            Encoding::Hex => Coding::Hex,
        }
    }
}

impl Kind {
    const fn algorithm(self) -> Algorithm {
        match self {
            Kind::EcdsaP256 => Algorithm::EcdsaP256,
            Kind::Ed25519 => Algorithm::Ed25519,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "size = \"/pkg/bytes\"\nfile-id = \"/pkg/id\"\nstream = \"/pkg/channel\"\nurl = \"/pkg/url\"\n\
        sha256 = { path = \"/pkg/sum\", encoding = \"hex\" }\n\
        signature = { path = \"/pkg/sig\", encoding = \"base64\", algorithm = \"ed25519\" }\n\
        version = \"/pkg/version\"\nboard = \"/pkg/board\"\nprotocol = \"/pkg/by\"\n";

    #[test]
    fn toml_and_json_say_the_same() {
        let path = Path::new("t");
        let toml: serde_json::Value = toml::from_str(TOML).expect("TOML");
        let binary = read(path, TOML).expect("a table");
        assert_eq!(binary, read(path, &toml.to_string()).expect("a table"));
        let expected = TableSpec {
            size: "/pkg/bytes",
            file: Some("/pkg/id"),
            stream: Some("/pkg/channel"),
            url: Some("/pkg/url"),
            sha256: Some(Coded { path: "/pkg/sum", coding: Coding::Hex }),
            signature: Some(Signed {
                path: "/pkg/sig",
                coding: Coding::Base64,
                algorithm: Algorithm::Ed25519,
            }),
            version: Some("/pkg/version"),
            board: Some("/pkg/board"),
            protocol: Some("/pkg/by"),
            ..TableSpec::EMPTY
        };
        assert_eq!(binary, table(&expected).expect("a table"));
    }

    #[test]
    fn what_is_no_table_is_told() {
        for (text, what) in [
            ("size = \"/a\"\nstraem = \"/b\"\n", "straem"),
            ("stream = \"/b\"\n", "size"),
            ("size = \"/a\"\nsha256 = { path = \"/b\", encoding = \"hexa\" }\n", "hexa"),
            ("{\"size\": 7}", "invalid type"),
            ("size = \"/a\"\n", "no device"),
            ("size = \"a\"\nstream = \"/b\"\n", "no device"),
        ] {
            let why = read(Path::new("t.toml"), text).expect_err(text).to_string();
            assert!(why.contains(what) && why.contains("t.toml"), "{text}: {why}");
        }
    }
}
