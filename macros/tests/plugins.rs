//! The plugins that a file declares are hosted where it says, within what it says.

use coreota::{
    Pipeline,
    error::Failure,
    parser::{Chain, Declined, Parse},
    plugin::{Content, Facts, Plug},
    transport::{BlockProtocol, Geometry},
    version::Version,
};
use coreota_plugins::{Hosted, PluginAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: PluginAlloc<System> = PluginAlloc(System);

mod all {
    coreota::orchestrator!("tests/plugins/ota.toml", board = "all");
}
mod compiled_in {
    coreota::orchestrator!("tests/plugins/ota.toml", board = "compiled-in");
}
mod none {
    coreota::orchestrator!("tests/plugins/ota.toml", board = "none");
}

const ACME: &[u8] = br#"{"acme": 2, "packages": [{"length": 1234, "channel": "fw-7"}]}"#;
const AWS: &[u8] = br#"{"afr_ota": {"protocols": ["MQTT"], "streamname": "s", "files":
    [{"filepath": "a", "filesize": 7, "fileid": 3, "certfile": "c", "sig-sha256-ecdsa": "MEUC"}]}}"#;

/// Who declined.
#[derive(Default)]
struct Who(Vec<(String, Failure)>);

impl Declined for Who {
    fn declined(&mut self, parser: &str, why: Failure) {
        self.0.push((parser.to_owned(), why));
    }
}

/// The size that a pipeline's parsers find, and who declined before.
fn size(parsers: &mut impl Chain, document: &[u8]) -> (Option<u32>, Vec<(String, Failure)>) {
    let mut who = Who::default();
    let size = match parsers.parse(document, 0, &mut who) {
        Parse::Descriptor(descriptor) => Some(descriptor.size),
        _ => None,
    };
    (size, who.0)
}

#[test]
fn a_plugin_that_is_compiled_in_reads_its_documents_and_leaves_the_rest() {
    let mut parsers = compiled_in::ota::Pipeline::parsers();
    assert_eq!(size(&mut parsers, ACME), (Some(1234), vec![]));
    let declined = vec![("acme-jobs".to_owned(), Failure::NoSuchKey)];
    assert_eq!(size(&mut parsers, AWS), (Some(7), declined));
}

#[test]
fn a_board_without_plugins_has_the_native_parsers_only() {
    let mut parsers: (coreota::parser::afr_ota::AfrOta,) = none::ota::Pipeline::parsers();
    assert_eq!(size(&mut parsers, ACME).0, None);
    assert_eq!(size(&mut parsers, AWS).0, Some(7));
}

#[test]
fn slots_that_take_plugins_come_first_and_say_what_the_file_says() {
    use all::ota::{PluginHome0, PluginHome1, PluginHome2};
    let homes = [PluginHome0::HOME, PluginHome1::HOME, PluginHome2::HOME];
    let [blocks, site, acme] = homes;
    assert_eq!(homes.map(|home| home.slot), [Some(0), Some(1), None]);
    assert_eq!(homes.map(|home| home.name), ["raw-blocks", "site-jobs", "acme-jobs"]);
    assert_eq!((acme.limits.fuel, acme.limits.table, acme.limits.values), (60_000, 8, 512));
    assert_eq!(acme.limits.module as usize, acme.module.expect("compiled in").len());
    assert_eq!((blocks.limits.module, blocks.limits.memory), (4096, 4096));
    assert_eq!((blocks.module, site.module), (None, None));
}

#[test]
fn what_comes_over_the_air_goes_to_the_parser_of_its_slot() {
    let module = compiled_in::ota::PluginHome0::HOME.module.expect("compiled in");
    let mut parsers = all::ota::Pipeline::parsers();
    let other = |size: (Option<u32>, Vec<(String, Failure)>)| {
        size.1.iter().any(|(name, why)| name == "site-jobs" && *why == Failure::NoPlugin)
    };
    assert!(other(size(&mut parsers, b"{}")), "its slot is empty");
    let facts = Facts {
        content: Content::Plugin,
        abi: 1,
        kind: 1,
        arena: 20_000,
        fuel: 50_000,
        memory: 4096,
        len: module.len() as u32,
        version: Version::new(1, 0, 0),
    };
    for step in [Plug::Begin(&facts), Plug::Bytes(module), Plug::Start] {
        assert_eq!(parsers.plug(1, step), Some(Ok(())));
    }
    assert!(!other(size(&mut parsers, b"{}")), "it is asked now");
    assert_eq!(parsers.plug(0, Plug::Stop), None, "the slot of the protocol is not a parser's");
}

#[test]
fn the_protocol_is_beside_the_native_one() {
    type Transport = <all::ota::Pipeline as Pipeline>::Transport;
    let mut transport = Transport::new("thing").expect("a name");
    let geometry = Geometry { size: 10, block: 1024, file: 0 };
    assert!(transport.choose(""));
    assert_eq!(transport.open("s", geometry), Ok(()));
    assert!(transport.choose("raw-blocks"));
    assert_eq!(transport.open("s", geometry), Err(Failure::NoPlugin));
    assert!(!transport.choose("carrier-pigeon"));
    assert_eq!(transport.plug(0, Plug::Stop), Some(Ok(())));
}
