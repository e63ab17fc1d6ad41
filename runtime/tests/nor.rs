//! The simulated NOR flash keeps the rules of the real thing, and cuts where it is told to.
#![cfg(feature = "sim")]

use coreota::sim::nor::{Count, Counts, Fuse, NorError, Op, Part, Rewrite, SimNor, Tear};
use embedded_storage::nor_flash::{MultiwriteNorFlash, NorFlash, ReadNorFlash};
use embedded_storage_async::nor_flash as asynch;
use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

const SIZE: usize = 4096;
type Nor = SimNor<4, 512>;

fn fuse(after: u64, count: Count, tear: Tear) -> Option<Fuse> {
    Some(Fuse { after, count, tear })
}

fn read<const N: usize>(nor: &mut Nor, at: u32) -> [u8; N] {
    let mut bytes = [0; N];
    nor.read(at, &mut bytes).unwrap();
    bytes
}

#[test]
fn programs_only_clear_bits() {
    let mut nor = Nor::new(SIZE);
    nor.write(8, &[0xf0; 4]).unwrap();
    nor.write(8, &[0x30; 4]).unwrap();
    assert_eq!(nor.write(8, &[0x30, 0x30, 0x31, 0x30]), Err(NorError::SetsBit { at: 10 }));
    assert_eq!(read(&mut nor, 8), [0x30; 4]);
    nor.erase(0, 512).unwrap();
    assert_eq!(read(&mut nor, 8), [0xff; 4]);
}

#[test]
fn a_refused_program_changes_nothing() {
    let mut nor = Nor::new(SIZE);
    nor.write(4, &[0; 4]).unwrap();
    let before = (nor.digest(), nor.counts());
    assert_eq!(nor.write(0, &[0x55; 8]), Err(NorError::SetsBit { at: 4 }));
    assert_eq!((nor.digest(), nor.counts()), before);
}

#[test]
fn each_rule_of_rewriting() {
    let second = |rewrite, data: [u8; 4]| {
        let mut nor = Nor::new(SIZE).with_rewrite(rewrite);
        nor.write(0, &[0x7f; 4]).unwrap();
        nor.write(0, &data)
    };
    let refused = Err(NorError::Rewritten { at: 0 });
    assert_eq!(second(Rewrite::Free, [0x0f; 4]), Ok(()));
    assert_eq!(second(Rewrite::Once, [0x0f; 4]), refused);
    assert_eq!(second(Rewrite::Once, [0; 4]), refused);
    assert_eq!(second(Rewrite::OnceOrZero, [0x0f; 4]), refused);
    assert_eq!(second(Rewrite::OnceOrZero, [0; 4]), Ok(()));
}

#[test]
fn multiwrite_is_only_had_where_it_is_allowed() {
    fn twice(mut flash: impl MultiwriteNorFlash) {
        flash.write(0, &[0xf0; 4]).unwrap();
        flash.write(0, &[0x00; 4]).unwrap();
    }
    twice(Nor::new(SIZE).multiwrite().unwrap());
    assert!(Nor::new(SIZE).with_rewrite(Rewrite::Once).multiwrite().is_none());
    assert!(Nor::new(SIZE).with_rewrite(Rewrite::OnceOrZero).multiwrite().is_none());
}

#[test]
fn ranges_are_whole_and_inside() {
    let mut nor = Nor::new(SIZE);
    assert_eq!(nor.write(2, &[0; 4]), Err(NorError::NotAligned { at: 2, len: 4, to: 4 }));
    assert_eq!(nor.write(0, &[0; 3]), Err(NorError::NotAligned { at: 0, len: 3, to: 4 }));
    assert_eq!(nor.erase(0, 256), Err(NorError::NotAligned { at: 0, len: 256, to: 512 }));
    let outside = |at, len| Err(NorError::OutOfBounds { at, len, size: SIZE });
    assert_eq!(nor.write(4092, &[0; 8]), outside(4092, 8));
    assert_eq!(nor.erase(3584, 4608), outside(3584, 1024));
    assert_eq!(nor.erase(512, 0), outside(512, 0));
    assert_eq!(nor.read(u32::MAX, &mut [0; 2]), outside(u32::MAX, 2));
    assert_eq!(nor.counts(), Counts::default());
}

#[test]
fn wear_counts_and_the_trace_tell_what_was_done() {
    let mut nor = Nor::new(SIZE);
    nor.record();
    nor.write(0, &[1; 12]).unwrap();
    nor.erase(0, 1024).unwrap();
    nor.write(0, &[2; 4]).unwrap();
    assert_eq!(nor.counts(), Counts { programs: 2, words: 4, erases: 2 });
    assert_eq!(nor.wear()[..3], [1, 1, 0]);
    assert_eq!(nor.trace().len(), 4);
    assert_eq!(nor.trace()[1..3], [Op::Erase { unit: 0 }, Op::Erase { unit: 1 }]);

    let mut again = Nor::new(SIZE);
    again.replay(nor.trace()).unwrap();
    assert_eq!(again.digest(), nor.digest());
    let mut half = Nor::new(SIZE);
    half.replay(&nor.trace()[..1]).unwrap();
    assert_eq!(read(&mut half, 8), [1; 4]);
}

#[test]
fn a_fork_goes_its_own_way() {
    let mut nor = Nor::new(SIZE);
    nor.write(0, &[7; 4]).unwrap();
    let mut fork = nor.clone();
    assert_eq!(fork.digest(), nor.digest());
    fork.erase(0, 512).unwrap();
    assert_eq!(read(&mut nor, 0), [7; 4]);
    assert_ne!(fork.digest(), nor.digest());
}

#[test]
fn after_a_cut_nothing_works_until_the_power_is_back() {
    let mut nor = Nor::new(SIZE);
    nor.arm(fuse(1, Count::Calls, Tear::Clean));
    nor.write(0, &[0; 4]).unwrap();
    assert_eq!(nor.write(4, &[0; 4]), Err(NorError::PowerLost));
    assert!(!nor.is_powered());
    assert_eq!(nor.read(0, &mut [0; 4]), Err(NorError::PowerLost));
    assert_eq!(nor.erase(0, 512), Err(NorError::PowerLost));
    nor.power_on();
    assert_eq!(read(&mut nor, 0), [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    nor.write(4, &[0; 4]).unwrap();
}

#[test]
fn the_power_can_go_between_any_two_words() {
    for cut in 0..8 {
        let mut nor = Nor::new(SIZE);
        nor.arm(fuse(cut, Count::Words, Tear::Clean));
        assert_eq!(nor.write(0, &[0; 32]), Err(NorError::PowerLost));
        nor.power_on();
        let zeros = read::<32>(&mut nor, 0).iter().filter(|byte| **byte == 0).count();
        assert_eq!(zeros as u64, cut * 4);
    }
}

#[test]
fn a_fuse_that_is_not_reached_does_not_blow() {
    for (count, operations) in [(Count::Calls, 2), (Count::Words, 5)] {
        let mut nor = Nor::new(SIZE);
        nor.arm(fuse(operations, count, Tear::Bits));
        nor.write(0, &[0; 16]).unwrap();
        nor.erase(512, 1024).unwrap();
        assert_eq!(nor.counts().operations(count), operations);
        nor.write(20, &[]).unwrap();
        assert_eq!(nor.write(20, &[0; 4]), Err(NorError::PowerLost));
    }
}

#[test]
fn a_torn_program_touches_its_own_bits_only() {
    let data = [0x0f; 8];
    let mut seen = std::collections::HashSet::new();
    for (seed, tear) in (0..200).flat_map(|seed| Tear::ALL.map(|tear| (seed, tear))) {
        let mut nor = Nor::new(SIZE).with_seed(seed);
        nor.arm(fuse(0, Count::Calls, tear));
        assert_eq!(nor.write(4, &data), Err(NorError::PowerLost));
        nor.power_on();
        let bytes = read::<16>(&mut nor, 0);
        assert_eq!((bytes[..4].as_ref(), bytes[12..].as_ref()), (&[0xff; 4][..], &[0xff; 4][..]));
        assert!(bytes[4..12].iter().all(|byte| byte & 0x0f == 0x0f), "{tear:?} {bytes:?}");
        if tear == Tear::Clean {
            assert_eq!(bytes, [0xff; 16]);
        }
        if tear == Tear::Prefix {
            assert!(bytes[4..12].is_sorted_by_key(|byte| *byte == 0xff), "{bytes:?}");
        }
        seen.insert((tear as u8, bytes));
        nor.write(4, &data).unwrap();
        assert_eq!(read(&mut nor, 4), data);
    }
    assert!(seen.len() > 200, "a torn word looks the same too often: {}", seen.len());
}

#[test]
fn a_torn_word_cannot_be_programmed_again_under_ecc() {
    let mut nor = Nor::new(SIZE).with_rewrite(Rewrite::Once);
    nor.arm(fuse(0, Count::Words, Tear::Bits));
    assert_eq!(nor.write(0, &[0; 4]), Err(NorError::PowerLost));
    nor.power_on();
    assert_eq!(nor.write(0, &[0; 4]), Err(NorError::Rewritten { at: 0 }));
}

#[test]
fn a_torn_erase_moves_bits_to_1_only_and_a_whole_one_heals_it() {
    for (seed, tear) in (0..50).flat_map(|seed| Tear::ALL.map(|tear| (seed, tear))) {
        let mut nor = Nor::new(SIZE).with_seed(seed);
        nor.write(0, &[0x5a; 512]).unwrap();
        nor.write(512, &[0x5a; 4]).unwrap();
        nor.arm(fuse(0, Count::Words, tear));
        assert_eq!(nor.erase(0, 1024), Err(NorError::PowerLost));
        nor.power_on();
        assert_eq!(read(&mut nor, 512), [0x5a; 4], "the next unit was not reached");
        let (one, two) = (read::<512>(&mut nor, 0), read::<512>(&mut nor, 0));
        assert!(one.iter().all(|byte| byte & 0x5a == 0x5a));
        assert_eq!(one == two, tear != Tear::Weak, "only weak bits change from read to read");
        nor.erase(0, 512).unwrap();
        assert_eq!(read(&mut nor, 0), [0xff; 512]);
    }
}

#[test]
fn a_file_outlasts_its_flash() {
    let path = std::env::temp_dir().join(format!("coreota-nor-{}.flash", std::process::id()));
    let mut nor = Nor::open(&path, SIZE).unwrap();
    nor.write(600, &[1, 2, 3, 4]).unwrap();
    nor.write(0, &[0; 4]).unwrap();
    nor.erase(0, 512).unwrap();
    drop(nor);

    let mut nor = Nor::open(&path, SIZE).unwrap().with_rewrite(Rewrite::Once);
    assert_eq!(read(&mut nor, 600), [1, 2, 3, 4]);
    assert_eq!(nor.write(600, &[0; 4]), Err(NorError::Rewritten { at: 600 }));
    nor.write(0, &[9; 4]).unwrap();

    let Err(NorError::File(why)) = Nor::open(&path, 2 * SIZE) else { panic!("other size taken") };
    assert!(why.contains(".flash: it is shorter than the 8192 bytes of this flash"), "{why}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_file_that_cannot_be_had_is_named_with_the_reason() {
    let Err(NorError::File(why)) = Nor::open("/nowhere/at/all.flash", SIZE) else { panic!() };
    assert!(why.starts_with("flash file /nowhere/at/all.flash: cannot open it"), "{why}");
}

/// No disk is full on demand, but a limit on file size stops the same write: this test runs the
/// next one as a process that may not write past some blocks.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_without_room_is_known_before_an_update() {
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact --ignored on_a_disk_without_room";
    let me = std::env::current_exe().unwrap();
    let run = std::process::Command::new("sh").args(["-c", script]).arg(me).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by a_disk_without_room_is_known_before_an_update"]
fn on_a_disk_without_room() {
    let path = std::env::temp_dir().join(format!("coreota-room-{}.flash", std::process::id()));
    let Err(NorError::File(why)) = Nor::open(&path, 64 * 1024) else { panic!("it fitted") };
    assert!(why.contains("cannot make it 65536 bytes long"), "{why}");
    assert!(!path.exists(), "half a flash is left behind");
}

#[test]
fn a_part_is_a_flash_of_its_own() {
    let mut nor = Nor::new(SIZE);
    let shared = RefCell::new(&mut nor);
    let mut part = Part::new(&shared, 1024, 512);
    assert_eq!(part.capacity(), 512);
    part.write(508, &[3; 4]).unwrap();
    assert_eq!(part.write(512, &[3; 4]), Err(NorError::OutOfBounds { at: 512, len: 4, size: 512 }));
    assert!(part.erase(0, 1024).is_err());
    let mut back = [0; 4];
    Part::new(&shared, 1024, 512).read(508, &mut back).unwrap();
    assert_eq!(back, [3; 4]);
    assert_eq!(read(&mut nor, 1532), [3; 4]);
}

#[test]
fn the_async_form_really_waits_and_does_the_same() {
    fn polls<T>(future: impl Future<Output = T>) -> (usize, T) {
        let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
        (1..)
            .find_map(|n| match future.as_mut().poll(&mut context) {
                Poll::Ready(value) => Some((n, value)),
                Poll::Pending => None,
            })
            .unwrap()
    }
    let mut nor = Nor::new(SIZE);
    assert_eq!(polls(asynch::NorFlash::write(&mut nor, 0, &[0; 4])), (1, Ok(())));
    nor.pend(true);
    assert_eq!(polls(asynch::NorFlash::write(&mut nor, 4, &[5; 4])), (2, Ok(())));
    let mut bytes = [0; 8];
    assert_eq!(polls(asynch::ReadNorFlash::read(&mut nor, 0, &mut bytes)), (2, Ok(())));
    assert_eq!(bytes, [0, 0, 0, 0, 5, 5, 5, 5]);
    assert_eq!(polls(asynch::NorFlash::erase(&mut nor, 0, 512)), (2, Ok(())));
}

#[test]
fn the_whole_range_of_geometries() {
    fn works<const W: usize, const E: usize>() {
        let mut nor = SimNor::<W, E>::new(2 * E);
        nor.write(E as u32, &[0x11; W]).unwrap();
        nor.erase(0, E as u32).unwrap();
        let mut back = [0; W];
        nor.read(E as u32, &mut back).unwrap();
        assert_eq!(back, [0x11; W]);
    }
    works::<1, 128>();
    works::<2, 1024>();
    works::<8, 2048>();
    works::<16, 8192>();
    works::<32, 131_072>();
}
