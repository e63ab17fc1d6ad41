//! File streams in JSON, and the rules both codings share.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::*;

fn get(world: &mut World, request: Value) -> Vec<Short> {
    plain(world.provider.on_message(
        "$aws/things/a/streams/s/get/json",
        request.to_string().as_bytes(),
        0,
    ))
}

fn plain(messages: Vec<Outgoing>) -> Vec<Short> {
    messages
        .into_iter()
        .map(|message| {
            assert!(!message.acknowledged, "stream messages are QoS 0");
            let topic = message.topic.strip_prefix("$aws/things/a/streams/").expect("a stream");
            (topic.to_owned(), serde_json::from_slice(&message.payload).expect("JSON"))
        })
        .collect()
}

fn blocks(world: &mut World, request: Value) -> Vec<u64> {
    let messages = get(world, request);
    messages
        .iter()
        .map(|(topic, body)| {
            assert_eq!(topic, "s/data/json", "{body}");
            body["i"].as_u64().expect("a block id")
        })
        .collect()
}

fn code(request: Value) -> String {
    let messages = get(&mut World::with_stream(), request.clone());
    let [(topic, body)] = &messages[..] else { panic!("{request}: {messages:?}") };
    assert_eq!(topic, "s/rejected/json", "{request}");
    assert_eq!((&body["code"], &body["message"]), (&body["o"], &body["m"]));
    body["o"].as_str().expect("a code").to_owned()
}

#[test]
fn a_block_is_base64_and_echoes_the_token() {
    let request = json!({ "c": "t", "s": 1, "f": 0, "l": 1024, "o": 9, "n": 1 });
    let messages = get(&mut World::with_stream(), request);
    let p = BASE64_STANDARD.encode(&file()[9 * 1024..]);
    let data = json!({ "c": "t", "f": 0, "l": 784, "i": 9, "p": p });
    assert_eq!(messages, [("s/data/json".to_owned(), data)]);
}

#[test]
fn count_and_bitmap_choose_the_blocks() {
    let world = &mut World::with_stream();
    let ask = |more: Value| {
        let mut request = json!({ "f": 0, "l": 256 });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    assert_eq!(blocks(world, ask(json!({ "n": 3 }))), [0, 1, 2]);
    assert_eq!(blocks(world, ask(json!({ "o": 5, "n": 2 }))), [5, 6]);
    assert_eq!(blocks(world, ask(json!({ "o": 1, "b": "130080" }))), [1, 2, 5, 24]);
    assert_eq!(blocks(world, ask(json!({ "o": 1, "b": "0x130080" }))), [1, 2, 5, 24]);
    assert_eq!(blocks(world, ask(json!({ "b": "FF", "n": 3 }))), [0, 1, 2]);
    assert_eq!(blocks(world, ask(json!({ "b": "03", "n": 9 }))), [0, 1]);
    assert_eq!(blocks(world, ask(json!({ "b": "03", "n": 0 }))), [0, 1]);
    assert_eq!(blocks(world, ask(json!({ "o": 39, "n": 1 }))), [39], "the last block");
    assert_eq!(blocks(world, ask(json!({ "n": 1, "o": null, "b": null, "x": [] }))), [0]);
}

#[test]
fn one_request_yields_at_most_128_kib() {
    // 24 MB in memory would be slow here; the cap is on what is asked, the file check comes after.
    let mut world = World::with_stream();
    let images = InMemory([("image".to_owned(), vec![7; 300_000])].into());
    world.provider.images = Box::new(images);
    if let Some(stream) = world.provider.state.streams.get_mut("s") {
        stream.files.get_mut(&0).expect("file 0").size = 300_000;
    }
    for (l, most) in [(256, 512), (1000, 131), (4096, 32), (65_536, 2)] {
        let all = blocks(&mut world, json!({ "f": 0, "l": l, "n": 98_304 }));
        assert_eq!(all, (0..most).collect::<Vec<u64>>(), "l = {l}");
    }
    // One JSON block of 98,304 bytes is 131,072 digits and no longer a message.
    let (topic, body) = get(&mut world, json!({ "f": 0, "l": 98_304, "n": 1 })).remove(0);
    assert_eq!((&*topic, &body["o"]), ("s/rejected/json", &json!("BlockSizeOutOfBounds")));
    assert_eq!(blocks(&mut world, json!({ "f": 0, "l": 98_000, "n": 1 })), [0]);
}

#[test]
fn bounds_have_their_codes() {
    for (request, expected) in [
        (json!({ "f": 0, "l": 255, "n": 1 }), "BlockSizeOutOfBounds"),
        (json!({ "f": 0, "l": 131_073, "n": 1 }), "BlockSizeOutOfBounds"),
        (json!({ "f": 0, "l": -1, "n": 1 }), "BlockSizeOutOfBounds"),
        (json!({ "f": 0, "l": 256, "n": 1, "o": 98_305 }), "OffsetOutOfBounds"),
        (json!({ "f": 0, "l": 256, "n": 1, "o": -1 }), "OffsetOutOfBounds"),
        (json!({ "f": 0, "l": 256, "n": 98_305 }), "BlockCountLimitExceeded"),
        (json!({ "f": 0, "l": 256, "b": "01".repeat(12_288) }), "BlockBitmapLimitExceeded"),
        (json!({ "f": 0, "l": 1024, "o": 10, "n": 1 }), "InvalidRequest"),
        (json!({ "f": 0, "l": 1024, "o": 9, "n": 2 }), "InvalidRequest"),
        (json!({ "f": 0, "l": 1024, "o": 9, "b": "03" }), "InvalidRequest"),
        (json!({ "f": 0, "l": 1024 }), "InvalidRequest"),
        (json!({ "f": 0, "l": 1024, "n": 0 }), "InvalidRequest"),
        (json!({ "f": 0, "l": 1024, "b": "00" }), "InvalidRequest"),
        (json!({ "f": 0, "l": 1024, "b": "" }), "InvalidRequest"),
        (json!({ "f": 0, "l": 1024, "b": "123" }), "InvalidRequest"),
        (json!({ "f": 0, "l": 1024, "b": "zz" }), "InvalidRequest"),
        (json!({ "f": 0, "n": 1 }), "InvalidRequest"),
        (json!({ "l": 1024, "n": 1 }), "InvalidRequest"),
        (json!({ "f": 256, "l": 1024, "n": 1 }), "InvalidRequest"),
        (json!({ "f": "0", "l": 1024, "n": 1 }), "InvalidRequest"),
        (json!({ "f": 0, "l": 1024.5, "n": 1 }), "InvalidRequest"),
        (json!({ "c": "t".repeat(65), "f": 0, "l": 1024, "n": 1 }), "InvalidRequest"),
        (json!({ "f": 1, "l": 1024, "n": 1 }), "ResourceNotFound"),
        (json!({ "s": 2, "f": 0, "l": 1024, "n": 1 }), "VersionMismatch"),
        (json!([]), "InvalidRequest"),
    ] {
        assert_eq!(code(request.clone()), expected, "{request}");
    }
}

#[test]
fn the_limits_themselves_are_inside() {
    let world = &mut World::with_stream();
    let bitmap = format!("01{}", "00".repeat(12_286));
    assert_eq!(blocks(world, json!({ "f": 0, "l": 256, "b": bitmap, "n": 98_304 })), [0]);
    assert_eq!(blocks(world, json!({ "f": 0, "l": 256, "n": 1, "c": "t".repeat(64) })), [0]);
    // In range, so it is the file that has no such block.
    assert_eq!(code(json!({ "f": 0, "l": 256, "o": 98_304, "n": 1 })), "InvalidRequest");
}

#[test]
fn a_bad_token_is_not_echoed_and_a_good_one_is() {
    let world = &mut World::with_stream();
    let (_, body) = get(world, json!({ "c": "t", "f": 0, "l": 1 })).remove(0);
    assert_eq!((&body["c"], &body["clientToken"]), (&json!("t"), &json!("t")));
    let (_, body) = get(world, json!({ "c": 7, "f": 0, "l": 256, "n": 1 })).remove(0);
    assert_eq!((body.get("c"), &body["o"]), (None, &json!("InvalidRequest")));
}

#[test]
fn describe_tells_version_description_and_files() {
    let mut world = World::with_stream();
    let topic = "$aws/things/a/streams/s/describe/json";
    let reply = plain(world.provider.on_message(topic, br#"{"c":"t"}"#, 0));
    let body = json!({ "c": "t", "s": 1, "d": "a file", "r": [{ "f": 0, "z": 10_000 }] });
    assert_eq!(reply, [("s/description/json".to_owned(), body)]);
}

#[test]
fn no_such_stream_and_no_json_are_refused() {
    let mut world = World::with_stream();
    for (topic, payload, expected) in [
        ("$aws/things/a/streams/x/get/json", r#"{"f":0,"l":256,"n":1}"#, "ResourceNotFound"),
        ("$aws/things/a/streams/x/describe/json", "{}", "ResourceNotFound"),
        ("$aws/things/a/streams/s/get/json", "{", "InvalidJson"),
        ("$aws/things/a/streams/s/describe/json", "", "InvalidJson"),
    ] {
        let (topic, body) =
            plain(world.provider.on_message(topic, payload.as_bytes(), 0)).remove(0);
        assert!(topic.ends_with("/rejected/json"));
        assert_eq!(body["o"], expected);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_internal_error() {
    let mut world = World::with_stream();
    world.provider.images = Box::new(InMemory(BTreeMap::new()));
    let (_, body) = get(&mut world, json!({ "f": 0, "l": 256, "n": 1 })).remove(0);
    assert_eq!(body["o"], "InternalError");
}
