//! Whole updates, one scenario each: the real orchestrator, flash formats and bootloaders, against
//! a provider that speaks AWS IoT Jobs and MQTT streams.

mod world;

use coreota::{
    Accept, Decision, Layout, Version,
    error::Failure,
    image::{About, Signer},
};
use coreota::{
    descriptor::Algorithm,
    sim::bootloader::Bootloader,
    sim::nor::{Count, Fuse, Tear},
};
use serde_json::json;
use world::{BLOCK, Board, Embassy, Ended, McubootOffset, World, firmware, firmware_by};

type OnEmbassy = World<Embassy<4, 1024, 8, true>, 4, 1024>;
type OnMcuboot = World<McubootOffset<8, 1024, 8, true>, 8, 1024>;

const V1: Version = Version::new(1, 0, 0);
const V2: Version = Version::new(1, 1, 0);

/// Lives a scenario on both boards: a device on version 1 with these further images.
macro_rules! on_both {
    ($name:ident($world:ident, $board:ident) $body:block) => {
        #[test]
        fn $name() {
            fn scenario<$board: Board, const W: usize, const E: usize>(
                mut $world: World<$board, W, E>,
            ) $body
            scenario(OnEmbassy::new(vec![firmware::<Embassy<4, 1024, 8, true>>(V1, 3000, true)]));
            scenario(OnMcuboot::new(vec![firmware::<McubootOffset<8, 1024, 8, true>>(V1, 3000, true)]));
        }
    };
}

on_both!(an_update_is_installed_confirmed_and_reported(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().offer("job-2", &v2.file);
    assert_eq!(world.live().version, V2);
    let job = world.provider().find("job-2").clone();
    assert_eq!(job.last(), "SUCCEEDED accepted v1.1.0");
    assert_eq!(job.told.last().unwrap().1["updatedBy"], "v1.0.0");
    let blocks = v2.file.len().div_ceil(BLOCK);
    let details: Vec<_> = job.told.iter().map(|(_, details)| details.to_string()).collect();
    assert!(details.contains(&format!(r#"{{"receive":"1/{blocks}"}}"#)), "{details:?}");
    assert!(details.iter().any(|d| d.contains(r#""self_test":"ready""#)), "{details:?}");
    // And it stays: one more boot runs the same image.
    assert_eq!(world.boot().unwrap().version, V2);
    assert_eq!(world.boots, 3);
});

on_both!(a_plugin_is_refused_before_a_byte_is_fetched_where_none_is_hosted(world, _B) {
    world.provider().offer_files("plugin", &[(101, b"a module")]);
    assert_eq!(world.live().version, V1);
    let job = world.provider().find("plugin").clone();
    assert!(job.last().contains("rejected: 0x00000601 no plugin"), "{}", job.last());
    assert!(!job.told.iter().any(|(_, details)| details.to_string().contains("receive")));
});

on_both!(a_bad_image_is_refused_before_it_is_staged(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    let mut tampered = v2.file.clone();
    tampered[2000] ^= 1;
    world.provider().offer("tampered", &tampered);
    let stranger = Signer::new(Algorithm::EcdsaP256, &[9; 32]).unwrap();
    world.provider().offer("foreign", &firmware_by::<B>(V2, 5000, true, "world", &[stranger]).file);
    let own = Signer::new(Algorithm::EcdsaP256, &[7; 32]).unwrap();
    world.provider().offer("other-board", &firmware_by::<B>(V2, 5000, true, "toaster", &[own]).file);
    world.provider().offer("older", &firmware::<B>(Version::new(0, 9, 0), 5000, true).file);
    assert_eq!(world.live().version, V1);
    assert_eq!(world.boots, 1);
    for (name, why) in [
        ("tampered", Failure::Digest),
        ("foreign", Failure::NoTrustedKey),
        ("other-board", Failure::SignedOtherBoard),
        ("older", Failure::SignedNotNewer),
    ] {
        let last = world.provider().find(name).last();
        assert!(last.starts_with("FAILED") && last.contains(why.text()), "{name}: {last}");
    }
});

on_both!(an_image_that_fails_its_self_test_is_rolled_back(world, B) {
    let v2 = firmware::<B>(V2, 5000, false);
    world.images.push(v2.clone());
    world.provider().offer("job-2", &v2.file);
    assert_eq!(world.live().version, V1);
    let last = world.provider().find("job-2").last();
    assert!(last.starts_with("FAILED") && last.contains(Failure::SelfTest.text()), "{last}");
});

on_both!(a_lost_block_is_asked_for_again_within_two_round_trips(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().offer("job-2", &v2.file);
    // In the first window, where no round trip is known yet; in the middle, and at the end of one.
    world.provider().lose = vec![10, 15];
    assert_eq!(world.live().version, V2);
    let asked = world.provider().asked.clone();
    for lost in [10, 15] {
        let times: Vec<_> =
            asked.iter().filter(|(_, blocks)| blocks.contains(&lost)).map(|(at, _)| *at).collect();
        assert_eq!(times.len(), 2, "{asked:?}");
        // 40 ms there and back, and a tick.
        assert!(times[1] - times[0] <= 2 * 40 + 40, "{lost} after {} ms", times[1] - times[0]);
    }
    // Only what was missing is asked for again.
    assert!(asked.iter().any(|(_, blocks)| *blocks == [10] || *blocks == [10, 15]), "{asked:?}");
});

on_both!(after_a_power_cut_only_missing_blocks_are_fetched(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().offer("job-2", &v2.file);
    let runs = world.boot().unwrap();
    world.nor().arm(Some(Fuse { after: 30, count: Count::Calls, tear: Tear::Bits }));
    assert_eq!(world.run(&runs), Some(Ended::Cut));
    let before = world.provider().sent.len();
    assert!(before > 8, "the cut came before the download was under way");
    assert_eq!(world.live().version, V2);
    let blocks = v2.file.len().div_ceil(BLOCK);
    let sent = world.provider().sent.len();
    assert!(sent < blocks + 8 + 1, "{sent} of {blocks} blocks were sent, {before} before the cut");
    assert!(world.provider().find("job-2").last().starts_with("SUCCEEDED"));
});

on_both!(a_link_that_goes_down_parks_the_download(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().offer("job-2", &v2.file);
    let runs = world.boot().unwrap();
    // The device starts, then finds no broker for five minutes.
    world.nor().arm(Some(Fuse { after: 20, count: Count::Calls, tear: Tear::Clean }));
    assert_eq!(world.run(&runs), Some(Ended::Cut));
    world.wire.as_mut().unwrap().cut(300_000);
    assert_eq!(world.live().version, V2);
    assert!(world.application.trouble.borrow().contains(&Failure::LinkDown));
});

on_both!(a_job_that_is_cancelled_ends_the_download(world, B) {
    let v2 = firmware::<B>(V2, 6400, true);
    world.provider().offer("job-2", &v2.file);
    world.provider().cancel_after = Some(8);
    assert_eq!(world.live().version, V1);
    assert_eq!(world.provider().find("job-2").status, "CANCELED");
    assert!(world.provider().sent.len() <= 24, "{:?}", world.provider().sent);
});

on_both!(a_job_that_is_cancelled_after_its_last_block_is_not_installed(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.provider().offer("job-2", &v2.file);
    world.provider().cancel_after = Some(v2.file.len().div_ceil(BLOCK));
    assert_eq!(world.live().version, V1);
    assert_eq!(world.provider().find("job-2").status, "CANCELED");
    assert_eq!(world.boots, 1);
});

on_both!(a_final_report_is_repeated_until_accepted_over_reboots(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().offer("job-2", &v2.file);
    world.provider().deaf = 3;
    assert_eq!(world.live().version, V2);
    assert_eq!(world.provider().deaf, 0);
    assert!(world.provider().find("job-2").last().starts_with("SUCCEEDED"));
});

on_both!(a_document_that_no_parser_knows_is_rejected_with_their_reasons(world, B) {
    let _ = B::LAYOUT;
    world.provider().job("other", json!({"operation": "reboot"}));
    assert_eq!(world.live().version, V1);
    let job = world.provider().find("other").clone();
    // Started by the asking, so that it can only fail.
    let last = job.last();
    assert!(last.starts_with("FAILED"), "{last}");
    assert!(last.contains(Failure::UnknownJob.text()) && last.contains("afr-ota 0x0102"), "{last}");
});

on_both!(what_cannot_fit_is_refused_before_the_first_erase(world, B) {
    let _ = B::LAYOUT;
    world.provider().offer("large", &vec![1; 100_000]);
    assert_eq!(world.live().version, V1);
    let last = world.provider().find("large").last();
    assert!(last.contains(Failure::TooLarge.text()), "{last}");
    assert!(world.nor().wear().iter().all(|erases| *erases == 0));
});

on_both!(an_image_that_was_proved_bad_is_not_fetched_again(world, B) {
    let mut tampered = firmware::<B>(V2, 5000, true).file;
    tampered[100] ^= 1;
    world.provider().offer("first", &tampered);
    let document = world.provider().find("first").document.clone();
    world.provider().job("again", document);
    assert_eq!(world.live().version, V1);
    let last = world.provider().find("again").last();
    assert!(last.contains(Failure::RefusedBefore.text()), "{last}");
    // Twice, as the policy allows for damage on the way, and not once more.
    assert_eq!(world.provider().sent.len(), 2 * tampered.len().div_ceil(BLOCK));
});

/// embassy-boot with a hook that decides.
struct Asking;

impl Board for Asking {
    const LAYOUT: Layout = <Embassy<4, 1024, 8, true> as Board>::LAYOUT;
    const ACCEPT: Accept = Accept::Ask;
    type Boot = <Embassy<4, 1024, 8, true> as Board>::Boot;
    type Verifier = <Embassy<4, 1024, 8, true> as Board>::Verifier;
    type Parsers = <Embassy<4, 1024, 8, true> as Board>::Parsers;
    type Plugins = <Embassy<4, 1024, 8, true> as Board>::Plugins;
    fn parsers() -> Self::Parsers {
        Embassy::<4, 1024, 8, true>::parsers()
    }
    fn plugins() -> Self::Plugins {
        Embassy::<4, 1024, 8, true>::plugins()
    }
    fn boot() -> Self::Boot {
        Embassy::<4, 1024, 8, true>::boot()
    }
    fn verifier() -> Self::Verifier {
        Embassy::<4, 1024, 8, true>::verifier()
    }
    fn loader() -> impl Bootloader {
        Embassy::<4, 1024, 8, true>::loader()
    }
    fn image(payload: &[u8], about: &About<'_>, signers: &[Signer]) -> Vec<u8> {
        Embassy::<4, 1024, 8, true>::image(payload, about, signers)
    }
}

fn asking(decisions: &[Decision]) -> World<Asking, 4, 1024> {
    let mut world = World::new(vec![firmware::<Asking>(V1, 3000, true)]);
    let v2 = firmware::<Asking>(V2, 5000, true);
    world.provider().offer("job-2", &v2.file);
    world.images.push(v2);
    world.application.decisions.borrow_mut().extend(decisions);
    world
}

#[test]
fn a_rejected_job_is_told_so_before_it_is_started() {
    let mut world = asking(&[Decision::Reject]);
    assert_eq!(world.live().version, V1);
    let job = world.provider().find("job-2").clone();
    assert_eq!(job.status, "REJECTED");
    assert_eq!(job.told.len(), 1);
    assert!(job.last().contains(Failure::Policy.text()), "{}", job.last());
}

#[test]
fn a_deferred_job_stays_queued_and_is_asked_about_again() {
    let hour = Decision::Defer { ms: 3_600_000 };
    let mut world = asking(&[hour, hour, Decision::Accept]);
    assert_eq!(world.live().version, V2);
    assert!(world.clock.elapsed_ms() >= 2 * 3_600_000, "{} ms", world.clock.elapsed_ms());
    // Nothing was told until it was accepted.
    let job = world.provider().find("job-2").clone();
    assert_eq!(job.told[0].0, "IN_PROGRESS");
    assert!(job.last().starts_with("SUCCEEDED"));
}

#[test]
fn drivers_agree() {
    // One world whose flash really waits before each operation, one whose flash never does.
    let trace = |waits: bool| {
        let v2 = firmware::<Embassy<4, 1024, 8, true>>(V2, 5000, true);
        let mut world = OnEmbassy::new(vec![firmware::<Embassy<4, 1024, 8, true>>(V1, 3000, true)]);
        world.images.push(v2.clone());
        world.provider().offer("job-2", &v2.file);
        world.provider().lose = vec![3];
        world.waits = waits;
        world.nor().record();
        world.live();
        let trace = world.nor().trace().to_vec();
        (trace, world.provider().asked.clone(), world.provider().find("job-2").told.clone())
    };
    assert_eq!(trace(true), trace(false));
}
