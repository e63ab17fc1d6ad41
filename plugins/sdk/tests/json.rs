//! The small reader against `serde_json`: it takes every value there is, and what it reads is right.

use coreota_plugin::{Failure, Json};
use serde_json::{Value, json};

/// A value in which everything occurs that JSON has.
fn values() -> Vec<Value> {
    let leaves = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(4_294_967_295_u32),
        json!(-1),
        json!(1.5e300),
        json!(""),
        json!("a\"b\\c/d\n\u{1}\u{e9}\u{1F600}}]"),
        json!([]),
        json!({}),
    ];
    let mut values: Vec<Value> = leaves.to_vec();
    for leaf in &leaves {
        values.push(json!([leaf, leaf]));
        values.push(json!({"a": leaf, "b{": [leaf, {"c": leaf}]}));
    }
    values.push(json!(leaves.to_vec()));
    values
}

#[test]
fn every_value_is_stepped_over_whole() {
    for value in values() {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let document = format!("{{\"first\": {text} , \"second\":7}}");
            let mut json = Json::new(document.as_bytes());
            json.object();
            assert_eq!(json.key(), Some(&b"first"[..]));
            json.skip();
            assert_eq!(json.key(), Some(&b"second"[..]), "{document}");
            assert_eq!(json.number(), 7);
            assert_eq!(json.key(), None);
            assert_eq!(json.end(), Ok(()), "{document}");
        }
    }
}

#[test]
fn numbers_are_those_that_serde_reads() {
    for text in
        ["0", "7", "10", "4294967295", "4294967296", "-1", "1.0", "1e2", "99999999999999999999999"]
    {
        let mut json = Json::new(text.as_bytes());
        let number = json.number();
        let read = json.end().map(|()| number);
        assert_eq!(read.ok(), serde_json::from_str::<u32>(text).ok(), "{text}");
    }
    for (text, why) in [
        ("-1", Failure::BadNumber),
        ("1.5", Failure::BadNumber),
        ("4294967296", Failure::BadNumber),
        ("\"1\"", Failure::WrongType),
        ("true", Failure::WrongType),
        ("", Failure::WrongType),
    ] {
        let mut json = Json::new(text.as_bytes());
        assert_eq!(json.number(), 0);
        assert_eq!(json.end(), Err(why), "{text}");
    }
}

#[test]
fn the_first_thing_wrong_is_what_is_told() {
    let mut json = Json::new(br#"{"a":"text","b":[1,}"#);
    json.object();
    assert_eq!(json.key(), Some(&b"a"[..]));
    assert_eq!(json.number(), 0);
    assert_eq!(json.key(), None);
    assert!(!json.element());
    assert_eq!(json.text().raw, b"");
    assert_eq!(json.end(), Err(Failure::WrongType));
}

#[test]
fn every_cut_document_ends() {
    for value in values() {
        let text = format!("{{\"k\":{value}}}");
        for cut in 0..text.len() {
            let mut json = Json::new(&text.as_bytes()[..cut]);
            json.object();
            let mut keys = 0;
            while json.key().is_some() {
                keys += 1;
                json.skip();
            }
            assert!(keys <= 1);
            assert!(json.end().is_err(), "{text} cut at {cut}");
        }
    }
}

#[test]
fn a_backslash_at_the_end_ends() {
    let mut json = Json::new(br#""abc\"#);
    json.text();
    assert_eq!(json.end(), Err(Failure::BadJson));
}
