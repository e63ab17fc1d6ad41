//! The protocol `raw-blocks`.

use super::*;

fn get(file: u32, block: u32, first: u32, wanted: u64) -> Vec<u8> {
    let numbers = [file, block, first].map(u32::to_le_bytes);
    [numbers.as_flattened(), &wanted.to_le_bytes()].concat()
}

fn ask(topic: &str, payload: &[u8]) -> Vec<Outgoing> {
    World::with_stream().provider.on_message(topic, payload, 0)
}

fn refused(payload: &[u8]) -> u32 {
    let answers = ask("raw-blocks/a/s/get", payload);
    let [answer] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!(answer.topic, "raw-blocks/a/s/refused");
    u32::from_le_bytes(answer.payload.as_slice().try_into().expect("a number"))
}

#[test]
fn a_message_a_block_behind_three_numbers() {
    let answers = ask("raw-blocks/a/s/get", &get(0, 1024, 1, 0b1_0000_0001));
    let file = file();
    let expected = [(1u32, &file[1024..2048]), (9, &file[9216..])];
    assert_eq!(answers.len(), expected.len());
    for (answer, (index, bytes)) in answers.iter().zip(expected) {
        assert_eq!(answer.topic, "raw-blocks/a/s/data");
        assert!(!answer.acknowledged);
        let numbers = [0, 1024, index].map(u32::to_le_bytes);
        assert_eq!(answer.payload, [numbers.as_flattened(), bytes].concat());
    }
}

#[test]
fn a_request_yields_128_kib_at_most() {
    let whole = [0u8; 300_000];
    let mut world = World::with_stream();
    let images = InMemory([("image".to_owned(), whole.to_vec())].into());
    let mut state = world.provider.state.clone();
    for file in state.streams.values_mut().flat_map(|stream| stream.files.values_mut()) {
        file.size = whole.len() as u64;
    }
    world.provider = Provider::new(state, Box::new(images));
    let sent = world.provider.on_message("raw-blocks/a/s/get", &get(0, 4096, 0, u64::MAX), 0);
    assert_eq!(sent.len(), 32);
}

#[test]
fn what_makes_no_sense_and_what_is_not_there_is_refused() {
    let whole = get(0, 1024, 0, 1);
    for payload in [
        &b""[..],
        &whole[..19],
        &[&whole[..], b"\0"].concat(),
        &get(0, 0, 0, 1),
        &get(0, 63, 0, 1),
        &get(0, 131_073, 0, 1),
        &get(0, 1024, 0, 0),
        &get(0, 1024, 10, 1),
        &get(0, 1024, u32::MAX, u64::MAX),
    ] {
        assert_eq!(refused(payload), 0x0204, "{payload:02x?}");
    }
    assert_eq!(refused(&get(1, 1024, 0, 1)), 0x0205);
    assert_eq!(refused(&get(256, 1024, 0, 1)), 0x0205);
    let elsewhere = ask("raw-blocks/a/other/get", &whole);
    assert_eq!(elsewhere[0].payload, 0x0205u32.to_le_bytes());
}

#[test]
fn answers_and_strangers_are_not_requests() {
    for topic in
        ["raw-blocks/a/s/data", "raw-blocks/a/get", "raw-blocks/a/b/s/get", "raw-blocks/a b/s/get"]
    {
        assert_eq!(ask(topic, &get(0, 1024, 0, 1)), [], "{topic}");
    }
}
