//! `docs/plugin-abi.md` says what the crate does: every number, and every byte of its examples.

use coreota_plugin_abi::*;

const PAGE: &str = include_str!("../../../docs/plugin-abi.md");

/// The bytes of the example of that name.
fn example(name: &str) -> Vec<u8> {
    let fence = format!("```hex {name}\n");
    let (_, rest) = PAGE.split_once(&fence).unwrap_or_else(|| panic!("no example {name}"));
    let (text, _) = rest.split_once("```").expect("it ends");
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hexadecimal")).collect()
}

#[test]
fn every_number_stands_on_the_page() {
    let mut missing = String::new();
    let mut row = |name: &str, number: u32, words: &str| {
        let row = format!("| {number:#06x} | `{name}` | {} |\n", words.trim());
        if !PAGE.contains(&row) {
            missing += &row;
        }
    };
    macro_rules! all {
        ($($of:ident)*) => {
            $(for (name, one, words) in $of::ALL {
                row(name, u32::from(one.number()), words);
            })*
        };
    }
    all!(Kind Tag Coding Algorithm Content Event Ask Report Hear Failure);
    assert!(missing.is_empty(), "docs/plugin-abi.md lacks these rows:\n{missing}");
    for (name, number) in
        [("VERDICT_NOT_MINE", Answer::NOT_MINE), ("VERDICT_MALFORMED", Answer::MALFORMED)]
    {
        assert!(PAGE.contains(&format!("| {number:#06x} | `{name}` |")), "{name}");
    }
    assert!(PAGE.contains(&format!("| {:#06x} | `ESCAPED` |", Field::<()>::ESCAPED)));
    for kind in [Kind::Parser, Kind::Blocks, Kind::Jobs] {
        assert!(PAGE.contains(&format!("`{:#x}`", kind.word())), "{kind:?}");
    }
    let refusal = Answer::Malformed(Failure::BadJson).result();
    assert!(PAGE.contains(&format!("`{refusal}` or `{refusal:#x}`")));
}

#[test]
fn the_descriptor_of_the_example_is_what_it_says() {
    let document = br#"{"n":9,"s":"fw"}"#;
    assert!(PAGE.contains(std::str::from_utf8(document).expect("ASCII")));
    let mut memory = vec![0; 0x700];
    memory[0x400..0x400 + document.len()].copy_from_slice(document);
    let records = example("descriptor");
    memory[0x600..0x600 + records.len()].copy_from_slice(&records);
    let io = Io { input: 0x400, input_cap: 512, output: 0x600, output_cap: 11 };
    let Ok(Answer::Records(count)) = Answer::read(2) else { panic!("2 records") };
    let records = io.records(&memory, count).expect("in the memory");
    let said = Descriptor::read(records).expect("by the rules");
    let said = said.try_map(|span| span.of(&memory)).expect("in the memory");
    let expected =
        Descriptor { size: 9, stream: Some(Field::plain(&b"fw"[..])), ..Descriptor::default() };
    assert_eq!(said, expected);
}

#[test]
fn the_message_of_the_example_is_what_it_says() {
    let bytes = example("message");
    let input = Input { a: b"t/d", b: b"\x01\xaa\xbb\xcc\xdd", x: 0, y: 0b1111, z: 0 };
    assert_eq!(Input::read(&bytes), Some(input));
    let at = 0x400 + bytes.windows(4).position(|four| four == b"\xaa\xbb\xcc\xdd").expect("there");
    let record = Record::from_bytes(example("block").try_into().expect("one record"));
    let raw = Span { at: at as u32, len: 4 };
    assert_eq!(
        Action::read(record),
        Ok(Some(Action::Block { index: 1, bytes: Field::plain(raw) }))
    );
}

#[test]
fn the_facts_of_the_example_are_what_it_says() {
    let facts = Facts::from_bytes(example("facts").try_into().expect("sixteen bytes"));
    let expected = Facts { abi: 1, kind: 2, arena: 20 * 1024, fuel: 60_000, memory: 2_904 };
    assert_eq!(facts, expected);
}
