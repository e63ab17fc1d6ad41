//! Fields: escapes, base64 and hexadecimal undone, into buffers that may be too small.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use coreota::{
    error::Failure,
    field::{Coding, Field},
    sim::random::Random,
};

fn decode(raw: &[u8], coding: Coding, escaped: bool) -> Result<Vec<u8>, Failure> {
    let mut into = [0; 512];
    Field { raw, coding, escaped }.decode(&mut into).map(<[u8]>::to_vec)
}

#[test]
fn escapes_become_utf8() {
    for (raw, text) in [
        (r"https:\/\/x?a=1\u0026b=2", "https://x?a=1&b=2"),
        (r#"\"\\\b\f\n\r\t"#, "\"\\\u{8}\u{c}\n\r\t"),
        (r"\u0000a\u0000", "\0a\0"),
        (r"\u00e9\u20AC\ud83d\ude00!", "é€😀!"),
        ("é😀", "é😀"),
        ("", ""),
    ] {
        assert_eq!(decode(raw.as_bytes(), Coding::Plain, true), Ok(text.into()), "{raw}");
        // The same as everybody reads it.
        let theirs: String = serde_json::from_str(&format!("\"{raw}\"")).expect("JSON");
        assert_eq!(theirs, text);
    }
    for raw in [
        r"\ud83d",
        r"\ud83dx",
        r"\ud83d\u0041",
        r"\ude00",
        r"\ud83d\ud83d",
        r"\u12",
        r"\x",
        r"\",
        r"\u+123",
    ] {
        assert_eq!(decode(raw.as_bytes(), Coding::Plain, true), Err(Failure::BadText), "{raw}");
    }
    // Where nothing is escaped, a backslash is one.
    assert_eq!(decode(br"a\nb", Coding::Plain, false), Ok(br"a\nb".into()));
}

#[test]
fn hexadecimal_of_either_case() {
    assert_eq!(decode(b"00fFAb", Coding::Hex, false), Ok(vec![0, 0xff, 0xab]));
    assert_eq!(decode(br"0\u0030", Coding::Hex, true), Ok(vec![0]));
    for raw in ["0", "0g", "0x00", " 00", "00 ", "é0"] {
        assert_eq!(decode(raw.as_bytes(), Coding::Hex, false), Err(Failure::BadEncoding), "{raw}");
    }
}

#[test]
fn base64_is_what_a_strict_reader_says() {
    let config = GeneralPurposeConfig::new();
    let padded = GeneralPurpose::new(&alphabet::STANDARD, config);
    let bare = config.with_decode_padding_mode(DecodePaddingMode::RequireNone);
    let bare = GeneralPurpose::new(&alphabet::STANDARD, bare);
    let mut random = Random::new(4);
    let (mut good, mut bad) = (0, 0);
    for round in 0..30_000 {
        let bytes: Vec<u8> = (0..random.below(100)).map(|_| random.byte()).collect();
        let mut text = padded.encode(&bytes).into_bytes();
        if random.percent(50) {
            text.retain(|byte| *byte != b'=');
        }
        if random.percent(60) && !text.is_empty() {
            let at = random.below(text.len() as u64) as usize;
            match random.below(4) {
                // Every byte at some time.
                0 => text[at] = round as u8,
                1 => _ = text.remove(at),
                2 => text.insert(at, b"=A-_ \n"[random.below(6) as usize]),
                _ => text.truncate(at),
            }
        }
        let theirs = padded.decode(&text).or_else(|_| bare.decode(&text)).ok();
        let ours = decode(&text, Coding::Base64, false);
        assert_eq!(ours.clone().ok(), theirs, "{}", String::from_utf8_lossy(&text));
        // Escapes change the spelling, not the meaning.
        let escaped = String::from_utf8_lossy(&text).replace('/', r"\/").replace('Q', r"\u0051");
        let undone = decode(escaped.as_bytes(), Coding::Base64, true);
        assert_eq!(undone.ok(), theirs, "{escaped}");
        match ours {
            Ok(_) => good += 1,
            Err(why) => {
                assert_eq!(why, Failure::BadEncoding);
                bad += 1;
            }
        }
    }
    assert!(good > 5_000 && bad > 5_000, "{good} {bad}");
}

#[test]
fn a_buffer_too_small_is_an_error_and_never_overrun() {
    for (raw, coding, escaped, len) in [
        ("abcd", Coding::Plain, false, 4),
        (r"\u20ac", Coding::Plain, true, 3),
        ("00112233", Coding::Hex, false, 4),
        ("AAECAwQF", Coding::Base64, false, 6),
        ("AAECAwQ=", Coding::Base64, false, 5),
        (r"AAEC\u0041wQ", Coding::Base64, true, 5),
    ] {
        let field = Field { raw: raw.as_bytes(), coding, escaped };
        for room in 0..8 {
            let mut into = vec![0; room];
            let decoded = field.decode(&mut into).map(<[u8]>::len);
            let expected = if room < len { Err(Failure::BadText) } else { Ok(len) };
            assert_eq!(decoded, expected, "{raw} {room}");
        }
        assert_eq!(field.decoded_len(), (!escaped).then_some(len), "{raw}");
    }
}
