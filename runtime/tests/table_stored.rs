//! Tables that come over the air: they read documents as the compiled ones do, and whatever bytes
//! come instead of one are refused or harmless.

use coreota::{
    Version,
    descriptor::Algorithm,
    error::Failure,
    field::{Coding, Field},
    image::{self, Unbuildable},
    parser::{
        Parse, Parser,
        table::{Coded, LEN_MAX, Signed, StoredTable, Table, TableSpec},
    },
    plugin::{Content, Facts, Plug},
    sim::random::Random,
};

static ACME: TableSpec = TableSpec {
    name: "acme",
    size: "/pkg/bytes",
    file: Some("/pkg/id"),
    stream: Some("/pkg/channel"),
    url: Some("/pkg/mirrors/1/url"),
    sha256: Some(Coded { path: "/pkg/sum", coding: Coding::Hex }),
    signature: Some(Signed {
        path: "/proof/0",
        coding: Coding::Base64,
        algorithm: Algorithm::Ed25519,
    }),
    version: Some("/v"),
    board: Some("/a~1b~0c"),
    protocol: Some("/pkg/by"),
};

const DOCUMENT: &str = r#"{"v":"1.4.0","a/b~c":"small","proof":["AAAA","BBBB"],"pkg":{"sum":"00ff","mirrors":[{"url":"no"},{"url":"https:\/\/x"}],"bytes":647324,"channel":"S","id":7,"by":"raw-blocks"}}"#;

const SLOT: u8 = 3;

fn facts(len: usize) -> Facts {
    Facts {
        content: Content::Table,
        abi: 0,
        kind: 0,
        arena: 0,
        fuel: 0,
        memory: 0,
        len: len as u32,
        version: Version::new(1, 0, 0),
    }
}

fn plug(table: &mut StoredTable, step: Plug<'_>) -> Result<(), Failure> {
    table.plug(SLOT, step).expect("its slot")
}

/// Fills the slot, some bytes at a time.
fn fill(table: &mut StoredTable, bytes: &[u8], at_once: usize) -> Result<(), Failure> {
    plug(table, Plug::Begin(&facts(bytes.len())))?;
    for bytes in bytes.chunks(at_once) {
        plug(table, Plug::Bytes(bytes))?;
    }
    plug(table, Plug::Start)
}

fn stored(bytes: &[u8]) -> Result<StoredTable, Failure> {
    let mut table = StoredTable::new(SLOT, "acme");
    fill(&mut table, bytes, 7).map(|()| table)
}

#[test]
fn bytes_as_drawn() {
    let spec = TableSpec {
        size: "/n",
        url: Some("/u/0"),
        sha256: Some(Coded { path: "/d", coding: Coding::Hex }),
        signature: Some(Signed {
            path: "/s",
            coding: Coding::Base64,
            algorithm: Algorithm::EcdsaP256,
        }),
        protocol: Some("/p"),
        ..TableSpec::EMPTY
    };
    let drawn =
        b"COT\x01\x01\0\0\x02/n\x04\0\0\x04/u/0\x05\x02\0\x02/d\x06\x01\x01\x02/s\x09\0\0\x02/p";
    assert_eq!(image::table(&spec).as_deref(), Ok(&drawn[..]));
    let mut table = stored(drawn).expect("a table");
    let document = br#"{"n":5,"u":["x"],"d":"00","s":"AA==","p":"http"}"#;
    let Parse::Descriptor(found) = table.parse(document, 0) else { panic!("a descriptor") };
    assert_eq!((found.size, found.url), (5, Some(Field::plain(b"x"))));
    assert_eq!(found.sha256, Some(Field { coding: Coding::Hex, ..Field::plain(b"00") }));
    let signature = Field { coding: Coding::Base64, ..Field::plain(b"AA==") };
    assert_eq!(found.signature, Some((Algorithm::EcdsaP256, signature)));
    assert_eq!((found.protocol, found.stream), (Some(Field::plain(b"http")), None));
}

#[test]
fn nothing_is_its_own_until_it_is_filled() {
    let not_loaded = Parse::NotMine(Failure::NoPlugin);
    let bytes = image::table(&ACME).expect("a table");
    let mut table = StoredTable::new(SLOT, "acme");
    let reads = |table: &mut StoredTable, yes| {
        let parse = table.parse(DOCUMENT.as_bytes(), 0);
        assert_eq!(matches!(parse, Parse::Descriptor(_)), yes, "{parse:?}");
        assert!(yes || parse == not_loaded, "{parse:?}");
    };
    assert_eq!(table.name(), "acme");
    assert_eq!(table.plug(SLOT + 1, Plug::Stop), None);
    reads(&mut table, false);
    for early in [Plug::Bytes(&bytes), Plug::Start] {
        assert_eq!(plug(&mut table, early), Err(Failure::NoPlugin));
    }
    assert_eq!(plug(&mut table, Plug::Begin(&facts(bytes.len()))), Ok(()));
    assert_eq!(plug(&mut table, Plug::Bytes(&bytes)), Ok(()));
    reads(&mut table, false);
    assert_eq!(plug(&mut table, Plug::Start), Ok(()));
    reads(&mut table, true);
    reads(&mut table, true);
    assert_eq!(table.plug(SLOT + 1, Plug::Stop), None);
    reads(&mut table, true);
    // It stops when another is coming, whatever becomes of that one.
    let wrong = Facts { content: Content::Plugin, ..facts(bytes.len()) };
    assert_eq!(plug(&mut table, Plug::Begin(&wrong)), Err(Failure::PluginKind));
    reads(&mut table, false);
    for at_once in [1, 4, 100, LEN_MAX] {
        assert_eq!(fill(&mut table, &bytes, at_once), Ok(()));
        reads(&mut table, true);
    }
    assert_eq!(plug(&mut table, Plug::Stop), Ok(()));
    reads(&mut table, false);
}

#[test]
fn lengths_are_kept_to() {
    let bytes = image::table(&ACME).expect("a table");
    let mut table = StoredTable::new(SLOT, "acme");
    for len in [LEN_MAX + 1, u32::MAX as usize] {
        assert_eq!(plug(&mut table, Plug::Begin(&facts(len))), Err(Failure::PluginTooLarge));
        assert_eq!(plug(&mut table, Plug::Bytes(&[0])), Err(Failure::NoPlugin));
    }
    for (said, why) in [
        (bytes.len() - 1, Err(Failure::PluginTooLarge)),
        (bytes.len(), Ok(())),
        (bytes.len() + 1, Err(Failure::PluginMalformed)),
    ] {
        plug(&mut table, Plug::Begin(&facts(said))).expect("not too long");
        let taken = plug(&mut table, Plug::Bytes(&bytes));
        let done = taken.and_then(|()| plug(&mut table, Plug::Start));
        assert_eq!(done, why, "{said} bytes announced");
        let reads = matches!(table.parse(DOCUMENT.as_bytes(), 0), Parse::Descriptor(_));
        assert_eq!(reads, why.is_ok());
    }
}

#[test]
fn what_is_no_table() {
    let good = b"COT\x01\x01\0\0\x02/n\x03\0\0\x02/s";
    assert!(stored(good).is_ok());
    let malformed: &[&[u8]] = &[
        b"",
        b"COT",
        b"COX\x01\x01\0\0\x02/n\x03\0\0\x02/s",
        b"COT\x01",
        b"COT\x01\x01\0\0\x02/n",
        b"COT\x01\x03\0\0\x02/s",
        b"COT\x01\x01\0\0\x02/n\x07\0\0\x02/s",
        b"COT\x01\x03\0\0\x02/s\x01\0\0\x02/n",
        b"COT\x01\x01\0\0\x02/n\x01\0\0\x02/n\x03\0\0\x02/s",
        b"COT\x01\0\0\0\x02/n\x01\0\0\x02/n\x03\0\0\x02/s",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x02/s\x0a\0\0\x02/x",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x03/s",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x01/s",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x02/s\x04\0\0",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x00",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x01s",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x02/\xff",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x03/~2",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x02/~",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x12/a/a/a/a/a/a/a/a/a",
        b"COT\x01\x01\x01\0\x02/n\x03\0\0\x02/s",
        b"COT\x01\x01\0\x01\x02/n\x03\0\0\x02/s",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x02/s\x05\x03\0\x02/d",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x02/s\x05\0\x01\x02/d",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x02/s\x06\0\0\x02/d",
        b"COT\x01\x01\0\0\x02/n\x03\0\0\x02/s\x06\0\x03\x02/d",
    ];
    for bytes in malformed {
        assert_eq!(stored(bytes).err(), Some(Failure::PluginMalformed), "{}", bytes.escape_ascii());
    }
    let later = b"COT\x02\x01\0\0\x02/n\x03\0\0\x02/s";
    assert_eq!(stored(later).err(), Some(Failure::PluginAbi));
}

#[test]
fn what_cannot_be_written() {
    let long = "/".to_owned() + &"x".repeat(100);
    let longer = "/".to_owned() + &"x".repeat(255);
    let spec = TableSpec { size: "/n", stream: Some("/s"), ..TableSpec::EMPTY };
    let fits = TableSpec { file: Some(&long), url: Some(&long), version: Some(&long), ..spec };
    assert!(image::table(&fits).is_ok());
    for wrong in [
        TableSpec::EMPTY,
        TableSpec { size: "n", ..spec },
        TableSpec { stream: None, ..spec },
        TableSpec { board: Some("/~"), ..spec },
        TableSpec { board: Some("/1/2/3/4/5/6/7/8/9"), ..spec },
        TableSpec { board: Some(&longer), ..spec },
        TableSpec { board: Some(&long), protocol: Some(&long), ..fits },
    ] {
        assert_eq!(image::table(&wrong), Err(Unbuildable::Table), "{wrong:?}");
    }
}

/// Any table, with pointers into documents like ours and elsewhere.
fn any_table(random: &mut Random) -> TableSpec<'static> {
    const PATHS: [&str; 12] = [
        "/pkg/bytes",
        "/pkg/id",
        "/pkg/channel",
        "/pkg/mirrors/1/url",
        "/pkg/sum",
        "/proof/0",
        "/v",
        "/a~1b~0c",
        "/pkg/by",
        "/pkg",
        "/",
        "/x/y",
    ];
    let mut path = |usual: usize| {
        let at = if random.percent(80) { usual } else { random.below(12) as usize };
        (!random.percent(20)).then(|| PATHS[at])
    };
    let stream = path(2);
    let mut spec = TableSpec {
        name: "acme",
        size: path(0).unwrap_or("/pkg/bytes"),
        file: path(1),
        stream,
        url: path(3).or(if stream.is_none() { Some("/u") } else { None }),
        sha256: path(4).map(|path| Coded { path, coding: Coding::Hex }),
        signature: path(5).map(|path| Signed {
            path,
            coding: Coding::Plain,
            algorithm: Algorithm::EcdsaP256,
        }),
        version: path(6),
        board: path(7),
        protocol: path(8),
    };
    if let Some(signature) = &mut spec.signature
        && random.percent(50)
    {
        (signature.coding, signature.algorithm) = (Coding::Base64, Algorithm::Ed25519);
    }
    spec
}

/// What is stored reads any document as what is compiled in.
#[test]
fn stored_and_compiled_read_alike() {
    let mut random = Random::new(21);
    let mut taken = 0;
    for _ in 0..2_000 {
        let spec: &'static TableSpec<'static> = Box::leak(Box::new(any_table(&mut random)));
        let bytes = image::table(spec).expect("a table");
        let mut stored = stored(&bytes).expect("what was written");
        let mut compiled = Table::new(spec);
        let mut document = DOCUMENT.as_bytes().to_vec();
        if random.percent(50) {
            let at = random.below(document.len() as u64) as usize;
            document[at] = random.byte();
        }
        for index in 0..2 {
            let read = stored.parse(&document, index);
            assert_eq!(read, compiled.parse(&document, index), "{spec:?}");
            taken += u32::from(matches!(read, Parse::Descriptor(_)));
        }
    }
    assert!((200..1_800).contains(&taken), "{taken}");
}

/// Whatever comes is refused, or reads documents within the rules.
fn survives(bytes: &[u8]) -> bool {
    let Ok(mut table) = stored(bytes) else { return false };
    match table.parse(DOCUMENT.as_bytes(), 0) {
        Parse::Descriptor(found) => {
            assert!(found.size > 0 && (found.stream.is_some() || found.url.is_some()));
        }
        Parse::NotMine(why) | Parse::Malformed(why) => assert_ne!(why, Failure::NoPlugin),
    }
    true
}

#[test]
fn every_truncation_and_every_flipped_bit() {
    let bytes = image::table(&ACME).expect("a table");
    let mut taken = 0;
    for len in 0..bytes.len() {
        let cut = &bytes[..len];
        taken += u32::from(survives(cut));
        // The signed facts say how long it is.
        let mut table = StoredTable::new(SLOT, "acme");
        plug(&mut table, Plug::Begin(&facts(bytes.len()))).unwrap();
        plug(&mut table, Plug::Bytes(cut)).unwrap();
        assert_eq!(plug(&mut table, Plug::Start), Err(Failure::PluginMalformed), "{len}");
    }
    assert_eq!(taken, 6, "ends between two fields, from the stream on");
    let mut flipped = 0;
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        flipped += u32::from(survives(&bytes));
    }
    assert!((100..bytes.len() as u32 * 8).contains(&flipped), "{flipped}: letters of pointers");
}

#[test]
fn bytes_of_chance() {
    let good = image::table(&ACME).expect("a table");
    let mut random = Random::new(22);
    let mut taken = 0;
    for round in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(4) {
                0 => bytes.truncate(at + 1),
                1 => bytes.insert(at, random.byte()),
                2 if bytes.len() < 400 => bytes.extend_from_within(at..),
                _ => bytes[at] = random.byte(),
            }
        }
        if round % 4 == 0 {
            bytes.truncate(4);
            bytes.extend((0..random.below(600)).map(|_| random.byte() & 0x3f));
        }
        taken += u32::from(survives(&bytes));
    }
    assert!((100..10_000).contains(&taken), "{taken}");
}
