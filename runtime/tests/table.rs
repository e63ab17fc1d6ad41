//! The table parser: documents of one's own shape.

use coreota::{
    descriptor::{Algorithm, Descriptor},
    error::Failure,
    field::{Coding, Field},
    parser::{
        Parse, Parser,
        table::{Coded, Signed, Table, TableSpec},
    },
};

static ACME: TableSpec = TableSpec {
    name: "acme",
    size: "/pkg/bytes",
    file: Some("/pkg/id"),
    stream: Some("/pkg/channel"),
    url: Some("/pkg/mirrors/1/url"),
    sha256: Some(Coded { path: "/pkg/sum", coding: Coding::Hex }),
    signature: Some(Signed {
        path: "/proof/0",
        coding: Coding::Base64,
        algorithm: Algorithm::Ed25519,
    }),
    version: Some("/v"),
    board: Some("/a~1b~0c"),
    protocol: Some("/pkg/by"),
};

fn parse_with<R>(spec: &'static TableSpec, document: &str, see: impl FnOnce(Parse<'_>) -> R) -> R {
    see(Table::new(spec).parse(document.as_bytes(), 0))
}

fn refusal(document: &str) -> (bool, Failure) {
    parse_with(&ACME, document, |parse| match parse {
        Parse::Malformed(why) => (true, why),
        Parse::NotMine(why) => (false, why),
        Parse::Descriptor(found) => panic!("{document}: {found:?}"),
    })
}

#[test]
fn every_field_from_its_place() {
    let document = r#" {"v":"1.4.0","x":[[{"bytes":1}]],"a/b~c":"small","proof":["AAAA","BBBB"],
        "pkg":{"sum":"00ff","mirrors":[{"url":"no"},{"url":"https:\/\/x"},{"url":"no"}],
               "by\u0074es":647324,"channel":"S","id":7,"by":"raw-blocks","pkg":{"bytes":2}},"bytes":3} "#;
    parse_with(&ACME, document, |parse| {
        let url = Field { raw: br"https:\/\/x", escaped: true, ..Field::default() };
        let coded = |raw, coding| Field { raw, coding, escaped: false };
        let expected = Descriptor {
            size: 647_324,
            file: 7,
            files: 1,
            stream: Some(Field::plain(b"S")),
            url: Some(url),
            sha256: Some(coded(b"00ff", Coding::Hex)),
            signature: Some((Algorithm::Ed25519, coded(b"AAAA", Coding::Base64))),
            version: Some(Field::plain(b"1.4.0")),
            board: Some(Field::plain(b"small")),
            protocol: Some(Field::plain(b"raw-blocks")),
            ..Descriptor::default()
        };
        assert_eq!(parse, Parse::Descriptor(expected));
    });
    let again =
        Table::new(&ACME).parse(document.as_bytes(), 1) == Parse::Malformed(Failure::NoSuchFile);
    assert!(again, "one file is all a table describes");
}

#[test]
fn size_and_a_place_make_it_ours() {
    for document in [
        "{}",
        "[]",
        "3",
        r#"{"pkg":{"bytes":1}}"#,
        r#"{"pkg":{"channel":"S"}}"#,
        r#"{"pkg":{"bytes":null,"channel":"S"}}"#,
        r#"{"pkg":{"bytes":1,"channel":null}}"#,
        r#"{"pkg":[{"bytes":1,"channel":"S"}]}"#,
        r#"{"pkg/bytes":1,"channel":"S"}"#,
        r#"{"afr_ota":{"streamname":"S","files":[{"filesize":1,"fileid":0}]}}"#,
    ] {
        assert_eq!(refusal(document), (false, Failure::NoSuchKey), "{document}");
    }
    for (document, why) in [
        ("", Failure::BadJson),
        (r#"{"pkg":{"bytes":1,"channel":"#, Failure::BadJson),
        (r#"{"v":3}"#, Failure::WrongType),
    ] {
        assert_eq!(refusal(document), (false, why), "{document}");
    }
    // One of the two places is enough.
    let by_url = r#"{"pkg":{"bytes":1,"channel":null,"mirrors":[0,{"url":"u"}]}}"#;
    parse_with(&ACME, by_url, |parse| assert!(matches!(parse, Parse::Descriptor(_)), "{parse:?}"));
}

#[test]
fn what_is_ours_has_to_be_right() {
    for (document, why) in [
        (r#"{"pkg":{"bytes":0,"channel":"S"}}"#, Failure::SizeZero),
        (r#"{"pkg":{"bytes":4294967296,"channel":"S"}}"#, Failure::BadNumber),
        (r#"{"pkg":{"bytes":-1,"channel":"S"}}"#, Failure::BadNumber),
        (r#"{"pkg":{"bytes":1.5,"channel":"S"}}"#, Failure::BadNumber),
        (r#"{"pkg":{"bytes":"1","channel":"S"}}"#, Failure::WrongType),
        (r#"{"pkg":{"bytes":1,"channel":5}}"#, Failure::WrongType),
        (r#"{"pkg":{"bytes":1,"channel":{}}}"#, Failure::WrongType),
        (r#"{"pkg":{"bytes":1,"channel":"S","id":256}}"#, Failure::BadNumber),
        (r#"{"v":true,"pkg":{"bytes":1,"channel":"S"}}"#, Failure::WrongType),
        (r#"{"pkg":{"bytes":1,"channel":"S","bytes":2}}"#, Failure::DuplicateKey),
        (r#"{"pkg":{"bytes":1,"channel":"S"},"pkg":{}}"#, Failure::DuplicateKey),
        (r#"{"pkg":{"bytes":1,"channel":"S"},"p\u006bg":3}"#, Failure::DuplicateKey),
        (r#"{"pkg":{"bytes":1,"channel":"S"}}}"#, Failure::BadJson),
        (r#"{"pkg":{"bytes":1,"channel":"S"}} {}"#, Failure::BadJson),
        (r#"{"pkg":{"bytes":1,"channel":"S"},"x":[[[[[[[[[]]]]]]]]]}"#, Failure::TooDeep),
    ] {
        assert_eq!(refusal(document), (true, why), "{document}");
    }
}

#[test]
fn pointers_that_lead_nowhere() {
    static DEEP: TableSpec =
        TableSpec { size: "/a/a/a/a/a/a/a/a/a", stream: Some("/0"), ..TableSpec::EMPTY };
    let document = format!("{}1{}", r#"{"a":"#.repeat(9), "}".repeat(9));
    let deep = parse_with(&DEEP, &document, |parse| parse == Parse::NotMine(Failure::TooDeep));
    assert!(deep);

    static ROOT: TableSpec = TableSpec { stream: Some("/00"), ..TableSpec::EMPTY };
    // An index has no leading zeros, and an empty step is no index.
    for document in ["[\"S\"]", "3", "{\"00\":\"S\"}"] {
        let mine = parse_with(&ROOT, document, |parse| matches!(parse, Parse::Descriptor(_)));
        assert!(!mine, "{document}");
    }
}
