//! The JSON reader against two readers by others: `serde_json` says what is well-formed, and
//! `serde-json-core` what an OTA document without escapes means.

use coreota::{
    error::Failure,
    parser::{
        Parse, Parser,
        afr_ota::{AfrOta, Sha1},
    },
    sim::random::Random,
    wire::{Json, NESTING, Value},
};
use serde::de::IgnoredAny;

/// Reads a whole document.
fn read(document: &[u8]) -> Result<(), Failure> {
    let mut json = Json::new(document);
    json.skip(NESTING)?;
    json.end()
}

/// Both readers agree on `document`, nesting apart. An object that is well-formed ends where its
/// brackets do; of one that is not, either no end is found or strings and brackets are whole.
fn agree(document: &[u8]) {
    let mut skipped = Json::new(document);
    let object = skipped.skip(NESTING).is_ok() && document.trim_ascii().starts_with(b"{");
    let mut json = Json::new(document);
    match json.enclosed(NESTING) {
        Ok(Some(inner)) => {
            assert!(inner.starts_with(b"{") && inner.ends_with(b"}"));
            assert!(!object || json.end() == skipped.end());
            assert!(!object || inner == document.trim_ascii_start().get(..inner.len()).unwrap());
        }
        _ => assert!(!object, "{}", String::from_utf8_lossy(document)),
    }
    let theirs = serde_json::from_slice::<IgnoredAny>(document).is_ok();
    match read(document) {
        Err(Failure::TooDeep) => {}
        ours => assert_eq!(ours.is_ok(), theirs, "{}: {ours:?}", String::from_utf8_lossy(document)),
    }
}

#[test]
fn well_formed_is_what_everybody_says_it_is() {
    for document in [
        "",
        " ",
        "{}",
        "[]",
        " { } ",
        "[1,2]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\":1}",
        "{\"a\":1,}",
        "{\"a\"}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{,}",
        "[}",
        "{]",
        "[1}",
        "{\"a\":1]",
        "0",
        "-0",
        "00",
        "01",
        "-",
        "-a",
        "1.",
        "1.0",
        ".5",
        "1e",
        "1e5",
        "1E+5",
        "1e-",
        "1.5e-3",
        "+1",
        "1x",
        "true",
        "tru",
        "truex",
        "false",
        "null",
        "nul",
        "nullnull",
        "\"",
        "\"a",
        "\"a\"",
        "\"\\\"",
        "\"\\\"\"",
        "\"\\u12\"",
        "\"\\u1234\"",
        "\"\\u123g\"",
        "\"\\x\"",
        "\"\\/\"",
        "\"\n\"",
        "\"\u{7f}\"",
        "\"é\"",
        "\"01234567\"",
        "\"0123456\\\\7\"",
        "\"\0\"",
        "{}x",
        "{} {}",
        "[[[[[[[[]]]]]]]]",
        "\u{feff}{}",
        "\u{a0}1",
        "\u{b}1",
        "/**/1",
        "'a'",
        "NaN",
        "[\"a\",{\"b\":[null,false]},-1.5e+9]",
    ] {
        agree(document.as_bytes());
    }
    // A special character at every place of a word and of a chunk, and the end anywhere.
    for len in 0..150 {
        let text = "x".repeat(len);
        for tail in ["\"", "", "\\\"", "\\", "\u{1f}\"", "\\u0041\"", "\\ud83d\\ude00\" ", "é\""] {
            agree(format!("\"{text}{tail}").as_bytes());
            agree(format!("\"{text}{tail}, \"{text}\"").as_bytes());
        }
    }
}

#[test]
fn damaged_documents_are_read_alike() {
    let mut random = Random::new(2);
    let seeds = [
        r#"{"afr_ota":{"files":[{"filesize":1e3,"a":[null,true,false]},{}],"b":"\u00e9\\\/"}}"#,
        r#"[0,-0.5,1e+9,"",{"":""},[[[]]]," x ",123456789]"#,
        r#"{"a":"0123456789012345678901234567890123456789012345678901234567890123456789","b":1}"#,
    ];
    for _ in 0..20_000 {
        let seed = random.below(seeds.len() as u64) as usize;
        let mut document = seeds[seed].as_bytes().to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(document.len() as u64) as usize;
            match random.below(4) {
                0 => document[at] = random.byte(),
                1 => document[at] = br#"{}[]",:\0123eE+-.tfnu "#[random.below(22) as usize],
                2 => _ = document.remove(at),
                _ => document.truncate(at),
            }
            if document.is_empty() {
                break;
            }
        }
        agree(&document);
    }
}

#[test]
fn nesting_is_bounded() {
    for (deep, ok) in [(1, true), (8, true), (9, false), (32, false), (33, false), (100_000, false)]
    {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let document = format!("{}1{}", open.repeat(deep), close.repeat(deep));
            let expected = if ok { Ok(()) } else { Err(Failure::TooDeep) };
            assert_eq!(read(document.as_bytes()), expected, "{open} {deep}");
            // No more than 32, whatever was asked for.
            let mut json = Json::new(document.as_bytes());
            assert_eq!(json.skip(u32::MAX).is_ok(), deep <= 32, "{open} {deep}");
        }
    }
}

#[test]
fn an_object_inside_a_document_ends_with_its_bracket() {
    for (document, expected) in [
        (r#" {"a":[{"}":"]\\"}, 1 ]} ,2"#, Ok(Some(r#"{"a":[{"}":"]\\"}, 1 ]}"#))),
        // For whoever it is for to refuse.
        ("{1,,}x", Ok(Some("{1,,}"))),
        ("[{}]", Ok(None)),
        ("\"{\"", Ok(None)),
        ("[1,,]", Err(Failure::BadJson)),
        ("{[}]", Err(Failure::BadJson)),
        ("{]", Err(Failure::BadJson)),
        ("{", Err(Failure::BadJson)),
        ("{\"}", Err(Failure::BadJson)),
        ("{\"\\x\"}", Err(Failure::BadJson)),
    ] {
        let expected = expected.map(|inner| inner.map(str::as_bytes));
        assert_eq!(Json::new(document.as_bytes()).enclosed(NESTING), expected, "{document}");
    }
    for (asked, taken) in [(0, 0), (1, 1), (8, 8), (31, 31), (32, 32), (33, 32), (u32::MAX, 32)] {
        for deep in 1..40 {
            let document = "{".repeat(deep) + &"}".repeat(deep);
            let read = Json::new(document.as_bytes()).enclosed(asked);
            let expected =
                if deep <= taken { Ok(Some(document.as_bytes())) } else { Err(Failure::TooDeep) };
            assert_eq!(read, expected, "{deep} {asked}");
        }
    }
}

#[test]
fn whole_numbers() {
    for (text, number) in [
        ("0", Ok(0)),
        ("18446744073709551615", Ok(u64::MAX)),
        ("18446744073709551616", Err(Failure::BadNumber)),
        ("184467440737095516150", Err(Failure::BadNumber)),
        ("-1", Err(Failure::BadNumber)),
        ("-0", Err(Failure::BadNumber)),
        ("1.0", Err(Failure::BadNumber)),
        ("1e2", Err(Failure::BadNumber)),
        ("\"1\"", Err(Failure::WrongType)),
        ("null", Err(Failure::WrongType)),
        ("-", Err(Failure::BadJson)),
    ] {
        assert_eq!(Json::new(text.as_bytes()).number(), number, "{text}");
    }
}

#[test]
fn keys_are_known_in_whatever_spelling() {
    let mut json = Json::new(br#"{"file\u0073ize":1,"0123456789012345678901234\u0035":2}"#);
    json.object().expect("an object");
    let key = json.key().expect("a key").expect("one more");
    assert!(key.is("filesize"));
    assert_eq!(key.name(&mut [0; 24]), b"filesize");
    assert_eq!(json.value(), Ok(Value::Number(b"1")));
    let long = json.key().expect("a key").expect("one more");
    assert_eq!(long.name(&mut [0; 24]), long.raw);
    assert!(long.is("01234567890123456789012345"));
}

/// An OTA document for `serde-json-core`.
#[derive(serde::Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    afr_ota: Update<'a>,
}

#[derive(serde::Deserialize)]
struct Update<'a> {
    streamname: Option<&'a str>,
    #[serde(borrow)]
    files: [File<'a>; 1],
}

#[derive(serde::Deserialize)]
struct File<'a> {
    filesize: u32,
    fileid: u8,
    update_data_url: Option<&'a str>,
    #[serde(rename = "sig-sha256-ecdsa")]
    signature: Option<&'a str>,
}

#[test]
fn documents_without_escapes_mean_the_same_to_serde_json_core() {
    let mut random = Random::new(3);
    let pick =
        |random: &mut Random, of: &[&str]| of[random.below(of.len() as u64) as usize].to_owned();
    let mut understood = 0;
    for _ in 0..5_000 {
        let mut members = [
            format!(
                "\"filesize\":{}",
                pick(&mut random, &["1", "647324", "4294967295", "4294967296", "-1"])
            ),
            format!("\"fileid\" : {}", pick(&mut random, &["0", "255", "256"])),
            format!(
                "\"update_data_url\":{}",
                pick(&mut random, &["null", "\"https://x/y?z=1&a=2\""])
            ),
            format!(
                "\"sig-sha256-ecdsa\":{}",
                pick(&mut random, &["null", "\"MEQC/+==\"", "\"\""])
            ),
            pick(&mut random, &["\"fileType\":0", "\"attr\":{\"a\":[1,{}]}", "\"certfile\":\"é\""]),
        ];
        for at in (1..members.len()).rev() {
            members.swap(at, random.below(at as u64 + 1) as usize);
        }
        let document = format!(
            r#"{{"a":[],"afr_ota":{{"streamname":"S-{}","protocols":["MQTT"],"files":[{{{}}}]}}}}"#,
            random.below(1000),
            members.join(", ")
        );
        let theirs = serde_json_core::from_str::<Document<'_>>(&document);
        let mut parser = AfrOta::new(Sha1::Refuse);
        match (parser.parse(document.as_bytes(), 0), theirs) {
            (Parse::Descriptor(ours), Ok((theirs, _))) => {
                let [file] = theirs.afr_ota.files;
                let raw = |text: Option<&'_ str>| text.map(|text| text.as_bytes().to_vec());
                assert_eq!((ours.size, ours.file), (file.filesize, file.fileid));
                assert_eq!(
                    ours.stream.map(|field| field.raw.to_vec()),
                    raw(theirs.afr_ota.streamname)
                );
                assert_eq!(ours.url.map(|field| field.raw.to_vec()), raw(file.update_data_url));
                assert_eq!(
                    ours.signature.map(|(_, field)| field.raw.to_vec()),
                    raw(file.signature)
                );
                understood += 1;
            }
            (Parse::Malformed(_), Err(_)) => {}
            (ours, theirs) => panic!("{document}: {ours:?}, {:?}", theirs.err()),
        }
    }
    assert!(understood > 1_000, "{understood}");
}
