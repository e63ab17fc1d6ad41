//! The simulated MCUboot does to flash what MCUboot did to the archived images.
#![cfg(feature = "sim")]

mod golden;

use coreota::boot::mcuboot::Mode;
use coreota::sim::bootloader::{Booted, Bootloader, How, McubootModel};
use coreota::sim::nor::{Count, Fuse, NorError, SimNor, Tear};
use coreota::{layout::Region, sim::bootloader::BootError};
use golden::{ERASE, MODES, PRIMARY, SIZE, image, secondary, states};

/// The two images, found in the flash: each archive entry was signed anew.
struct Images {
    v1: Vec<u8>,
    v2: Vec<u8>,
}

fn model(mode: Mode) -> McubootModel {
    let scratch = Region::new(60 * ERASE as u32, ERASE as u32);
    McubootModel::new(PRIMARY, secondary(mode), mode).scratch(scratch).status_units(32)
}

fn flash<const W: usize>(bytes: &[u8]) -> SimNor<W, ERASE> {
    let mut nor = SimNor::new(SIZE);
    nor.place(0, bytes).unwrap();
    nor
}

fn boot<const W: usize>(mode: Mode, nor: &mut SimNor<W, ERASE>) -> Result<Booted, BootError> {
    model(mode).boot(nor, &mut |_| true)
}

fn images<const W: usize>(name: &str, mode: Mode) -> Images {
    let mut before = flash::<W>(image(name, W, "0-downloaded"));
    let mut after = flash::<W>(image(name, W, "2-after-boot-test"));
    let v1 = boot(mode, &mut before).unwrap().image;
    let v2 = if mode == Mode::OverwriteOnly {
        boot(mode, &mut after).unwrap().image
    } else {
        // Its trial must not end: look at what a swap made of the staged one.
        boot(mode, &mut flash::<W>(image(name, W, "1-staged-test"))).unwrap().image
    };
    Images { v1, v2 }
}

fn assert_same(ours: &[u8], theirs: &[u8], what: &str) {
    let differ = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
    if let Some(at) = differ {
        panic!("{what}: at {at:#x} ours is {:02x}, MCUboot's {:02x}", ours[at], theirs[at]);
    }
}

macro_rules! for_write_sizes {
    ($test:ident) => {{
        $test::<1>();
        $test::<2>();
        $test::<4>();
        $test::<8>();
        $test::<16>();
        $test::<32>();
    }};
}

#[test]
fn each_boot_ends_as_mcuboots() {
    fn check<const W: usize>() {
        for (name, mode) in MODES {
            let Images { v1, v2 } = images::<W>(name, mode);
            assert_ne!(v1, v2);
            let over = mode == Mode::OverwriteOnly;
            let trial = if over { How::Permanent } else { How::Trial };
            let mut table = vec![
                ("0-downloaded", "0-downloaded", How::Unchanged, &v1),
                ("1-staged-test", "2-after-boot-test", trial, &v2),
                ("1-staged-permanent", "2-after-boot-permanent", How::Permanent, &v2),
                ("2-after-boot-permanent", "2-after-boot-permanent", How::Unchanged, &v2),
                ("3-confirmed", "3-confirmed", How::Unchanged, &v2),
            ];
            if !over {
                table.push(("2-after-boot-test", "3-reverted", How::Reverted, &v1));
                table.push(("3-reverted", "3-reverted", How::Unchanged, &v1));
            }
            for (from, to, how, runs) in table {
                let mut nor = flash::<W>(image(name, W, from));
                let booted = boot(mode, &mut nor).unwrap();
                let what = format!("{name}-{W}: {from} -> {to}");
                assert_same(&nor.contents(), image(name, W, to), &what);
                assert_eq!(booted.how, how, "{what}");
                assert!(booted.image == *runs, "{what}: another image runs");
            }
        }
    }
    for_write_sizes!(check);
}

#[test]
fn a_swap_that_mcuboot_began_is_ended() {
    fn check<const W: usize>() {
        for (name, mode) in MODES {
            let cuts = states(name, W, "2-cut-at-op-");
            assert_eq!(cuts.len(), 4);
            for state in cuts {
                let mut nor = flash::<W>(image(name, W, state));
                boot(mode, &mut nor).unwrap();
                let end = image(name, W, "2-after-boot-test");
                assert_same(&nor.contents(), end, &format!("{name}-{W}-{state}"));
            }
        }
    }
    for_write_sizes!(check);
}

/// The same operations in the same order: a cut at MCUboot's operation k leaves the same flash.
/// (In the other two modes the model begins and ends a swap in an order of its own.)
#[test]
fn a_swap_cut_anywhere_looks_like_mcuboots() {
    fn check<const W: usize>() {
        for (name, mode) in [("offset", Mode::SwapOffset), ("move", Mode::SwapMove)] {
            for state in states(name, W, "2-cut-at-op-") {
                let operation: u64 = state.rsplit('-').next().unwrap().parse().unwrap();
                let mut nor = flash::<W>(image(name, W, "1-staged-test"));
                nor.arm(Some(Fuse {
                    after: operation - 1,
                    count: Count::Calls,
                    tear: Tear::Clean,
                }));
                assert_eq!(boot(mode, &mut nor), Err(BootError::Flash(NorError::PowerLost)));
                assert_same(&nor.contents(), image(name, W, state), &format!("{name}-{W}-{state}"));
            }
        }
    }
    for_write_sizes!(check);
}
