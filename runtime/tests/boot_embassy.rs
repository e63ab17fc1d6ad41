//! The embassy-boot adapter: byte for byte, and operation for operation, what embassy-boot's own
//! `BlockingFirmwareState` does.
#![cfg(feature = "sim")]

use coreota::boot::embassy::EmbassyBoot;
use coreota::boot::{Boot, BootState};
use coreota::error::Failure;
use coreota::layout::Region;
use coreota::sim::nor::{Part, SimNor};
use coreota::sim::run;
use coreota::verify::Verified;
use embassy_boot::{BlockingFirmwareState, State};
use embedded_storage::nor_flash::NorFlash;
use std::cell::RefCell;

const STATE: Region = Region::new(2048, 1024);
const IMAGE: Verified = Verified::simulated(1000);

type Nor<const W: usize> = SimNor<W, 512>;
type Theirs<'a, const W: usize> = BlockingFirmwareState<'a, Part<'a, Nor<W>>>;

/// Does something to the state partition with embassy-boot's own code.
fn theirs<const W: usize, T>(nor: &mut Nor<W>, act: impl FnOnce(&mut Theirs<'_, W>) -> T) -> T {
    let shared = RefCell::new(nor);
    let mut word = [0; W];
    let part = Part::new(&shared, STATE.offset, STATE.len);
    act(&mut BlockingFirmwareState::new(part, &mut word))
}

fn put<const W: usize>(nor: &mut Nor<W>, word: u32, value: u8) {
    nor.write(STATE.offset + word * W as u32, &[value; W]).unwrap();
}

/// Number and value of words.
type Words = &'static [(u32, u8)];

/// Every state that is met: the first words of the partition, what we say, what embassy-boot says.
const STATES: [(Words, BootState, State); 8] = [
    (&[], BootState::Settled, State::Boot),
    (&[(0, 0xd0)], BootState::Settled, State::Boot),
    (&[(0, 0xf0)], BootState::Staged, State::Swap),
    (&[(0, 0xf0), (2, 0), (3, 0)], BootState::Trial, State::Swap),
    (&[(0, 0xf0), (1, 0), (2, 0)], BootState::Trial, State::Swap),
    (&[(0, 0xf0), (1, 0)], BootState::Trial, State::Swap),
    (&[(0, 0xc0)], BootState::Reverted, State::Revert),
    (&[(0, 0x80), (1, 0)], BootState::Settled, State::Boot),
];

/// Runs `$test::<W>()` for every write size W.
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

fn in_state<const W: usize>(words: &[(u32, u8)]) -> Nor<W> {
    let mut nor = Nor::<W>::new(4096);
    words.iter().for_each(|(word, value)| put(&mut nor, *word, *value));
    nor.record();
    nor
}

#[test]
fn every_state_is_told_as_it_is() {
    fn check<const W: usize>() {
        for (words, ours, embassys) in STATES {
            let mut nor = in_state::<W>(words);
            assert_eq!(run(EmbassyBoot::new(STATE).state(&mut nor)), Ok(ours), "{words:x?}");
            assert_eq!(theirs(&mut nor, |state| state.get_state().unwrap()), embassys);
            assert!(nor.trace().is_empty());
        }
    }
    for_write_sizes!(check);
}

#[test]
fn staging_does_what_mark_updated_does() {
    fn check<const W: usize>() {
        for (words, state, _) in STATES {
            let (mut ours, mut embassys) = (in_state::<W>(words), in_state::<W>(words));
            let staged = run(EmbassyBoot::new(STATE).stage(&mut ours, IMAGE));
            if state == BootState::Trial {
                assert_eq!(staged, Err(Failure::Stage));
                assert!(ours.trace().is_empty());
                continue;
            }
            assert_eq!(staged, Ok(()));
            theirs(&mut embassys, |state| state.mark_updated().unwrap());
            assert_eq!(ours.trace(), embassys.trace(), "write size {W}, from {words:x?}");
            assert_eq!(run(EmbassyBoot::new(STATE).state(&mut ours)), Ok(BootState::Staged));
        }
    }
    for_write_sizes!(check);
}

#[test]
fn confirming_does_what_mark_booted_does() {
    fn check<const W: usize>() {
        for (words, state, _) in STATES {
            let (mut ours, mut embassys) = (in_state::<W>(words), in_state::<W>(words));
            run(EmbassyBoot::new(STATE).confirm(&mut ours)).unwrap();
            if matches!(state, BootState::Trial | BootState::Reverted) {
                theirs(&mut embassys, |state| state.mark_booted().unwrap());
                let now = run(EmbassyBoot::new(STATE).state(&mut ours));
                assert_eq!(now, Ok(BootState::Settled));
            }
            // Where nothing is to be confirmed, nothing is written; least of all over a request.
            assert_eq!(ours.trace(), embassys.trace(), "write size {W}, from {words:x?}");
        }
    }
    for_write_sizes!(check);
}

#[test]
fn a_partition_that_is_too_small_is_an_error_and_no_panic() {
    let mut nor = Nor::<32>::new(4096);
    for region in [Region::new(0, 0), Region::new(0, 31), Region::new(u32::MAX, 512)] {
        let mut boot = EmbassyBoot::new(region);
        assert!(run(boot.state(&mut nor)).is_err());
        assert!(run(boot.stage(&mut nor, IMAGE)).is_err());
        assert!(run(boot.confirm(&mut nor)).is_err());
    }
}
