//! What clients of these protocols got wrong before, one test each; never here.

mod messages;
mod world;

use coreota::{
    Version,
    error::Failure,
    job::{JobProtocol, aws_iot::AwsIotJobs},
    parser::{
        Parse, Parser,
        afr_ota::{AfrOta, Sha1},
    },
    transport::{
        Arrival, BlockProtocol, Wanted,
        mqtt_stream::{Cbor, Json, MqttStream},
    },
};
use messages::{ALL, GEOMETRY, Is, Speaks, block, hear, open, with};
use world::{Embassy, World, firmware};

type Board = Embassy<4, 1024, 8, true>;
type OnEmbassy = World<Board, 4, 1024>;

const V1: Version = Version::new(1, 0, 0);
const V2: Version = Version::new(1, 1, 0);

#[test]
fn names_are_measured_before_they_are_copied() {
    for len in [44, 46, 128] {
        let name = "s".repeat(len);
        let document = format!(
            r#"{{"afr_ota":{{"streamname":"{name}","files":[{{"filesize":1,"fileid":0}}]}}}}"#
        );
        let mut parser = AfrOta::new(Sha1::Refuse);
        let Parse::Descriptor(found) = parser.parse(document.as_bytes(), 0) else {
            panic!("{len}");
        };
        let mut room = [0; 128];
        let place = found.stream.expect("a stream").decode(&mut room).expect("fits");
        assert_eq!(place, name.as_bytes());
        let mut stream = MqttStream::<Cbor>::new("T").expect("a name");
        assert_eq!(stream.open(&name, GEOMETRY), Ok(()));
    }
    let long = "n".repeat(129);
    let mut stream = MqttStream::<Cbor>::new("T").expect("a name");
    assert_eq!(stream.open(&long, GEOMETRY), Err(Failure::BadText));
    assert_eq!(MqttStream::<Cbor>::new(&long).err(), Some(Failure::BadText));
    let mut jobs = AwsIotJobs::new("T").expect("a name");
    assert_eq!(jobs.adopt(&long), Err(Failure::BadText));
    assert_eq!(AwsIotJobs::new(&long).err(), Some(Failure::BadText));
}

#[test]
fn what_does_not_add_up_is_refused_with_a_reason() {
    let document = |size: &str, more: &str| {
        format!(
            r#"{{"afr_ota":{{"streamname":"S","files":[{{"filesize":{size},"fileid":0}}]}}}}{more}"#
        )
    };
    for (document, why) in [
        (document("0", ""), Failure::SizeZero),
        (document("4294967296", ""), Failure::BadNumber),
        (document("4294967297", ""), Failure::BadNumber),
        (document("-5", ""), Failure::BadNumber),
        (document("5,\"filesize\":5", ""), Failure::DuplicateKey),
        (document("5", "x"), Failure::BadJson),
        (document("5", "{}"), Failure::BadJson),
    ] {
        let mut parser = AfrOta::new(Sha1::Refuse);
        let verdict = parser.parse(document.as_bytes(), 0);
        assert_eq!(verdict, Parse::Malformed(why), "{document}");
    }

    fn blocks<E: Speaks>() {
        let mut stream = open::<E>();
        let good = block(&mut stream);
        let change = |key, is| E::write(&with(&good, key, is));
        let twice = |key| {
            let mut members = good.clone();
            let member = members.iter().find(|(name, _)| *name == key).expect("a member").clone();
            members.push(member);
            E::write(&members)
        };
        let mut cases = vec![
            (change("i", Is::Number(0x1_0000_0001)), Failure::BadNumber),
            (change("i", Is::Number(u64::MAX.into())), Failure::BadNumber),
            (change("i", Is::Number(-1)), Failure::BadNumber),
            (change("f", Is::Number(256 + 3)), Failure::BadBlock),
            (change("f", Is::Number(-3)), Failure::BadNumber),
            (change("l", Is::Number(511)), Failure::BadBlock),
            (change("l", Is::Number(513)), Failure::BadBlock),
            (change("l", Is::Number(0x1_0000_0000 + 512)), Failure::BadBlock),
            (change("p", Is::Bytes(vec![7; 511])), Failure::BadBlock),
            (change("p", Is::Bytes(vec![7; 513])), Failure::BadBlock),
            (change("p", Is::Bytes(vec![])), Failure::BadBlock),
            (change("p", Is::Null), Failure::WrongType),
            (change("p", Is::Number(7)), Failure::WrongType),
            (change("i", Is::Null), Failure::WrongType),
        ];
        cases.extend(["c", "f", "i", "l", "p"].map(|key| (twice(key), Failure::DuplicateKey)));
        let whole = E::write(&good);
        let malformed = if E::NAME == "json" { Failure::BadJson } else { Failure::BadCbor };
        cases.push(([whole.as_slice(), b"\0"].concat(), malformed));
        cases.extend((1..whole.len()).map(|len| (whole[..len].to_vec(), malformed)));
        for (payload, why) in cases {
            let heard = hear(&mut stream, "data", &payload, ALL);
            assert_eq!(heard, (Arrival::Ignored(why), false), "{payload:?}");
        }
        // So many complaints leave no trace.
        let taken = (Arrival::Block { index: 1, len: 512 }, true);
        assert_eq!(hear(&mut stream, "data", &whole, ALL), taken);
    }
    blocks::<Cbor>();
    blocks::<Json>();
}

#[test]
fn blocks_nobody_asked_for_are_never_written_nor_counted() {
    fn blocks<E: Speaks>() {
        let mut stream = open::<E>();
        let good = block(&mut stream);
        let ignored = (Arrival::Ignored(Failure::BadBlock), false);
        for index in [3, 4, 1 << 20, u32::MAX.into()] {
            let outside = E::write(&with(&good, "i", Is::Number(index)));
            assert_eq!(hear(&mut stream, "data", &outside, ALL), ignored, "{index}");
        }
        let whole = E::write(&good);
        // Had already, or not asked for yet.
        for wanted in
            [Wanted { first: 0, bits: 0b101 }, Wanted { first: 2, bits: 1 }, Wanted::default()]
        {
            assert_eq!(hear(&mut stream, "data", &whole, wanted), ignored, "{wanted:?}");
        }
        let file = E::write(&with(&good, "f", Is::Number(4)));
        assert_eq!(hear(&mut stream, "data", &file, ALL), ignored);
        let download = E::write(&with(&good, "c", Is::Text("00000000".into())));
        assert_eq!(hear(&mut stream, "data", &download, ALL), ignored);
        let mut bare = good.clone();
        bare.retain(|(key, _)| *key != "c");
        assert_eq!(hear(&mut stream, "data", &E::write(&bare), ALL), ignored);
        stream.open("S2", GEOMETRY).expect("a stream");
        assert_eq!(hear(&mut stream, "data", &whole, ALL), ignored);
    }
    blocks::<Cbor>();
    blocks::<Json>();
}

#[test]
fn lost_blocks_hang_nothing_and_refusals_are_heard() {
    let mut world = OnEmbassy::new(vec![firmware::<Board>(V1, 3000, true)]);
    let v2 = firmware::<Board>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().offer("job-2", &v2.file);
    // Every block, once.
    world.provider().lose = (0..v2.file.len().div_ceil(world::BLOCK) as u32).collect();
    assert_eq!(world.live().version, V2);
    assert!(world.provider().lose.is_empty());
    // Each was asked for again.
    for block in 0..v2.file.len().div_ceil(world::BLOCK) as u32 {
        let asked = world.provider().asked.iter().filter(|(_, blocks)| blocks.contains(&block));
        assert!(asked.count() >= 2, "{block}");
    }

    let mut stream = open::<Cbor>();
    let refusal = Cbor::write(&vec![("o", Is::Text("ResourceNotFound".into()))]);
    let refused = (Arrival::Refused(Failure::StreamMissing), false);
    assert_eq!(hear(&mut stream, "rejected", &refusal, ALL), refused);
}

#[test]
fn success_is_reported_by_the_new_image_and_failure_is_reported_at_all() {
    let mut world = OnEmbassy::new(vec![firmware::<Board>(V1, 3000, true)]);
    let v2 = firmware::<Board>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().offer("good", &v2.file);
    let runs = world.boot().expect("an image");
    world.run(&runs);
    // The old image has run to the reset: progress was told, success was not.
    let job = world.provider().find("good").clone();
    assert_eq!(job.status, "IN_PROGRESS");
    assert!(job.told.iter().any(|(_, details)| details["receive"].is_string()), "{:?}", job.told);
    assert_eq!(world.live().version, V2);
    assert!(world.provider().find("good").last().starts_with("SUCCEEDED"));

    let broken = firmware::<Board>(Version::new(1, 2, 0), 5000, false);
    world.images.push(broken.clone());
    world.provider().offer("broken", &broken.file);
    assert_eq!(world.live().version, V2);
    assert!(world.provider().find("broken").last().starts_with("FAILED"));
}
