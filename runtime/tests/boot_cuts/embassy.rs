//! embassy-boot: cuts in staging, confirming, swapping and going back.

use crate::world::{CUT, boot, boots, each_cut, flash, image};
use coreota::boot::embassy::EmbassyBoot;
use coreota::boot::{Boot, BootState};
use coreota::layout::Region;
use coreota::sim::bootloader::{EmbassyLoader, How};
use coreota::sim::nor::{Count, Rewrite, SimNor};
use coreota::sim::run;
use coreota::verify::Verified;

const PAGES: usize = 3;

/// Where zeros may be programmed over a torn word: embassy-boot itself relies on it, for the
/// words of its progress.
const ZEROS: [Rewrite; 2] = [Rewrite::Free, Rewrite::OnceOrZero];

struct Board<const W: usize, const E: usize> {
    adapter: EmbassyBoot,
    loader: EmbassyLoader,
    v1: Vec<u8>,
    v2: Vec<u8>,
    start: SimNor<W, E>,
}

impl<const W: usize, const E: usize> Board<W, E> {
    fn new(rewrite: Rewrite) -> Self {
        let page = E as u32;
        let state_len = ((2 + 4 * PAGES) * W).next_multiple_of(E) as u32;
        let active = Region::new(0, PAGES as u32 * page);
        let dfu = Region::new(active.end(), active.len + page);
        let state = Region::new(dfu.end(), state_len);
        let (v1, v2) = (image(2 * E + E / 2, 0x11), image(2 * E + E / 4, 0x22));
        let images: [(u32, &[u8]); 2] = [(active.offset, &v1), (dfu.offset, &v2)];
        let start = flash(state.end() as usize, &images, rewrite);
        Board {
            adapter: EmbassyBoot::new(state),
            loader: EmbassyLoader::new(active, dfu, state),
            v1,
            v2,
            start,
        }
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

    fn runs(&self, booted: &[u8]) -> &'static str {
        match booted {
            image if image.starts_with(&self.v1) => "v1",
            image if image.starts_with(&self.v2) => "v2",
            _ => "neither",
        }
    }

    fn completes(&self, nor: &mut SimNor<W, E>, what: &str) {
        self.stage(nor).unwrap_or_else(|why| panic!("{what}: cannot stage again: {why:?}"));
        assert_eq!(self.state(nor), BootState::Staged, "{what}");
        let booted = boots(&self.loader, nor);
        assert_eq!((self.runs(&booted.image), booted.how), ("v2", How::Trial), "{what}");
        assert_eq!(self.state(nor), BootState::Trial, "{what}");
        self.confirm(nor).unwrap_or_else(|why| panic!("{what}: cannot confirm: {why:?}"));
        let booted = boots(&self.loader, nor);
        assert_eq!((self.runs(&booted.image), booted.how), ("v2", How::Unchanged), "{what}");
    }
}

fn staging<const W: usize, const E: usize>(rewrite: Rewrite) -> u64 {
    let board = Board::<W, E>::new(rewrite);
    let stage = |nor: &mut SimNor<W, E>| board.stage(nor);
    each_cut(&board.start, Count::Words, stage, |nor, at, tear| {
        let what = format!("W{W} E{E} {rewrite:?} stage, word {at}, {tear:?}");
        board.completes(&mut nor.clone(), &what);
        let booted = boots(&board.loader, nor);
        assert_eq!((board.runs(&booted.image), booted.how), ("v1", How::Unchanged), "{what}");
        board.completes(nor, &what);
    })
}

/// After a cut the old image may be back, or the new one runs on; where the bootloader says that
/// it went back, it need not be true (see the adapter): the image tells, and confirming is safe.
fn confirming<const W: usize, const E: usize>(rewrite: Rewrite) -> (u64, u64) {
    let board = Board::<W, E>::new(rewrite);
    let mut trial = board.start.clone();
    board.stage(&mut trial).unwrap();
    boots(&board.loader, &mut trial);
    let mut untrue = 0;
    let cuts = each_cut(
        &trial,
        Count::Words,
        |nor| board.confirm(nor),
        |nor, at, tear| {
            let what = format!("W{W} E{E} {rewrite:?} confirm, word {at}, {tear:?}");
            let mut booted_first = nor.clone();
            let booted = boots(&board.loader, &mut booted_first);
            let said = board.state(&mut booted_first);
            match (board.runs(&booted.image), said) {
                ("v2", BootState::Settled) | ("v1", BootState::Reverted) => {}
                ("v2", BootState::Reverted) => untrue += 1,
                other => panic!("{what}: {other:?}"),
            }
            for nor in [&mut booted_first, nor] {
                let before = board.runs(&boots(&board.loader, &mut nor.clone()).image);
                board.confirm(nor).unwrap_or_else(|why| panic!("{what}: cannot confirm: {why:?}"));
                let booted = boots(&board.loader, nor);
                assert_eq!(booted.how, How::Unchanged, "{what}");
                assert!(board.runs(&booted.image) == "v2" || before == "v1", "{what}");
            }
        },
    );
    (cuts, untrue)
}

fn swapping<const W: usize, const E: usize>(rewrite: Rewrite) -> u64 {
    let board = Board::<W, E>::new(rewrite);
    let mut staged = board.start.clone();
    board.stage(&mut staged).unwrap();
    let mut trial = staged.clone();
    boots(&board.loader, &mut trial);
    let mut cuts = 0;
    for (start, ends) in [(&staged, "v2"), (&trial, "v1")] {
        let boot_once = |nor: &mut SimNor<W, E>| match boot(&board.loader, nor) {
            Err(other) if other != CUT => panic!("W{W} E{E} to {ends}: {other:?}"),
            result => result,
        };
        cuts += each_cut(start, Count::Calls, boot_once, |nor, at, tear| {
            let what = format!("W{W} E{E} to {ends}, operation {at}, {tear:?}");
            let booted = boot(&board.loader, nor).unwrap_or_else(|why| panic!("{what}: {why:?}"));
            // The last word of a swap may have been written by the cut: then it goes back.
            let runs = board.runs(&booted.image);
            assert!(runs == ends || booted.how == How::Reverted && runs == "v1", "{what}: {runs}");
        });
    }
    cuts
}

/// Runs `$test::<W, E>($args)` for several geometries.
macro_rules! for_geometries {
    ($test:ident($($arg:expr),*)) => {
        [
            $test::<1, 128>($($arg),*),
            $test::<1, 4096>($($arg),*),
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
    let each = [Rewrite::Free, Rewrite::Once, Rewrite::OnceOrZero]
        .map(|rewrite| for_geometries!(staging(rewrite)).iter().sum::<u64>());
    println!("{} cuts in staging", each.iter().sum::<u64>());
}

#[test]
fn confirming_survives_every_cut() {
    let each = ZEROS.map(|rewrite| for_geometries!(confirming(rewrite)));
    let (cuts, untrue) = each.iter().flatten().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    assert!(untrue > 0, "the adapter's doc tells of a state that no longer comes up");
    println!("{cuts} cuts in confirming; after {untrue} the bootloader said untruly: went back");
}

#[test]
fn swapping_and_going_back_survive_every_cut() {
    let each = ZEROS.map(|rewrite| for_geometries!(swapping(rewrite)).iter().sum::<u64>());
    println!("{} cuts in the bootloader", each.iter().sum::<u64>());
}
