//! The power fails at every flash operation of a whole update, in every way it can: download,
//! journal, staging, the bootloader's swap, confirming. After each cut the device boots an
//! authentic image, comes to rest, and what the provider was told is what runs.

mod world;

use coreota::Version;
use coreota::sim::nor::{Count, Fuse, Tear};
use world::{BLOCK, Board, Embassy, McubootOffset, World, firmware};

const V1: Version = Version::new(1, 0, 0);
const V2: Version = Version::new(2, 0, 0);

struct Tally {
    cuts: u32,
    rolled_back: u32,
    blocks_again: usize,
}

/// A device that is about to learn of version 2.
fn start<B: Board, const W: usize, const E: usize>(len: usize) -> World<B, W, E> {
    let v2 = firmware::<B>(V2, len, true);
    let mut world = World::new(vec![firmware::<B>(V1, len / 2, true), v2.clone()]);
    world.provider().offer("job", &v2.file);
    world
}

/// Lives on with a fuse that blows once.
fn cut_at<B: Board, const W: usize, const E: usize>(len: usize, fuse: Fuse, tally: &mut Tally) {
    let mut world = start::<B, W, E>(len);
    let rewrite = B::LAYOUT.rewrite;
    let nor = world.nor.take().unwrap();
    let mut nor = nor.with_seed(fuse.after + 1);
    nor.arm(Some(fuse));
    world.nor = Some(nor);
    let runs = world.live();
    let what = format!("{fuse:?}");
    assert_eq!(world.cuts, 1, "{what}: the fuse has to blow");
    let job = world.provider().find("job").clone();
    match job.status {
        "SUCCEEDED" => assert_eq!(runs.version, V2, "{what}: told success"),
        "FAILED" => {
            assert_eq!(runs.version, V1, "{what}: told failure");
            // The one honest way to fail by a cut alone: it hit the trial, so that the
            // bootloader went back before the image was confirmed.
            assert!(job.last().contains("went back"), "{what}: {}", job.last());
            tally.rolled_back += 1;
        }
        other => panic!("{what}: the job is {other}"),
    }
    // At rest means at rest: a further boot changes nothing.
    assert_eq!(world.boot().unwrap().version, runs.version, "{what}");
    // What is safely written is not fetched again: but for the window that was on its way, and on
    // flash that must not be programmed twice the erase unit with the torn block in it, and the
    // window during which that was found out.
    let blocks = world.images[1].file.len().div_ceil(BLOCK);
    let again = world.provider().sent.len() - blocks;
    let unit = if rewrite { 0 } else { 8 + B::LAYOUT.erase as usize / BLOCK };
    assert!(again <= 8 + unit, "{what}: {again} blocks again");
    tally.blocks_again = tally.blocks_again.max(again);
    tally.cuts += 1;
}

fn cut_everywhere<B: Board, const W: usize, const E: usize>(len: usize, count: Count) {
    let mut world = start::<B, W, E>(len);
    assert_eq!(world.live().version, V2);
    let operations = world.nor().counts().operations(count);
    let mut tally = Tally { cuts: 0, rolled_back: 0, blocks_again: 0 };
    for after in 0..operations {
        for tear in Tear::ALL {
            cut_at::<B, W, E>(len, Fuse { after, count, tear }, &mut tally);
        }
    }
    println!(
        "W {W:2} E {E:5} rewrite {:5}: {operations} operations, {} cuts, {} rolled back, \
         at most {} blocks again",
        B::LAYOUT.rewrite,
        tally.cuts,
        tally.rolled_back,
        tally.blocks_again
    );
}

#[test]
fn at_every_word_embassy_w4() {
    cut_everywhere::<Embassy<4, 1024, 2, true>, 4, 1024>(900, Count::Words);
}

#[test]
fn at_every_call_embassy_w1() {
    cut_everywhere::<Embassy<1, 512, 4, true>, 1, 512>(1200, Count::Calls);
}

#[test]
fn at_every_call_embassy_small_pages() {
    cut_everywhere::<Embassy<2, 128, 16, true>, 2, 128>(1200, Count::Calls);
}

#[test]
fn at_every_call_embassy_ecc_w8() {
    cut_everywhere::<Embassy<8, 2048, 2, false>, 8, 2048>(2800, Count::Calls);
}

#[test]
fn at_every_call_embassy_ecc_w32() {
    cut_everywhere::<Embassy<32, 1024, 3, false>, 32, 1024>(2000, Count::Calls);
}

#[test]
fn at_every_call_mcuboot_w8() {
    cut_everywhere::<McubootOffset<8, 1024, 4, true>, 8, 1024>(2000, Count::Calls);
}

#[test]
fn at_every_call_mcuboot_w16_ecc() {
    cut_everywhere::<McubootOffset<16, 2048, 3, false>, 16, 2048>(2500, Count::Calls);
}

#[test]
fn at_every_call_mcuboot_w1() {
    cut_everywhere::<McubootOffset<1, 512, 6, true>, 1, 512>(1500, Count::Calls);
}

/// A second cut while the first is being dealt with, at places that chance picks.
#[test]
fn and_once_more_while_recovering() {
    fn twice<B: Board, const W: usize, const E: usize>(len: usize, seed: u64) {
        let mut random = coreota::sim::random::Random::new(seed);
        let mut world = start::<B, W, E>(len);
        world.live();
        let operations = world.nor().counts().operations(Count::Calls);
        for _ in 0..400 {
            let mut world = start::<B, W, E>(len);
            let mut cut = |world: &mut World<B, W, E>, within: u64| {
                let tear = Tear::ALL[random.below(4) as usize];
                let fuse = Fuse { after: random.below(within), count: Count::Calls, tear };
                world.nor().arm(Some(fuse));
                fuse
            };
            let first = cut(&mut world, operations);
            // Until the first cut; then at once the second fuse.
            while world.cuts == 0 {
                if let Some(runs) = world.boot() {
                    world.run(&runs);
                }
            }
            let second = cut(&mut world, 12);
            let runs = world.live();
            world.nor().arm(None);
            let job = world.provider().find("job").clone();
            let told = if runs.version == V2 { "SUCCEEDED" } else { "FAILED" };
            assert_eq!(job.status, told, "{first:?}, then {second:?}: {job:#?}");
        }
    }
    twice::<Embassy<4, 1024, 2, true>, 4, 1024>(900, 1);
    twice::<Embassy<8, 2048, 2, false>, 8, 2048>(2800, 2);
    twice::<McubootOffset<8, 1024, 4, true>, 8, 1024>(2000, 3);
    twice::<McubootOffset<16, 2048, 3, false>, 16, 2048>(2500, 4);
}
