//! The MCUboot adapter: byte for byte what MCUboot writes, and whole again after any power cut.
#![cfg(feature = "sim")]

mod golden;

use coreota::boot::mcuboot::{Mcuboot, Mode};
use coreota::boot::{Boot, BootState};
use coreota::error::Failure;
use coreota::layout::Region;
use coreota::sim::nor::SimNor;
use coreota::sim::run;
use coreota::verify::Verified;
use golden::{ERASE, MODES, SIZE, adapter, image, secondary};
use std::process::Command;

/// Runs `$test::<W>($args)` for every write size W.
macro_rules! for_write_sizes {
    ($test:ident($($arg:expr),*)) => {{
        $test::<1>($($arg),*);
        $test::<2>($($arg),*);
        $test::<4>($($arg),*);
        $test::<8>($($arg),*);
        $test::<16>($($arg),*);
        $test::<32>($($arg),*);
    }};
}

fn flash<const W: usize>(bytes: &[u8]) -> SimNor<W, ERASE> {
    let mut nor = SimNor::new(SIZE);
    nor.place(0, bytes).unwrap();
    nor
}

/// Where two flashes differ, for a message that can be read.
fn assert_same(ours: &[u8], theirs: &[u8], what: &str) {
    let differ = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
    if let Some(at) = differ {
        panic!("{what}: at {at:#x} ours is {:02x}, MCUboot's {:02x}", ours[at], theirs[at]);
    }
    assert_eq!(ours.len(), theirs.len(), "{what}");
}

const IMAGE: Verified = Verified::simulated(0x3000);

#[test]
fn staging_writes_mcuboots_bytes() {
    fn check<const W: usize>() {
        for (name, mode) in MODES {
            for (state, mut boot) in [
                ("1-staged-test", adapter(mode)),
                ("1-staged-permanent", adapter(mode).permanent()),
            ] {
                let mut nor = flash::<W>(image(name, W, "0-downloaded"));
                run(boot.stage(&mut nor, IMAGE)).unwrap();
                assert_same(&nor.contents(), image(name, W, state), &format!("{name}-{W}-{state}"));
                let before = nor.counts();
                run(boot.stage(&mut nor, IMAGE)).unwrap();
                assert_eq!(nor.counts(), before, "staged twice, written twice");
            }
        }
    }
    for_write_sizes!(check());
}

#[test]
fn confirming_writes_mcuboots_bytes() {
    fn check<const W: usize>() {
        for (name, mode) in MODES {
            let mut nor = flash::<W>(image(name, W, "2-after-boot-test"));
            run(adapter(mode).confirm(&mut nor)).unwrap();
            let what = format!("{name}-{W}-3-confirmed");
            assert_same(&nor.contents(), image(name, W, "3-confirmed"), &what);
            let before = nor.counts();
            run(adapter(mode).confirm(&mut nor)).unwrap();
            assert_eq!(nor.counts(), before, "confirmed twice, written twice");
        }
    }
    for_write_sizes!(check());
}

#[test]
fn every_state_that_mcuboot_leaves_is_understood() {
    use BootState::{Reverted, Settled, Staged, Trial};
    fn check<const W: usize>() {
        for (name, mode) in MODES {
            let trial = if mode == Mode::OverwriteOnly { Settled } else { Trial };
            let table = [
                ("0-downloaded", Settled),
                ("1-staged-test", Staged),
                ("1-staged-permanent", Staged),
                ("2-after-boot-test", trial),
                ("2-after-boot-permanent", Settled),
                ("3-confirmed", Settled),
                ("3-reverted", Reverted),
            ];
            let all = table.iter().filter(|row| mode != Mode::OverwriteOnly || row.1 != Reverted);
            for (state, expected) in all {
                let mut nor = flash::<W>(image(name, W, state));
                let said = run(adapter(mode).state(&mut nor)).unwrap();
                assert_eq!(said, *expected, "{name}-{W}-{state}");
                assert_eq!(nor.counts().programs, 0);
            }
        }
    }
    for_write_sizes!(check());
}

/// All 258 of them, those in mid-swap too, where no firmware runs: read, not written.
#[test]
fn every_image_of_the_archive_is_read_and_left_as_it_is() {
    fn check<const W: usize>() -> usize {
        let mut read = 0;
        for (name, mode) in MODES {
            for state in golden::states(name, W, "") {
                let mut nor = flash::<W>(image(name, W, state));
                let what = format!("{name}-{W}-{state}");
                let said = run(adapter(mode).state(&mut nor)).expect(&what);
                let staged = state.starts_with("1-staged");
                // The request stands until the swap has taken it over.
                let cut = state.starts_with("2-cut");
                assert!(cut || staged == (said == BootState::Staged), "{what}: {said:?}");
                assert_same(&nor.contents(), image(name, W, state), &what);
                read += 1;
            }
        }
        read
    }
    let read =
        [check::<1>(), check::<2>(), check::<4>(), check::<8>(), check::<16>(), check::<32>()];
    assert_eq!(read.iter().sum::<usize>(), 258);
}

/// A request of which a cut left any part, in the order in which it was written, is written anew.
#[test]
fn a_torn_request_is_repaired_to_mcuboots_bytes() {
    fn check<const W: usize>() {
        for (name, mode) in MODES {
            let wanted = image(name, W, "1-staged-test");
            let slot = secondary(mode);
            let (end, align) = (slot.end() as usize, W.max(8));
            let magic = end - W.max(16);
            let swap_info = magic - 3 * align;
            for torn in [1, 5, W.max(16) - 1] {
                let mut nor = flash::<W>(image(name, W, "0-downloaded"));
                nor.place(swap_info as u32, &wanted[swap_info..][..1]).unwrap();
                nor.place(magic as u32, &wanted[magic..][..torn]).unwrap();
                run(adapter(mode).stage(&mut nor, IMAGE)).unwrap();
                assert_same(&nor.contents(), wanted, &format!("{name}-{W}, {torn} bytes"));
            }
        }
    }
    for_write_sizes!(check());
}

#[test]
fn confirming_where_nothing_is_on_trial_changes_nothing() {
    for state in ["0-downloaded", "1-staged-test", "3-confirmed", "3-reverted"] {
        let mut nor = flash::<8>(image("offset", 8, state));
        run(adapter(Mode::SwapOffset).confirm(&mut nor)).unwrap();
        assert_same(&nor.contents(), image("offset", 8, state), state);
    }
}

#[test]
fn what_stands_in_the_trailers_place_is_erased_only_if_it_is_not_the_image() {
    let mode = Mode::SwapScratch;
    let slot = secondary(mode);
    let last_unit = slot.end() - ERASE as u32;
    let mut dirty = flash::<4>(image("scratch", 4, "0-downloaded"));
    dirty.place(slot.end() - 8, &[0x55; 8]).unwrap();

    let mut nor = dirty.clone();
    let fits = Verified::simulated(last_unit - slot.offset);
    run(adapter(mode).stage(&mut nor, fits)).unwrap();
    assert_same(&nor.contents(), image("scratch", 4, "1-staged-test"), "repaired");

    let mut nor = dirty.clone();
    let reaches_in = Verified::simulated(last_unit - slot.offset + 1);
    assert_eq!(run(adapter(mode).stage(&mut nor, reaches_in)), Err(Failure::Stage));
    assert_eq!(nor.digest(), dirty.digest());
}

#[test]
fn a_request_of_the_other_kind_is_replaced() {
    let mut nor = flash::<16>(image("move", 16, "1-staged-permanent"));
    run(adapter(Mode::SwapMove).stage(&mut nor, IMAGE)).unwrap();
    assert_same(&nor.contents(), image("move", 16, "1-staged-test"), "permanent to test");
    run(adapter(Mode::SwapMove).permanent().stage(&mut nor, IMAGE)).unwrap();
    assert_same(&nor.contents(), image("move", 16, "1-staged-permanent"), "test to permanent");
}

#[test]
fn slots_that_cannot_hold_a_trailer_are_an_error_and_no_panic() {
    let mut nor = SimNor::<32, 128>::new(1024);
    for slot in [Region::new(0, 0), Region::new(0, 64), Region::new(u32::MAX, 0)] {
        let mut boot = Mcuboot::new(slot, slot, Mode::SwapOffset);
        assert_eq!(run(boot.state(&mut nor)), Err(Failure::Misconfigured));
        assert_eq!(run(boot.stage(&mut nor, IMAGE)), Err(Failure::Misconfigured));
        assert_eq!(run(boot.confirm(&mut nor)), Err(Failure::Misconfigured));
    }
    for outside in [Region::new(1024, 1024), Region::new(u32::MAX, u32::MAX)] {
        let mut boot = Mcuboot::new(outside, outside, Mode::SwapOffset);
        assert!(run(boot.state(&mut nor)).is_err());
        assert!(run(boot.stage(&mut nor, IMAGE)).is_err());
    }
}

/// A second witness beside the flash images: what `imgtool` appends.
#[test]
fn imgtool_pads_with_the_same_trailer() {
    fn check<const W: usize>() {
        for (option, permanent) in [("--pad", false), ("--confirm", true)] {
            let theirs = imgtool(W, option);
            let slot = Region::new(0, theirs.len() as u32);
            let mut boot = Mcuboot::new(slot, slot, Mode::SwapMove);
            if permanent {
                boot = boot.permanent();
            }
            let mut nor = SimNor::<W, ERASE>::new(theirs.len());
            run(boot.stage(&mut nor, Verified::simulated(3000))).unwrap();
            let mut ours = nor.contents();
            // imgtool leaves the swap type out; MCUboot's own functions write it.
            let swap_info = ours.len() - W.max(16) - 3 * W.max(8);
            assert_eq!(ours[swap_info], if permanent { 3 } else { 2 });
            ours[swap_info] = 0xff;
            let trailer = theirs.len() - ERASE;
            let what = format!("imgtool {option}, write size {W}");
            assert_same(&ours[trailer..], &theirs[trailer..], &what);
        }
    }
    for_write_sizes!(check());
}

/// 3000 bytes, signed and padded to 16 KiB.
fn imgtool(write: usize, option: &str) -> Vec<u8> {
    let folder = std::env::temp_dir();
    let name = format!("coreota-{}-{write}{option}", std::process::id());
    let (from, to) = (folder.join(format!("{name}.raw")), folder.join(format!("{name}.bin")));
    std::fs::write(&from, [0x5a; 3000]).unwrap();
    let run = Command::new("imgtool")
        .args(["sign", "--version", "1.0.0", "--header-size", "32", "--pad-header"])
        .args(["--slot-size", "16384", "--max-sectors", "16", option])
        .args(["--align", &write.to_string(), "--max-align", &write.max(8).to_string()])
        .args([&from, &to])
        .output()
        .expect("this test needs MCUboot's imgtool on the path: `pip install imgtool`");
    assert!(run.status.success(), "imgtool: {}", String::from_utf8_lossy(&run.stderr));
    let padded = std::fs::read(&to).unwrap();
    std::fs::remove_file(from).and(std::fs::remove_file(to)).unwrap();
    padded
}
