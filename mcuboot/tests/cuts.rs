//! The power goes twice: at an operation of a boot, and again at an operation of the boot after it.
//! Whatever is left, the next boots start an authentic image, and come to rest.

#[path = "../../runtime/tests/boot_cuts/world.rs"]
#[allow(dead_code)]
mod world;

use coreota::boot::Boot;
use coreota::boot::mcuboot::{Mcuboot, Mode};
use coreota::layout::Region;
use coreota::sim::nor::{Count, Rewrite, SimNor, Tear};
use coreota::sim::run;
use coreota::verify::Verified;
use coreota_mcuboot::{How, Loader, sim::Simulated};
use world::{CUT, boot, boots, each_cut, flash, image};

const MODES: [Mode; 4] = [Mode::SwapOffset, Mode::SwapMove, Mode::SwapScratch, Mode::OverwriteOnly];
const STATUS_UNITS: u32 = 4;

/// Cuts of a swap and of the way back, and of each boot that follows one of the first cuts; of the
/// second cuts only each `nth`. Gives how many cuts there were.
fn twice<const W: usize, const E: usize>(mode: Mode, nth: u64) -> u64 {
    // The magic, five fields, three status words for each unit.
    let units = 5 + (6 * W.max(16) + 3 * STATUS_UNITS as usize * W).div_ceil(E);
    let len = (units * E) as u32;
    let (primary, secondary) = (Region::new(0, len), Region::new(len, len));
    let (v1, v2) = (image(2 * E + E / 2, 0x11), image(2 * E + E / 4, 0x22));
    let at = secondary.offset + mode.image_offset(E as u32);
    let mut staged = flash::<W, E>(
        (2 * units + 1) * E,
        &[(0, v1.as_slice()), (at, v2.as_slice())],
        Rewrite::Free,
    );
    let request = Verified::simulated(v2.len() as u32);
    run(Mcuboot::new(primary, secondary, mode).stage(&mut staged, request)).unwrap();
    let scratch = Region::new(2 * len, E as u32);
    let loader = Loader::new(primary, secondary, mode).scratch(scratch);
    let loader = Simulated(loader.status_units(STATUS_UNITS));
    let mut trial = staged.clone();
    boots(&loader, &mut trial);

    let once = |what: &str, nor: &mut SimNor<W, E>| match boot(&loader, nor) {
        Err(other) if other != CUT => panic!("{what}: {other:?}"),
        result => result,
    };
    let rests = |what: &str, nor: &mut SimNor<W, E>| {
        for _ in 0..3 {
            let booted = boot(&loader, nor).unwrap_or_else(|why| panic!("{what}: {why:?}"));
            assert!(booted.image == v1 || booted.image == v2, "{what}");
            if booted.how == How::Unchanged {
                return;
            }
        }
        panic!("{what}: it never comes to rest");
    };
    let mut second_cuts = 0;
    let mut first_cuts = 0;
    let back = (mode != Mode::OverwriteOnly).then_some((&trial, "back"));
    for (start, name) in [(&staged, "swap")].into_iter().chain(back) {
        let what = format!("{mode:?} W{W} E{E} {name}");
        first_cuts += each_cut(
            start,
            Count::Calls,
            |nor| once(&what, nor),
            |nor, first, tear| {
                let what = format!("{what}, operation {first}, {tear:?}");
                rests(&what, &mut nor.clone());
                // What a weak bit is read as in between, nothing in flash can tell.
                if tear == Tear::Weak || !first.is_multiple_of(nth) {
                    return;
                }
                second_cuts += each_cut(
                    nor,
                    Count::Calls,
                    |nor| once(&what, nor),
                    |nor, second, tear| {
                        if tear != Tear::Weak {
                            rests(&format!("{what}; then {second}, {tear:?}"), nor);
                        }
                    },
                );
            },
        );
    }
    first_cuts + second_cuts
}

#[test]
fn two_cuts_leave_an_authentic_image() {
    let cuts: u64 =
        MODES.map(|mode| twice::<1, 1024>(mode, 5) + twice::<8, 512>(mode, 7)).iter().sum();
    println!("{cuts} cuts");
    assert!(cuts > 5000);
}

/// Every pair: `cargo test --release -p coreota-mcuboot --test cuts -- --ignored --nocapture`.
#[test]
#[ignore = "minutes"]
fn every_pair_of_cuts_leaves_an_authentic_image() {
    let each = MODES.map(|mode| {
        twice::<1, 1024>(mode, 1)
            + twice::<4, 4096>(mode, 1)
            + twice::<8, 512>(mode, 1)
            + twice::<32, 128>(mode, 1)
    });
    println!("{} cuts", each.iter().sum::<u64>());
}
