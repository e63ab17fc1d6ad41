//! MCUboot: cuts in staging, confirming, swapping and going back.

use crate::world::{CUT, boot, boots, each_cut, flash, image};
use coreota::boot::mcuboot::{Mcuboot, Mode};
use coreota::boot::{Boot, BootState};
use coreota::layout::Region;
use coreota::sim::bootloader::How;
use coreota::sim::nor::{Count, Rewrite, SimNor, Tear};
use coreota::sim::run;
use coreota::verify::Verified;
use coreota_mcuboot::{Loader, sim::Simulated};

const MODES: [Mode; 4] = [Mode::SwapOffset, Mode::SwapMove, Mode::SwapScratch, Mode::OverwriteOnly];
const REWRITES: [Rewrite; 3] = [Rewrite::Free, Rewrite::Once, Rewrite::OnceOrZero];
const STATUS_UNITS: u32 = 4;

/// Two slots for images of two units and a half, with all that any mode wants beside them.
struct Board<const W: usize, const E: usize> {
    adapter: Mcuboot,
    model: Simulated,
    v1: Vec<u8>,
    v2: Vec<u8>,
    /// v1 runs, v2 lies in the secondary slot.
    start: SimNor<W, E>,
}

impl<const W: usize, const E: usize> Board<W, E> {
    fn new(mode: Mode, rewrite: Rewrite) -> Self {
        // The most that a trailer has: the magic, five fields, three status words for each unit.
        let trailer = (6 * W.max(16) + 3 * STATUS_UNITS as usize * W).div_ceil(E);
        let units = 5 + trailer;
        let len = (units * E) as u32;
        let primary = Region::new(0, len);
        let secondary = Region::new(len, len);
        let scratch = Region::new(2 * len, E as u32);
        let (v1, v2) = (image(2 * E + E / 2, 0x11), image(2 * E + E / 4, 0x22));
        let staged_at = secondary.offset + mode.image_offset(E as u32);
        let images: [(u32, &[u8]); 2] = [(0, &v1), (staged_at, &v2)];
        let start = flash((2 * units + 1) * E, &images, rewrite);
        let loader = Loader::new(primary, secondary, mode);
        let model = Simulated(loader.scratch(scratch).status_units(STATUS_UNITS));
        Board { adapter: Mcuboot::new(primary, secondary, mode), model, v1, v2, start }
    }

    fn stage(&self, nor: &mut SimNor<W, E>) -> Result<(), coreota::error::Failure> {
        run(self.adapter.clone().stage(nor, Verified::simulated(self.v2.len() as u32)))
    }

    fn confirm(&self, nor: &mut SimNor<W, E>) -> Result<(), coreota::error::Failure> {
        run(self.adapter.clone().confirm(nor))
    }

    fn state(&self, nor: &mut SimNor<W, E>) -> BootState {
        run(self.adapter.clone().state(nor)).unwrap()
    }

    /// Stages, boots, confirms, boots again: v2 runs and stays.
    fn completes(&self, nor: &mut SimNor<W, E>, what: &str) {
        self.stage(nor).unwrap_or_else(|why| panic!("{what}: cannot stage again: {why:?}"));
        assert_eq!(self.state(nor), BootState::Staged, "{what}");
        assert!(boots(&self.model, nor).image == self.v2, "{what}: v2 did not come in");
        self.confirm(nor).unwrap_or_else(|why| panic!("{what}: cannot confirm: {why:?}"));
        let booted = boots(&self.model, nor);
        assert!(booted.image == self.v2 && booted.how == How::Unchanged, "{what}: v2 went");
    }
}

fn staging<const W: usize, const E: usize>(mode: Mode, rewrite: Rewrite, dirt: bool) -> u64 {
    let mut board = Board::<W, E>::new(mode, rewrite);
    if dirt {
        // What a cut in an older request left: half a magic.
        let end = board.start.contents().len() as u32 - E as u32;
        board.start.place(end - 8, &[0x35, 0x52, 0x50, 0x0f, 0x2c, 0xff, 0xff, 0xff]).unwrap();
    }
    let stage = |nor: &mut SimNor<W, E>| board.stage(nor);
    let again = |nor: &SimNor<W, E>, what: &str| {
        board.completes(&mut nor.clone(), what);
        let mut booted_first = nor.clone();
        let booted = boots(&board.model, &mut booted_first);
        if booted.image == board.v1 {
            assert_eq!(booted.how, How::Unchanged, "{what}");
            board.completes(&mut booted_first, what);
        } else {
            assert!(booted.image == board.v2, "{what}: neither v1 nor v2 runs");
        }
    };
    let mut deeper = 0;
    let cuts = each_cut(&board.start, Count::Words, stage, |nor, at, tear| {
        let what = format!("{mode:?} W{W} E{E} {rewrite:?} stage, word {at}, {tear:?}");
        again(nor, &what);
        if tear == Tear::Weak && board.state(nor) != BootState::Staged && at % 4 == 0 {
            deeper += each_cut(nor, Count::Words, stage, |nor, at, tear| {
                again(nor, &format!("{what}; again at {at}, {tear:?}"));
            });
        }
    });
    cuts + deeper
}

fn confirming<const W: usize, const E: usize>(mode: Mode, rewrite: Rewrite) -> u64 {
    let board = Board::<W, E>::new(mode, rewrite);
    let mut trial = board.start.clone();
    board.stage(&mut trial).unwrap();
    assert!(boots(&board.model, &mut trial).image == board.v2);
    each_cut(
        &trial,
        Count::Words,
        |nor| board.confirm(nor),
        |nor, at, tear| {
            let what = format!("{mode:?} W{W} E{E} {rewrite:?} confirm, word {at}, {tear:?}");
            let mut booted_first = nor.clone();
            let booted = boots(&board.model, &mut booted_first);
            match booted.how {
                How::Unchanged => assert!(booted.image == board.v2, "{what}"),
                How::Reverted => assert!(booted.image == board.v1, "{what}"),
                how => panic!("{what}: {how:?}"),
            }
            if mode == Mode::SwapScratch && rewrite != Rewrite::Free && booted.how == How::Reverted
            {
                // A torn word that looks erased; only erasing it would help, and the adapter cannot
                // know how far the image reaches in this mode. It must say so.
                if board.confirm(nor).is_err() {
                    return;
                }
            }
            board
                .confirm(nor)
                .unwrap_or_else(|why| panic!("{what}: cannot confirm again: {why:?}"));
            let booted = boots(&board.model, nor);
            assert!(booted.image == board.v2 && booted.how == How::Unchanged, "{what}: v2 went");
        },
    )
}

/// The bootloader is cut in the swap and in going back, and booted until it is through.
/// Gives the cuts, and those after which the bootloader no longer goes back by itself.
fn swapping<const W: usize, const E: usize>(mode: Mode) -> (u64, u64) {
    let board = Board::<W, E>::new(mode, Rewrite::Free);
    let mut staged = board.start.clone();
    board.stage(&mut staged).unwrap();
    let mut trial = staged.clone();
    boots(&board.model, &mut trial);
    let (mut cuts, mut stays) = (0, 0);
    for (start, name) in [(&staged, "swap"), (&trial, "going back")] {
        if mode == Mode::OverwriteOnly && name == "going back" {
            continue;
        }
        let boot_once = |nor: &mut SimNor<W, E>| match boot(&board.model, nor) {
            Err(other) if other != CUT => panic!("{mode:?} W{W} E{E} {name}: {other:?}"),
            result => result,
        };
        cuts += each_cut(start, Count::Calls, boot_once, |nor, at, tear| {
            let what = format!("{mode:?} W{W} E{E} {name}, operation {at}, {tear:?}");
            let booted = boot(&board.model, nor).unwrap_or_else(|why| panic!("{what}: {why:?}"));
            assert!(booted.image == board.v1 || booted.image == board.v2, "{what}");
            if board.state(nor) != BootState::Trial {
                assert!(boots(&board.model, nor).image == booted.image, "{what}: it went");
                return;
            }
            assert!(booted.image == board.v2, "{what}: the old image on trial");
            let mut unconfirmed = nor.clone();
            if boots(&board.model, &mut unconfirmed).image != board.v1 {
                // MCUboot goes back only over a blank secondary trailer, and here its own request
                // to do so was torn: the image stays on trial until it is confirmed.
                assert_ne!(tear, Tear::Clean, "{what}");
                stays += 1;
            }
            board.confirm(nor).unwrap_or_else(|why| panic!("{what}: cannot confirm: {why:?}"));
            assert!(boots(&board.model, nor).image == board.v2, "{what}: v2 went");
        });
    }
    (cuts, stays)
}

/// Runs `$test::<W, E>($args)` for several geometries and adds up.
macro_rules! for_geometries {
    ($test:ident($($arg:expr),*)) => {
        [
            $test::<1, 128>($($arg),*),
            $test::<1, 1024>($($arg),*),
            $test::<2, 512>($($arg),*),
            $test::<4, 256>($($arg),*),
            $test::<4, 4096>($($arg),*),
            $test::<8, 2048>($($arg),*),
            $test::<16, 512>($($arg),*),
            $test::<32, 128>($($arg),*),
            $test::<32, 4096>($($arg),*),
        ]
    };
}

#[test]
fn staging_survives_every_cut() {
    let mut cuts = 0;
    for (mode, rewrite) in MODES.iter().flat_map(|mode| REWRITES.map(|rewrite| (*mode, rewrite))) {
        cuts += for_geometries!(staging(mode, rewrite, false)).iter().sum::<u64>();
        cuts += for_geometries!(staging(mode, rewrite, true)).iter().sum::<u64>();
    }
    println!("{cuts} cuts in staging");
}

#[test]
fn staging_survives_every_cut_with_large_units() {
    println!("{} cuts", staging::<8, 131_072>(Mode::SwapOffset, Rewrite::Once, true));
}

#[test]
fn confirming_survives_every_cut() {
    let mut cuts = 0;
    let swaps = MODES.iter().filter(|mode| **mode != Mode::OverwriteOnly);
    for (mode, rewrite) in swaps.flat_map(|mode| REWRITES.map(|rewrite| (*mode, rewrite))) {
        cuts += for_geometries!(confirming(mode, rewrite)).iter().sum::<u64>();
    }
    println!("{cuts} cuts in confirming");
}

#[test]
fn swapping_and_going_back_survive_every_cut() {
    let each = MODES.map(|mode| for_geometries!(swapping(mode)));
    let (cuts, stays) = each.iter().flatten().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    println!("{cuts} cuts in the bootloader; after {stays} a trial lasts until it is confirmed");
}

#[test]
fn a_damaged_image_is_refused_and_the_old_one_runs() {
    for mode in MODES {
        let mut board = Board::<4, 256>::new(mode, Rewrite::Free);
        let at = board.start.contents().len() as u32 / 2 + 300;
        board.start.place(at, &[0xa5]).unwrap();
        let mut nor = board.start.clone();
        board.stage(&mut nor).unwrap();
        let booted = boots(&board.model, &mut nor);
        assert!(booted.image == board.v1 && booted.how == How::Refused, "{mode:?}");
        assert_eq!(boots(&board.model, &mut nor).how, How::Unchanged, "{mode:?}: refused twice");
    }
}
