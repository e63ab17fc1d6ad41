//! What is read back from flash: provisioning records, and a table from the plugin store that reads a
//! document. Who seals them may be anyone; what comes out keeps the rules. An input is what is stored, behind
//! its length, u16 big-endian, and the document.
#![no_main]

use coreota::{
    parser::{
        Parse, Parser,
        table::{LEN_MAX, StoredTable},
    },
    plugin::{Content, Facts, Plug},
    provisioning::{self, Kind, Provisioning},
    version::Version,
};
use libfuzzer_sys::fuzz_target;

fn provisioned(bytes: &[u8]) {
    for whole in [Provisioning::open(bytes).ok(), sealed(bytes).as_deref().and_then(open)] {
        let Some(records) = whole else { continue };
        for kind in [Kind::Thing, Kind::Host, Kind::Port] {
            assert!(records.get(kind).is_none_or(|record| record.len() <= bytes.len()));
            let _ = (records.text(kind), records.number(kind));
        }
    }
}

fn open(bytes: &[u8]) -> Option<Provisioning<'_>> {
    Some(Provisioning::open(bytes).expect("it is sealed"))
}

/// The bytes as the body of one record, for the reader behind the seal.
fn sealed(bytes: &[u8]) -> Option<Vec<u8>> {
    provisioning::to_bytes(&[(Kind::Thing, bytes)])
}

fn taught(table: &[u8], document: &[u8]) {
    let facts = Facts {
        content: Content::Table,
        abi: 0,
        kind: 0,
        arena: 0,
        fuel: 0,
        memory: 0,
        len: table.len() as u32,
        version: Version::new(1, 0, 0),
    };
    let mut stored = StoredTable::new(0, "fuzz");
    let mut plug = |step| stored.plug(0, step).expect("its slot");
    let taken = [Plug::Begin(&facts), Plug::Bytes(table), Plug::Start].map(&mut plug);
    let runs = taken.iter().all(Result::is_ok);
    assert!(!runs || table.len() <= LEN_MAX);
    match stored.parse(document, 0) {
        Parse::Descriptor(found) => {
            assert!(runs && found.size > 0);
            assert!(found.stream.is_some() || found.url.is_some());
        }
        Parse::NotMine(_) | Parse::Malformed(_) => {}
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((len, rest)) = input.split_first_chunk() else { return };
    let len = usize::from(u16::from_be_bytes(*len)).min(rest.len());
    let (bytes, document) = rest.split_at(len);
    provisioned(bytes);
    taught(bytes, document);
});
