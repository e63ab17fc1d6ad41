//! What the sample leaves out compiles as well, and says what the file says.

use coreota::boot::{Boot, BootState};
use coreota::descriptor::Algorithm;
use coreota::error::Failure;
use coreota::verify::Verified;
use coreota::{Accept, Pipeline, Region, Version};
use embedded_storage_async::nor_flash::NorFlash;

macro_rules! boards {
    ($($module:ident $name:literal,)*) => {$(
        mod $module {
            coreota::orchestrator!("tests/variety/ota.toml", board = $name);
        }
    )*};
}
boards! {
    moving "move",
    scratch "scratch",
    overwrite "overwrite",
    own "own",
}

/// The bootloader of `board.own`.
#[derive(Default)]
pub struct Ours;

impl Boot for Ours {
    async fn state<F: NorFlash>(&mut self, _: &mut F) -> Result<BootState, Failure> {
        Ok(BootState::Settled)
    }
    async fn stage<F: NorFlash>(&mut self, _: &mut F, _: Verified) -> Result<(), Failure> {
        Ok(())
    }
    async fn confirm<F: NorFlash>(&mut self, _: &mut F) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn literals_and_addresses_are_declared() {
    use moving::ota;
    assert_eq!(ota::VERSION, Version { build: 5, ..Version::new(2, 3, 4) });
    assert_eq!(ota::THING, Some("lamp-7"));
    assert_eq!(ota::FLASH_ADDRESS, 0x0800_0000);
    assert_eq!(ota::KEYS.map(|key| key.id), ["old", "new"]);
    assert_eq!(ota::Pipeline::WINDOW, 64);
    assert_eq!(ota::Pipeline::RETRY.jitter_percent, 0);
    assert_eq!(ota::Pipeline::POLICY.report_every, 16);
    let rules = ota::Pipeline::RULES;
    assert_eq!((rules.counter, rules.older_allowed, rules.board_required), (7, true, false));
    assert_eq!(rules.require, [Algorithm::EcdsaP256]);
}

#[test]
fn a_board_changes_what_it_repeats_and_nothing_else() {
    use own::ota;
    let (base, changed) = (moving::ota::Pipeline::POLICY, ota::Pipeline::POLICY);
    assert_eq!((base.accept, changed.accept), (Accept::Always, Accept::Ask));
    assert_eq!(base.report_every, changed.report_every);
    let older =
        [ota::Pipeline::RULES, moving::ota::Pipeline::RULES].map(|rules| rules.older_allowed);
    assert_eq!(older, [false, true]);
    assert_eq!((ota::BLOCK_SIZE, moving::ota::BLOCK_SIZE), (16 << 10, 4096));
    assert_eq!(ota::Pipeline::WINDOW, 64);
    assert_eq!(scratch::ota::THING, None);
    let Ours = ota::Pipeline::boot();
}

#[test]
fn every_bootloader_leaves_its_part_of_the_slot() {
    let at = |start: u32, len: u32| Region::new(start << 10, len << 10);
    let slots = [
        (moving::ota::Pipeline::LAYOUT, at(160, 128), 120),
        (scratch::ota::Pipeline::LAYOUT, at(128, 128), 112),
        (overwrite::ota::Pipeline::LAYOUT, at(128, 128), 124),
        (own::ota::Pipeline::LAYOUT, at(128, 64), 64),
    ];
    for (layout, slot, capacity) in slots {
        assert_eq!((layout.slot, layout.capacity), (slot, capacity << 10));
    }
}
