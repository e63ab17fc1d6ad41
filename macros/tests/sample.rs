//! The worked sample as code: what it declares is what the file says, and the runtime agrees.

use coreota::{Accept, Layout, Pipeline, Region, journal};
use std::mem::size_of;

mod sim_mcuboot {
    coreota::orchestrator!("../ota.toml", board = "sim-mcuboot");
}

mod sim_embassy {
    coreota::orchestrator!("../ota.toml", board = "sim-embassy");
}

use sim_embassy::ota as embassy;
use sim_mcuboot::ota as mcuboot;

#[test]
fn it_declares_what_the_file_says() {
    assert_eq!(mcuboot::PRODUCT, "thermostat");
    assert_eq!(mcuboot::BOARD, "sim-mcuboot");
    assert_eq!(Ok(mcuboot::VERSION), coreota::Version::parse(env!("CARGO_PKG_VERSION")));
    assert_eq!(mcuboot::THING, None);
    assert_eq!(mcuboot::FLASH_SIZE, 1 << 20);
    assert_eq!((mcuboot::BLOCK_SIZE, embassy::BLOCK_SIZE), (4096, 1024));
    let layout = Layout {
        base: Region::new(0, 192 << 10),
        // One erase unit into the secondary slot, and one less than the primary, for the trailer.
        slot: Region::new(260 << 10, 188 << 10),
        capacity: 188 << 10,
        journal: Region::new(512 << 10, 8 << 10),
        write: 4,
        erase: 4096,
        rewrite: true,
    };
    assert_eq!(mcuboot::Pipeline::LAYOUT, layout);
    assert_eq!(mcuboot::Pipeline::POLICY.accept, Accept::Ask);
    assert_eq!(mcuboot::Pipeline::POLICY.poll_ms, 6 * 60 * 60 * 1000);
    assert_eq!(mcuboot::Pipeline::POLICY.report_every, 4);
    assert_eq!(mcuboot::Pipeline::RETRY.jitter_percent, 25);
    assert_eq!(mcuboot::Pipeline::RULES.keys[0].id, "demo");
    assert_eq!(mcuboot::Pipeline::RULES.board, "sim-mcuboot");
    assert_eq!(embassy::STATE, Region::new(512 << 10, 4 << 10));
    assert_eq!((embassy::Pipeline::LAYOUT.write, embassy::Pipeline::LAYOUT.rewrite), (8, false));
}

#[test]
fn the_runtime_finds_the_journal_large_enough() {
    fn fits(layout: Layout, blocks: u32) -> bool {
        2 * journal::half_len(layout.write, blocks) <= layout.journal.len
    }
    assert!(fits(mcuboot::Pipeline::LAYOUT, mcuboot::BLOCKS));
    assert!(fits(embassy::Pipeline::LAYOUT, embassy::BLOCKS));
}

/// rustc notes what a crate was built from; cargo builds again when one of these changes.
#[test]
fn an_edit_builds_again() {
    let notes = std::env::current_exe().unwrap().with_extension("d");
    let notes = std::fs::read_to_string(&notes).unwrap();
    for source in ["/../ota.toml", "/../examples/keys/demo.pub.pem", "env-dep:COREOTA_BOARD"] {
        assert!(notes.contains(source), "{source} is not in:\n{notes}");
    }
}

/// What `cargo ota check` says of the RAM must cover the orchestrator as it is: block, transmit and state.
#[test]
fn the_estimate_of_ram_covers_the_orchestrator() {
    fn estimated(board: &str) -> usize {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../ota.toml");
        let document = coreota_config::load(&file, "ota.toml").unwrap();
        let memory = coreota_config::check(&document).unwrap().device(board).unwrap().memory;
        (memory.total() - memory.receive) as usize
    }
    let pairs = [
        (size_of::<mcuboot::Orchestrator<(), (), (), ()>>(), estimated("sim-mcuboot")),
        (size_of::<embassy::Orchestrator<(), (), (), ()>>(), estimated("sim-embassy")),
    ];
    for (needed, estimated) in pairs {
        assert!(needed <= estimated, "{needed} bytes are needed, {estimated} estimated");
        assert!(estimated < needed + 512, "{needed} bytes are needed, {estimated} estimated");
    }
}
