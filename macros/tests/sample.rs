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
        // From one erase unit into the secondary slot; the last unit is for MCUboot's trailer.
        slot: Region::new(260 << 10, 192 << 10),
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

/// Each size of write and of block: what the check asks of the journal is what the runtime takes.
#[test]
fn the_runtime_and_the_check_agree_on_the_journal() {
    let sample = include_str!("../../ota.toml");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for write in [1, 2, 4, 8, 16, 32] {
        for block in ["1 KiB", "4 KiB", "16 KiB"] {
            let text = sample
                .replace("write = 4 }", &format!("write = {write} }}"))
                .replace("block-size = \"4 KiB\"", &format!("block-size = \"{block}\""))
                .replace("ram = \"12 KiB\"", "ram = \"64 KiB\"")
                .replace("512 KiB + 8 KiB", "512 KiB + 64 KiB");
            let document = coreota_config::Document::new("ota.toml", &folder, text);
            let model =
                coreota_config::check(&document).unwrap_or_else(|report| panic!("{report}"));
            let layout = model.device("sim-mcuboot").unwrap().layout;
            assert_eq!(
                layout.journal_half,
                journal::half_len(write, layout.blocks),
                "{write}, {block}"
            );
        }
    }
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

/// What `cargo ota check` says of the RAM must cover the orchestrator as it is: buffer and state.
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
        assert!(estimated < needed + 1024, "{needed} bytes are needed, {estimated} estimated");
    }
}
