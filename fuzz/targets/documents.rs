//! Job documents through both parsers: whatever is taken for a descriptor keeps the rules of one.
#![no_main]

use coreota::{
    descriptor::{Algorithm, Descriptor},
    field::Coding,
    parser::{
        Parse, Parser,
        afr_ota::{AfrOta, Sha1},
        table::{Coded, Signed, Table, TableSpec},
    },
};
use libfuzzer_sys::fuzz_target;

static SPEC: TableSpec = TableSpec {
    name: "fuzz",
    size: "/pkg/bytes",
    file: Some("/pkg/ids/0"),
    stream: Some("/pkg/channel"),
    url: Some("/mirrors/1/url"),
    sha256: Some(Coded { path: "/pkg/sum", coding: Coding::Hex }),
    signature: Some(Signed {
        path: "/pkg/sig",
        coding: Coding::Base64,
        algorithm: Algorithm::Ed25519,
    }),
    version: Some("/a~1b~0c"),
    board: Some("/pkg/board"),
    protocol: Some("/pkg/by"),
};

fn check(found: Descriptor<'_>) {
    assert!(found.size > 0 && found.files > 0);
    assert!(found.stream.is_some() || found.url.is_some());
    let signature = found.signature.map(|(_, field)| field);
    for field in [found.stream, found.url, found.sha256, signature, found.version, found.board] {
        let _ = field.map(|field| field.decode(&mut [0; 128]).map(<[u8]>::len));
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (index, document) = input;
    if let Parse::Descriptor(found) = AfrOta::new(Sha1::Refuse).parse(document, index) {
        assert!(index < found.files);
        check(found);
    }
    if let Parse::Descriptor(found) = Table::new(&SPEC).parse(document, 0) {
        check(found);
    }
});
