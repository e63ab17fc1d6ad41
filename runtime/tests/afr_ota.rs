//! The `afr_ota` parser against documents as the service writes them, and as it should not.

use coreota::{
    descriptor::{Algorithm, Descriptor},
    error::Failure,
    field::Field,
    parser::{
        Parse, Parser,
        afr_ota::{AfrOta, Sha1},
    },
};

fn parse(document: &str) -> Parse<'_> {
    parse_file(document, 0)
}

fn parse_file(document: &str, index: u8) -> Parse<'_> {
    // A verdict may borrow from the parser too, which therefore has to live as long.
    Box::leak(Box::new(AfrOta::new(Sha1::Refuse))).parse(document.as_bytes(), index)
}

fn descriptor(document: &str) -> Descriptor<'_> {
    match parse(document) {
        Parse::Descriptor(descriptor) => descriptor,
        other => panic!("{document}: {other:?}"),
    }
}

fn text(field: Option<Field<'_>>) -> String {
    let mut room = [0; 4096];
    let bytes = field.expect("present").decode(&mut room).expect("decodes");
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A document whose only file is `{"filesize":10,"fileid":0,...}` with these members added.
fn with(file: &str) -> String {
    format!(r#"{{"afr_ota":{{"streamname":"S","files":[{{"filesize":10,"fileid":0{file}}}]}}}}"#)
}

const FROM_SERVICE: &str = r#"{"afr_ota":{"protocols":["MQTT"],"streamname":"AFR_OTA-7bcdeb77-bf2c-4b38-a3b2-3f1bd4d9a5e6","files":[{"filepath":"/device/updates/app.bin","filesize":647324,"fileid":0,"certfile":"/certificates/authcert.pem","fileType":0,"update_data_url":null,"auth_scheme":null,"sig-sha256-ecdsa":"MEQCIF2QDvww1G/kpRGZ8FYvQrok1bSZvXjXefRk7sqNcyPTAiB4dvGt8fozIY5NC0vUDJ2MY42ZERYEcrbwA4n6q7vrBg=="}]}}"#;

#[test]
fn a_document_of_the_service() {
    let found = descriptor(FROM_SERVICE);
    assert_eq!((found.size, found.file, found.files), (647_324, 0, 1));
    assert_eq!(text(found.stream), "AFR_OTA-7bcdeb77-bf2c-4b38-a3b2-3f1bd4d9a5e6");
    assert_eq!(found.url, None);
    let (algorithm, signature) = found.signature.expect("signed");
    assert_eq!(algorithm, Algorithm::EcdsaP256);
    let mut der = [0; 72];
    assert_eq!(signature.decode(&mut der).map(|der| (der.len(), der[0])), Ok((70, 0x30)));
}

#[test]
fn numbers_that_would_wrap_are_refused() {
    for (size, why) in [
        ("0", Failure::SizeZero),
        ("4294967296", Failure::BadNumber),
        ("99999999999999999999", Failure::BadNumber),
        ("-1", Failure::BadNumber),
        ("1.5", Failure::BadNumber),
        ("1e3", Failure::BadNumber),
        ("\"10\"", Failure::WrongType),
        ("null", Failure::WrongType),
        ("01", Failure::BadJson),
    ] {
        let document = format!(
            r#"{{"afr_ota":{{"streamname":"S","files":[{{"filesize":{size},"fileid":0}}]}}}}"#
        );
        assert_eq!(parse(&document), Parse::Malformed(why), "{size}");
    }
}

#[test]
fn weak_signatures_are_refused_unless_told_otherwise() {
    for (keys, strong) in [
        (r#","sig-sha1-rsa":"AA==""#, false),
        (r#","sig-sha1-ecdsa":"AA==","sig-sha256-ecdsa":null"#, false),
        (r#","sig-sha1-ecdsa":"AA==","sig-sha256-ecdsa":"AAAA""#, true),
        (r#","sig-sha1-ecdsa":"AA==","sig-sha256-rsa":"AAAA""#, true),
    ] {
        let document = with(keys);
        match parse(&document) {
            Parse::Descriptor(_) => assert!(strong, "{keys}"),
            other => {
                assert!(!strong, "{keys}");
                assert_eq!(other, Parse::Malformed(Failure::WeakSignature));
            }
        }
        let mut lenient = AfrOta::new(Sha1::Accept);
        let Parse::Descriptor(found) = lenient.parse(document.as_bytes(), 0) else {
            panic!("{keys}");
        };
        assert_eq!(found.signature.is_some(), keys.contains(r#""sig-sha256-ecdsa":"A"#), "{keys}");
    }
}

#[test]
fn every_way_to_the_file() {
    let url =
        r#","update_data_url":"https:\/\/s3\/x?a=1\u0026b=2","auth_scheme":"aws.s3.presigned""#;
    let both = with(url);
    let found = descriptor(&both);
    assert_eq!(text(found.stream), "S");
    assert_eq!(text(found.url), "https://s3/x?a=1&b=2");

    let http = both.replace(r#""streamname":"S""#, r#""streamname":null"#);
    let found = descriptor(&http);
    assert_eq!(found.stream, None);
    assert!(found.url.is_some());

    // Without a word about authorisation, and with one that is not known.
    let open = http.replace("aws.s3.presigned", "none").replace(r#","auth_scheme":"none""#, "");
    assert!(descriptor(&open).url.is_some());
    let closed = http.replace("aws.s3.presigned", "Bearer");
    assert_eq!(parse(&closed), Parse::Malformed(Failure::NoTransport));
    let neither = with(r#","update_data_url":null"#).replace(r#""streamname":"S","#, "");
    assert_eq!(parse(&neither), Parse::Malformed(Failure::NoTransport));
}

#[test]
fn what_a_fleet_may_add() {
    let more = with(r#","sha256":"00ff","version":"1.4.0+7","board":"caf\u00e9","attr":{"a":[1]}"#);
    let found = descriptor(&more);
    assert_eq!(
        found.sha256.map(|sum| sum.decode(&mut [0; 32]).map(<[u8]>::to_vec)),
        Some(Ok(vec![0, 255]))
    );
    assert_eq!(text(found.version), "1.4.0+7");
    assert_eq!(text(found.board), "café");
}

#[test]
fn several_files() {
    let file = |id: u32| format!(r#"{{"filesize":{},"fileid":{id}}}"#, id + 1);
    let files = |many: u32| {
        let files: Vec<_> = (0..many).map(file).collect();
        format!(r#"{{"afr_ota":{{"files":[{}],"streamname":"S"}}}}"#, files.join(","))
    };
    for (many, index) in [(3, 0), (3, 2), (255, 254)] {
        let document = files(many);
        let Parse::Descriptor(found) = parse_file(&document, index) else {
            panic!("{many} {index}")
        };
        assert_eq!((found.file, found.size), (index, u32::from(index) + 1));
        assert_eq!(u32::from(found.files), many);
    }
    assert_eq!(parse_file(&files(3), 3), Parse::Malformed(Failure::NoSuchFile));
    assert_eq!(parse(&files(0)), Parse::Malformed(Failure::NoSuchFile));
    assert_eq!(parse(&files(256)), Parse::Malformed(Failure::TooManyFiles));
}

#[test]
fn documents_of_others_are_not_ours() {
    for (document, why) in [
        ("{}", Failure::NoSuchKey),
        (r#"{"operation":"reboot"}"#, Failure::NoSuchKey),
        (r#"{"a":{"afr_ota":{}}}"#, Failure::NoSuchKey),
        (r#"{"afr_otb":{}, "files":[]}"#, Failure::NoSuchKey),
        ("[]", Failure::NoSuchKey),
        ("", Failure::NoSuchKey),
        ("<xml/>", Failure::NoSuchKey),
        (r#"{"operation":"#, Failure::BadJson),
        (r#"{"x":[[[[[[[[[]]]]]]]]]}"#, Failure::TooDeep),
        ("{} x", Failure::BadJson),
    ] {
        assert_eq!(parse(document), Parse::NotMine(why), "{document}");
    }
}

#[test]
fn documents_that_are_ours_and_wrong() {
    let good = with("");
    for (from, to, why) in [
        (r#""filesize":10,"#, "", Failure::MissingField),
        (r#","fileid":0"#, "", Failure::MissingField),
        (r#""fileid":0"#, r#""fileid":256"#, Failure::BadNumber),
        (r#""fileid":0"#, r#""fileid":0,"f\u0069leid":0"#, Failure::DuplicateKey),
        (
            r#""fileid":0"#,
            r#""fileid":0,"sig-sha256-ecdsa":null,"sig-sha256-ecdsa":"A""#,
            Failure::DuplicateKey,
        ),
        (r#""fileid":0"#, r#""fileid":0,"sig-sha256-ecdsa":5"#, Failure::WrongType),
        (r#""fileid":0"#, r#""fileid":0,"x":[[[[[[[[[]]]]]]]]]"#, Failure::TooDeep),
        (r#""S""#, r#""S","streamname":"T""#, Failure::DuplicateKey),
        (r#""S""#, "5", Failure::WrongType),
        ("}]", "}],\"files\":[]", Failure::DuplicateKey),
        ("}]}}", "}]},\"afr_ota\":{}}", Failure::DuplicateKey),
        ("}]}}", "}]}} ,", Failure::BadJson),
        ("}]}}", "}]}", Failure::BadJson),
        ("}]}}", "}},]}", Failure::BadJson),
    ] {
        let document = good.replacen(from, to, 1);
        assert_ne!(document, good);
        assert_eq!(parse(&document), Parse::Malformed(why), "{document}");
    }
    for value in ["null", "5", "[]", "\"x\""] {
        let document = format!(r#"{{"afr_ota":{value}}}"#);
        assert_eq!(parse(&document), Parse::Malformed(Failure::WrongType), "{document}");
        let document = format!(r#"{{"afr_ota":{{"streamname":"S","files":[{value}]}}}}"#);
        assert_eq!(parse(&document), Parse::Malformed(Failure::WrongType), "{document}");
    }
}
