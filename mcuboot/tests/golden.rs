//! The loader does to flash what MCUboot did to the archived images, byte for byte, with the key
//! that signed them.

#[path = "../../runtime/tests/golden/mod.rs"]
mod golden;

use base64::Engine as _;
use coreota::boot::mcuboot::Mode;
use coreota::descriptor::Algorithm;
use coreota::error::Failure;
use coreota::layout::Region;
use coreota::sim::nor::{Count, Fuse, SimNor, Tear};
use coreota::verify::{EcdsaP256, Key, Native, Rules, formats};
use coreota::version::Version;
use coreota_mcuboot::{Booted, How, Loader, Stopped};
use golden::{ERASE, MODES, PRIMARY, SIZE, image, secondary, states};
use std::sync::LazyLock;

const V1: Version = Version::new(1, 0, 0);
const V2: Version = Version { major: 2, minor: 3, revision: 4, build: 5 };

fn loader(mode: Mode) -> Loader {
    let scratch = Region::new(60 * ERASE as u32, ERASE as u32);
    Loader::new(PRIMARY, secondary(mode), mode).scratch(scratch).status_units(32)
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let pem = include_str!("../../runtime/tests/data/mcuboot-golden-key.pub.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64).expect("a PEM file");
    let point = der[der.len() - 65..].to_vec().leak();
    let key = Key { id: "golden", algorithm: Algorithm::EcdsaP256, bytes: point };
    Rules {
        require: &[Algorithm::EcdsaP256],
        keys: vec![key].leak(),
        board: "",
        board_required: false,
        running: Version::new(0, 0, 0),
        older_allowed: true,
        counter: 0,
    }
});

fn flash<const W: usize>(bytes: &[u8]) -> SimNor<W, ERASE> {
    let mut nor = SimNor::new(SIZE);
    nor.place(0, bytes).unwrap();
    nor
}

fn boot<const W: usize>(mode: Mode, nor: &mut SimNor<W, ERASE>) -> Result<Booted, Stopped> {
    boot_by(&RULES, mode, nor)
}

fn boot_by<const W: usize>(
    rules: &Rules,
    mode: Mode,
    nor: &mut SimNor<W, ERASE>,
) -> Result<Booted, Stopped> {
    let mut verifier = Native::<formats::Mcuboot, (EcdsaP256,)>::new();
    loader(mode).boot(nor, &mut verifier, rules, &mut [0; 1024])
}

fn assert_same(ours: &[u8], theirs: &[u8], what: &str) {
    let differ = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
    if let Some(at) = differ {
        panic!("{what}: at {at:#x} ours is {:02x}, MCUboot's {:02x}", ours[at], theirs[at]);
    }
    assert_eq!(ours.len(), theirs.len(), "{what}");
}

macro_rules! for_write_sizes {
    ($test:ident) => {
        [$test::<1>(), $test::<2>(), $test::<4>(), $test::<8>(), $test::<16>(), $test::<32>()]
    };
}

#[test]
fn each_boot_ends_as_mcuboots() {
    fn check<const W: usize>() -> usize {
        let mut pairs = 0;
        for (name, mode) in MODES {
            let over = mode == Mode::OverwriteOnly;
            let trial = if over { How::Permanent } else { How::Trial };
            let mut table = vec![
                ("0-downloaded", "0-downloaded", How::Unchanged, V1),
                ("1-staged-test", "2-after-boot-test", trial, V2),
                ("1-staged-permanent", "2-after-boot-permanent", How::Permanent, V2),
                ("2-after-boot-permanent", "2-after-boot-permanent", How::Unchanged, V2),
                ("3-confirmed", "3-confirmed", How::Unchanged, V2),
            ];
            if !over {
                table.push(("2-after-boot-test", "3-reverted", How::Reverted, V1));
                table.push(("3-reverted", "3-reverted", How::Unchanged, V1));
            }
            for (from, to, how, version) in table {
                let mut nor = flash::<W>(image(name, W, from));
                let booted = boot(mode, &mut nor).unwrap();
                let what = format!("{name}-{W}: {from} -> {to}");
                assert_same(&nor.contents(), image(name, W, to), &what);
                assert_eq!((booted.how, booted.verified.version()), (how, version), "{what}");
                assert_eq!(booted.image.offset, PRIMARY.offset, "{what}");
                assert_eq!(booted.payload.offset, PRIMARY.offset + 1024, "{what}");
                pairs += 1;
            }
        }
        pairs
    }
    let pairs: usize = for_write_sizes!(check).iter().sum();
    println!("{pairs} boots");
    assert_eq!(pairs, 6 * (3 * 7 + 5));
}

#[test]
fn a_swap_that_mcuboot_began_is_ended() {
    fn check<const W: usize>() -> usize {
        let mut ended = 0;
        for (name, mode) in MODES {
            for state in states(name, W, "2-cut-at-op-") {
                let mut nor = flash::<W>(image(name, W, state));
                let booted = boot(mode, &mut nor).unwrap();
                let end = image(name, W, "2-after-boot-test");
                assert_same(&nor.contents(), end, &format!("{name}-{W}-{state}"));
                assert_eq!(booted.verified.version(), V2);
                ended += 1;
            }
        }
        ended
    }
    let ended: usize = for_write_sizes!(check).iter().sum();
    println!("{ended} swaps ended");
    assert_eq!(ended, 6 * 4 * 4);
}

/// The same operations in the same order: a cut at MCUboot's operation k leaves the same flash.
/// (In the other two modes the loader begins and ends a swap in an order of its own.)
#[test]
fn a_swap_cut_anywhere_looks_like_mcuboots() {
    fn check<const W: usize>() {
        for (name, mode) in [("offset", Mode::SwapOffset), ("move", Mode::SwapMove)] {
            for state in states(name, W, "2-cut-at-op-") {
                let operation: u64 = state.rsplit('-').next().unwrap().parse().unwrap();
                let mut nor = flash::<W>(image(name, W, "1-staged-test"));
                let after = operation - 1;
                nor.arm(Some(Fuse { after, count: Count::Calls, tear: Tear::Clean }));
                assert!(matches!(boot(mode, &mut nor), Err(Stopped::Failed(_))));
                assert_same(&nor.contents(), image(name, W, state), &format!("{name}-{W}-{state}"));
            }
        }
    }
    for_write_sizes!(check);
}

/// Every single operation, not only those in the archive: where the cut is does not matter.
#[test]
fn a_swap_of_ours_cut_at_any_operation_ends_as_mcuboots() {
    fn check<const W: usize>() -> u64 {
        let mut cuts = 0;
        for (name, mode) in MODES {
            let over = mode == Mode::OverwriteOnly;
            let ways =
                [("1-staged-test", "2-after-boot-test"), ("2-after-boot-test", "3-reverted")];
            for (from, to) in ways.into_iter().filter(|way| !over || way.1 != "3-reverted") {
                let mut whole = flash::<W>(image(name, W, from));
                boot(mode, &mut whole).unwrap();
                let operations = whole.counts().operations(Count::Calls);
                for after in 0..operations {
                    let mut nor = flash::<W>(image(name, W, from));
                    nor.arm(Some(Fuse { after, count: Count::Calls, tear: Tear::Clean }));
                    boot(mode, &mut nor).unwrap_err();
                    nor.power_on();
                    boot(mode, &mut nor).unwrap();
                    let mut end = image(name, W, to).to_vec();
                    if to == "3-reverted" && matches!(mode, Mode::SwapMove | Mode::SwapScratch) {
                        // A cut in the very beginning makes of the way back a swap to stay, as with
                        // MCUboot: its request says nothing else.
                        let kind = PRIMARY.len as usize - W.max(16) - 3 * W.max(8);
                        let ours = nor.contents()[kind];
                        assert!(ours == 3 || ours == 4);
                        end[kind] = ours;
                    }
                    let what = format!("{name}-{W}: {from}, cut after {after}");
                    assert_same(&nor.contents(), &end, &what);
                    cuts += 1;
                }
            }
        }
        cuts
    }
    println!("{} cuts", [check::<1>(), check::<8>(), check::<32>()].iter().sum::<u64>());
}

#[test]
fn what_is_damaged_or_by_a_stranger_is_wiped_out_and_v1_runs() {
    const STRANGER: &[Key] =
        &[Key { id: "stranger", algorithm: Algorithm::EcdsaP256, bytes: &[4; 65] }];
    for (name, mode) in MODES {
        let staged = image(name, 8, "1-staged-test");
        let slot = secondary(mode);
        let at = slot.offset + mode.image_offset(ERASE as u32);
        // A bit of the header's version, of the payload, of the signature.
        for byte in [at + 20, at + 5000, at + 12_180] {
            let mut nor = flash::<8>(staged);
            let damaged = [staged[byte as usize] ^ 0x10];
            nor.place(byte, &damaged).unwrap();
            let booted = boot(mode, &mut nor).unwrap();
            assert_eq!((booted.how, booted.verified.version()), (How::Refused, V1), "{name}");
            let contents = nor.contents();
            let wiped = &contents[slot.offset as usize..slot.end() as usize];
            assert!(wiped.iter().all(|byte| *byte == 0xff), "{name}");
            let primary = PRIMARY.offset as usize..PRIMARY.end() as usize;
            assert_same(&contents[primary.clone()], &staged[primary], name);
            let before = nor.counts();
            assert_eq!(boot(mode, &mut nor).unwrap().how, How::Unchanged);
            assert_eq!(nor.counts(), before, "refused twice");
        }
        let rules = Rules { keys: STRANGER, ..*RULES };
        let mut nor = flash::<8>(staged);
        assert_eq!(boot_by(&rules, mode, &mut nor), Err(Stopped::NoImage(Failure::NoTrustedKey)));
    }
}

/// Slots and flashes on which nothing can be done are an error, not a panic.
#[test]
fn what_does_not_fit_is_refused() {
    let boot = |loader: Loader, buffer: &mut [u8]| {
        let mut nor = flash::<8>(image("offset", 8, "1-staged-test"));
        let mut verifier = Native::<formats::Mcuboot, (EcdsaP256,)>::new();
        loader.boot(&mut nor, &mut verifier, &RULES, buffer).map(|booted| booted.how)
    };
    let right = loader(Mode::SwapOffset);
    let Region { offset, len } = secondary(Mode::SwapOffset);
    let misfit = Err(Stopped::Failed(Failure::Misconfigured));
    assert_eq!(boot(right, &mut [0; 256]), Ok(How::Trial));
    assert_eq!(boot(right, &mut [0; 255]), misfit);
    let mode = Mode::SwapOffset;
    for loader in [
        Loader::new(PRIMARY, PRIMARY, mode),
        Loader::new(PRIMARY, Region::new(offset + 8, len), mode),
        Loader::new(PRIMARY, Region::new(offset, len - 8), mode),
        Loader::new(PRIMARY, Region::new(SIZE as u32, len), mode),
        Loader::new(Region::new(0, 0), Region::new(offset, len), mode),
        Loader::new(Region::new(0, u32::MAX - 4095), Region::new(u32::MAX - 4095, 4096), mode),
        right.status_units(u32::MAX),
        right.status_units(5120),
        Loader::new(PRIMARY, secondary(Mode::SwapScratch), Mode::SwapScratch),
    ] {
        assert_eq!(boot(loader, &mut [0; 1024]), misfit, "{loader:?}");
    }
}
