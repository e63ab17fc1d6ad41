//! File streams in CBOR, byte by byte.

use super::*;

fn ask(kind: &str, request: &[u8]) -> Vec<Outgoing> {
    let topic = format!("$aws/things/a/streams/s/{kind}/cbor");
    World::with_stream().provider.on_message(&topic, request, 0)
}

fn one(kind: &str, request: &[u8]) -> Outgoing {
    let mut messages = ask(kind, request);
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

/// `{"f":0,"l":256,"n":1}`, with these bytes before the last pair, as a map of `pairs`.
fn request(pairs: u8, more: &[u8]) -> Vec<u8> {
    [&[0xa0 + pairs][..], b"\x61f\x00\x61l\x19\x01\x00", more, b"\x61n\x01"].concat()
}

fn code(request: &[u8]) -> String {
    let message = one("get", request);
    assert_eq!(message.topic, "$aws/things/a/streams/s/rejected/cbor");
    // bf 61 'o' 7x code…
    let rest = message.payload.strip_prefix(b"\xbf\x61o").expect("an indefinite map, o first");
    minicbor::Decoder::new(rest).str().expect("a text").to_owned()
}

#[test]
fn data_is_an_indefinite_map_in_the_order_f_i_l_p() {
    let message = one("get", &request(3, b""));
    let head = b"\xbf\x61f\x00\x61i\x00\x61l\x19\x01\x00\x61p\x59\x01\x00";
    assert_eq!(message.payload, [&head[..], &file()[..256], b"\xff"].concat());
    assert_eq!(message.topic, "$aws/things/a/streams/s/data/cbor");
    assert!(!message.acknowledged);
}

#[test]
fn the_token_is_echoed() {
    let message = one("get", &request(4, b"\x61c\x62tt"));
    assert!(message.payload.starts_with(b"\xbf\x61c\x62tt\x61f\x00\x61i"));
}

#[test]
fn a_definite_an_indefinite_and_a_reordered_request_are_the_same() {
    let reference = ask("get", &request(3, b""));
    let indefinite = [&b"\xbf"[..], &request(3, b"")[1..], b"\xff"].concat();
    assert_eq!(ask("get", &indefinite), reference);
    assert_eq!(ask("get", b"\xa3\x61n\x01\x61l\x19\x01\x00\x61f\x00"), reference);
    // Not in the shortest form, in parts, and with keys nobody knows.
    assert_eq!(ask("get", b"\xa3\x61n\x18\x01\x61l\x1a\0\0\x01\0\x61f\x00"), reference);
    assert_eq!(ask("get", &request(4, b"\x61x\x82\x01\xa1\x61y\xf6")), reference);
    assert_eq!(ask("get", &request(4, b"\x64long\xf5")), reference);
}

#[test]
fn the_bitmap_is_bytes_least_bit_first() {
    let bitmap = b"\xa4\x61f\x00\x61l\x19\x01\x00\x61o\x01\x61b\x43\x13\x00\x80";
    let ids: Vec<u8> = ask("get", bitmap).iter().map(|message| id(&message.payload)).collect();
    assert_eq!(ids, [1, 2, 5, 24]);
    let parts = b"\xa4\x61f\x00\x61l\x19\x01\x00\x61o\x01\x61b\x5f\x41\x13\x42\x00\x80\xff";
    assert_eq!(ask("get", parts), ask("get", bitmap));
}

/// `i` of a data message; every id in these tests fits one or two bytes.
fn id(data: &[u8]) -> u8 {
    let rest = data.strip_prefix(b"\xbf\x61f\x00\x61i").expect("f first, then i");
    minicbor::Decoder::new(rest).u8().expect("a small id")
}

#[test]
fn what_is_not_cbor_or_not_a_request_is_refused() {
    for (bytes, expected) in [
        (&b""[..], "InvalidCbor"),
        (b"\xa1", "InvalidCbor"),
        (b"\xbf\x61f\x00", "InvalidCbor"),
        (&[&request(3, b"")[..], b"\x00"].concat(), "InvalidCbor"),
        (b"{}", "InvalidCbor"),
        (b"\x80", "InvalidRequest"),
        (b"\xa0", "InvalidRequest"),
        (b"\xa1\x00\x00", "InvalidRequest"),
        (&request(4, b"\x61f\x00"), "InvalidRequest"),
        (&request(4, b"\x61b\x62ff"), "InvalidRequest"),
        (&request(4, b"\x61o\xf9\0\0"), "InvalidRequest"),
        (&request(4, b"\x61o\x20"), "OffsetOutOfBounds"),
        (&request(4, b"\x61o\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), "OffsetOutOfBounds"),
        (&request(4, b"\x61o\x3b\xff\xff\xff\xff\xff\xff\xff\xff"), "OffsetOutOfBounds"),
        (&request(4, b"\x61s\x02"), "VersionMismatch"),
        (&request(4, b"\x61c\x01"), "InvalidRequest"),
    ] {
        assert_eq!(code(bytes), expected, "{bytes:02x?}");
    }
}

#[test]
fn deep_nesting_does_not_overflow_anything() {
    let deep = [&b"\xa1\x61x"[..], &[0x81; 100_000], b"\x00"].concat();
    assert_eq!(code(&deep), "InvalidRequest");
}

#[test]
fn a_refusal_has_short_and_long_keys() {
    let message = one("get", b"\xa3\x61f\x00\x61l\x01\x61c\x61t");
    let text = "The block size must be 256 to 131072 bytes.";
    let (code, m) = ("BlockSizeOutOfBounds", text);
    let mut expected = minicbor::Encoder::new(Vec::new());
    expected.begin_map().unwrap();
    for (key, value) in
        [("o", code), ("m", m), ("c", "t"), ("code", code), ("message", m), ("clientToken", "t")]
    {
        expected.str(key).unwrap().str(value).unwrap();
    }
    expected.end().unwrap();
    assert_eq!(message.payload, expected.into_writer());
}

#[test]
fn describe_answers_in_cbor() {
    let message = one("describe", b"\xa1\x61c\x61t");
    assert_eq!(message.topic, "$aws/things/a/streams/s/description/cbor");
    let body = b"\xbf\x61c\x61t\x61s\x01\x61d\x66a file\x61r\x9f\xbf\x61f\x00\x61z\x19\x27\x10\xff\xff\xff";
    assert_eq!(message.payload, body);
}
