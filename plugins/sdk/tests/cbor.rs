//! The small CBOR reader against `minicbor`: it takes every item there is, and what it reads is right.

use coreota_plugin::{Cbor, Failure, Writer};
use minicbor::{Encoder, data::Tag};

type Writes = fn(&mut Encoder<Vec<u8>>);

/// Writers of items in which everything occurs that CBOR has.
const ITEMS: [Writes; 14] = [
    |cbor| _ = cbor.u8(0),
    |cbor| _ = cbor.u64(u64::MAX),
    |cbor| _ = cbor.i64(i64::MIN),
    |cbor| _ = cbor.bool(true),
    |cbor| _ = cbor.null(),
    |cbor| _ = cbor.f32(1.5),
    |cbor| _ = cbor.f64(-1.5e300),
    |cbor| _ = cbor.str("text"),
    |cbor| _ = cbor.bytes(&[0xff; 300]),
    |cbor| _ = cbor.array(2).and_then(|cbor| cbor.u8(1)?.begin_array()?.u8(2)?.end()),
    |cbor| _ = cbor.map(1).and_then(|cbor| cbor.str("k")?.begin_map()?.u8(1)?.null()?.end()),
    |cbor| _ = cbor.tag(Tag::new(55_799)).and_then(|cbor| cbor.str("tagged")),
    |cbor| _ = cbor.begin_str().and_then(|cbor| cbor.str("in ")?.str("pieces")?.end()),
    |cbor| _ = cbor.begin_bytes().and_then(|cbor| cbor.bytes(&[1])?.end()),
];

#[test]
fn every_item_is_stepped_over_whole() {
    for (index, item) in ITEMS.iter().enumerate() {
        let mut encoder = Encoder::new(Vec::new());
        encoder.map(2).and_then(|cbor| cbor.str("x")).expect("a vector");
        item(&mut encoder);
        encoder.str("n").and_then(|cbor| cbor.u32(70_000)).expect("a vector");
        let message = encoder.into_writer();
        let mut cbor = Cbor::new(&message);
        let mut left = cbor.map();
        assert_eq!(cbor.key(&mut left), Some(&b"x"[..]));
        cbor.skip();
        assert_eq!(cbor.key(&mut left), Some(&b"n"[..]), "item {index}");
        assert_eq!(cbor.number(), 70_000);
        assert_eq!(cbor.key(&mut left), None);
        assert_eq!(cbor.end(), Ok(()));
        // Every cut of it ends, and not well.
        for cut in 0..message.len() {
            let mut cbor = Cbor::new(&message[..cut]);
            let mut left = cbor.map();
            let mut keys = 0;
            while cbor.key(&mut left).is_some() {
                keys += 1;
                cbor.skip();
            }
            assert!(keys <= 2);
            assert!(cbor.end().is_err(), "item {index} cut at {cut}");
        }
    }
}

#[test]
fn numbers_are_written_as_minicbor_writes_them() {
    for number in [0, 1, 23, 24, 255, 256, 65_535, 65_536, u32::MAX] {
        let mut room = [0; 8];
        let mut writer = Writer::new(&mut room);
        writer.cbor_number(number);
        let written = writer.finish().expect("fits").to_vec();
        assert_eq!(minicbor::to_vec(number).expect("a vector"), written);
        let mut cbor = Cbor::new(&written);
        assert_eq!((cbor.small(), cbor.end()), (number, Ok(())));
    }
}

#[test]
fn the_first_thing_wrong_is_what_is_told() {
    for (message, why) in [
        (&b""[..], Failure::BadCbor),
        (b"\xa1", Failure::BadCbor),
        (b"\x80", Failure::WrongType),
        (b"\xa1\x01\x02", Failure::WrongType),
        (b"\xa1\x61x\x1c", Failure::BadCbor),
        (b"\xbf\x61x\xff", Failure::BadCbor),
        (b"\xa1\x61x\x9b\xff\xff\xff\xff\xff\xff\xff\xff", Failure::BadCbor),
        (b"\xa1\x61x\x81\x81\x81\x81\x81\x81\x81\x81\x81\x80", Failure::TooDeep),
        (b"\xa0\x00", Failure::BadCbor),
    ] {
        let mut cbor = Cbor::new(message);
        let mut left = cbor.map();
        while cbor.key(&mut left).is_some() {
            cbor.skip();
        }
        assert_eq!(cbor.end(), Err(why), "{message:02x?}");
    }
}
