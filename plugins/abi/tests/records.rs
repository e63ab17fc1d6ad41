//! What one side writes the other reads, and what breaks the rules is told.

use coreota_plugin_abi::*;

fn memory() -> Vec<u8> {
    let mut memory = vec![0; 512];
    for (at, word) in [(16, 64u32), (20, 200), (24, 320), (28, 12)] {
        memory[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
    memory
}

#[test]
fn the_word_names_kind_and_version() {
    for (_, kind, _) in Kind::ALL {
        assert_eq!(Kind::from_word(kind.word()), Ok(*kind));
    }
    assert_eq!(Kind::Parser.word(), 0x4f54_0101);
    for wrong in [0, -1, 0x4f54_0102, 0x4f54_0401, 0x4f55_0101, 0x4f54_0001] {
        assert_eq!(Kind::from_word(wrong), Err(Fault::Abi), "{wrong:#x}");
    }
}

#[test]
fn every_answer_can_be_told_from_every_other() {
    let mut seen = std::collections::HashSet::new();
    let refusals = Failure::ALL
        .iter()
        .flat_map(|(_, why, _)| [Answer::NotMine(*why), Answer::Malformed(*why)]);
    for answer in refusals.chain((0..=RECORDS_MAX).map(Answer::Records)) {
        assert_eq!(Answer::read(answer.result()), Ok(answer));
        assert!(seen.insert(answer.result()));
    }
    for wrong in [-1, -2, i32::MIN, -(1 << 16), -(3 << 16 | 0x0101), -(1 << 16 | 0x0301)] {
        assert_eq!(Answer::read(wrong), Err(Fault::Result), "{wrong}");
    }
}

#[test]
fn an_io_block_outside_the_memory_is_refused() {
    let memory = memory();
    let io = Io::read(&memory, 16).expect("inside");
    assert_eq!(io, Io { input: 64, input_cap: 200, output: 320, output_cap: 12 });
    for at in [-1, 17, 497, 512, i32::MAX, i32::MIN] {
        assert_eq!(Io::read(&memory, at), Err(Fault::Io), "{at}");
    }
    for (at, word) in
        [(16, 313u32), (16, u32::MAX), (20, 449), (24, 322), (24, 324), (28, 13), (28, u32::MAX)]
    {
        let mut memory = memory.clone();
        memory[at..at + 4].copy_from_slice(&word.to_le_bytes());
        assert_eq!(Io::read(&memory, 16), Err(Fault::Io), "{at} {word}");
    }
    assert!(io.records(&memory, 12).is_ok());
    assert_eq!(io.records(&memory, 13).map(Iterator::count), Err(Fault::Count));
}

#[test]
fn a_descriptor_comes_back_as_it_was() {
    let field = |at, len, coding, escaped| Some(Field { raw: Span { at, len }, coding, escaped });
    let whole = Descriptor {
        size: 647_324,
        file: 255,
        files: 3,
        content: Content::Plugin,
        stream: field(64, 10, Coding::Plain, false),
        url: field(80, 5, Coding::Plain, true),
        sha256: field(90, 64, Coding::Hex, false),
        signature: field(0, 96, Coding::Base64, true).map(|field| (Algorithm::Ed25519, field)),
        version: field(1, 2, Coding::Plain, false),
        board: field(3, 4, Coding::Plain, false),
        protocol: field(5, 6, Coding::Plain, false),
    };
    let least = Descriptor { size: 1, stream: whole.stream, ..Descriptor::default() };
    let fetched = Descriptor { size: 1, url: whole.url, ..Descriptor::default() };
    for descriptor in [whole, least, fetched] {
        let mut records = Vec::new();
        descriptor.records(|span| span, &mut |record| records.push(record));
        assert!(records.len() <= Descriptor::<Span>::RECORDS);
        // Through memory, with a record of a newer version between.
        records.insert(1, Record { tag: 0x3f, x: 9, a: 1, b: 2, c: 3 });
        let records = records.into_iter().map(|record| Record::from_bytes(record.to_bytes()));
        assert_eq!(Descriptor::read(records), Ok(descriptor));
    }
}

#[test]
fn a_descriptor_against_the_rules_is_refused() {
    let size = Tag::Size.number_record(9);
    let refused = |records: &[Record]| Descriptor::read(records.iter().copied()).err();
    let url = Tag::Url.span_record(Span { at: 1, len: 1 });
    assert_eq!(refused(&[size, url]), None);
    for missing in [&[][..], &[size], &[url]] {
        assert_eq!(refused(missing), Some(Fault::Missing));
    }
    assert_eq!(refused(&[size, size]), Some(Fault::Twice));
    assert_eq!(refused(&[Tag::Size.number_record(0)]), Some(Fault::Number));
    assert_eq!(refused(&[Record { b: 1, ..size }]), Some(Fault::Number));
    for (tag, number) in [(Tag::File, 256), (Tag::Files, 0), (Tag::Files, 256), (Tag::Content, 3)] {
        assert_eq!(refused(&[size, tag.number_record(number)]), Some(Fault::Number), "{tag:?}");
    }
    assert_eq!(refused(&[size, Record { x: 3, ..url }]), Some(Fault::Number));
    assert_eq!(refused(&[size, Record { x: 0x200, ..url }]), Some(Fault::Number));
    let signature = Record { tag: Tag::Signature.number(), ..url };
    assert_eq!(refused(&[size, Record { c: 3, ..signature }]), Some(Fault::Number));
    assert_eq!(refused(&[size, Record { c: 257, ..signature }]), Some(Fault::Number));
}

#[test]
fn spans_outside_the_memory_are_refused() {
    let memory = [0; 8];
    for (at, len, inside) in [
        (0, 8, true),
        (8, 0, true),
        (9, 0, false),
        (4, 5, false),
        (u32::MAX, 2, false),
        (2, u32::MAX, false),
    ] {
        assert_eq!(Span { at, len }.of(&memory).is_ok(), inside, "{at} {len}");
    }
    let input = Span { at: 100, len: 50 };
    assert_eq!(Span { at: 110, len: 40 }.within(input), Some(10));
    for (at, len) in [(99, 1), (110, 41), (150, 1), (u32::MAX, 1), (110, u32::MAX)] {
        assert_eq!(Span { at, len }.within(input), None, "{at} {len}");
    }
}

#[test]
fn input_comes_back_as_it_was() {
    let input = Input { a: b"topic", b: b"payload", x: 1, y: u32::MAX, z: 3 };
    let mut buffer = [0xaa; 64];
    let len = input.write(&mut buffer).expect("room") as usize;
    assert_eq!(len, INPUT_HEADER + 12);
    assert_eq!(Input::read(&buffer[..len]), Some(input));
    for short in 0..len {
        assert_eq!(Input::read(&buffer[..short]), None);
        assert_eq!(input.write(&mut vec![0; short]), None);
    }
    assert_eq!(Input::read(&buffer[..len + 1]), None);
}

#[test]
fn actions_come_back_as_they_were() {
    let span = |at, len| Span { at, len };
    let field = Field { raw: span(7, 8), coding: Coding::Base64, escaped: true };
    let actions = [
        Action::Subscribe(span(1, 2)),
        Action::Publish { topic: span(3, 65_535), payload: span(5, 6) },
        Action::Block { index: u32::MAX, bytes: field },
        Action::GiveUp(Failure::StreamMissing),
        Action::Hear(Hear::Offer, None),
        Action::Hear(Hear::Refused, Some(Failure::ProviderRefused)),
        Action::Job(span(9, 1)),
        Action::Document(span(9, 2)),
    ];
    for action in actions {
        let record = action.record().expect("can be said");
        assert_eq!(Action::read(Record::from_bytes(record.to_bytes())), Ok(Some(action)));
    }
    assert_eq!(Action::Publish { topic: span(3, 65_536), payload: span(5, 6) }.record(), None);
    let unknown = Record { tag: 0x7fff, ..Record::default() };
    assert_eq!(Action::read(unknown), Ok(None));
    for wrong in [
        Tag::GiveUp.number_record(0x0301),
        Tag::GiveUp.number_record(0x1_0209),
        Record { x: 10, ..Tag::Hear.number_record(0) },
        Record { x: 7, ..Tag::Hear.number_record(0) },
        Record { x: 5, ..Tag::Block.number_record(0) },
    ] {
        assert_eq!(Action::read(wrong), Err(Fault::Number), "{wrong:?}");
    }
}

#[test]
fn facts_come_back_as_they_were() {
    let facts = Facts { abi: 1, kind: 2, arena: 20_480, fuel: 60_000, memory: 2_900 };
    assert_eq!(Facts::from_bytes(facts.to_bytes()), facts);
    assert_eq!(facts.known_kind(), Some(Kind::Blocks));
    assert_eq!(Facts { abi: 2, ..facts }.known_kind(), None);
    assert_eq!(Facts { kind: 258, ..facts }.known_kind(), None);
}
