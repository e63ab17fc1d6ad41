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
    // Parsers borrow themselves for as long as the document: a static one is the shortest way.
    static ONE: AfrOta = AfrOta::new(Sha1::Refuse);
    match Box::leak(Box::new(ONE)).parse(document.as_bytes(), index) {
        Parse::Descriptor(descriptor) => Parse::Descriptor(descriptor),
        other => other,
    }
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
