//! Updates over a link that loses, repeats, swaps and damages messages and drops the connection.

mod world;

use coreota::{Version, sim::link::Weather};
use world::{BLOCK, Embassy, World, firmware};

type Board = Embassy<4, 1024, 8, true>;

const V1: Version = Version::new(1, 0, 0);
const V2: Version = Version::new(2, 0, 0);

fn through(weather: Weather, seed: u64) -> World<Board, 4, 1024> {
    let v2 = firmware::<Board>(V2, 5000, true);
    let mut world = World::new(vec![firmware::<Board>(V1, 3000, true), v2.clone()]);
    world.provider().offer("job", &v2.file);
    (world.weather, world.seed) = (weather, seed * 1000);
    world.live();
    world
}

/// Without damage an update always succeeds, whatever is lost and in whatever order it comes.
fn always_succeeds(weather: Weather) {
    for seed in 0..60 {
        let mut world = through(weather, seed);
        let job = world.provider().find("job").clone();
        assert!(job.last().starts_with("SUCCEEDED"), "seed {seed}: {job:#?}");
        assert_eq!(world.boot().unwrap().version, V2, "seed {seed}");
    }
}

#[test]
fn loss() {
    always_succeeds(Weather { loss: 20, ..Weather::default() });
}

#[test]
fn duplicates_and_reordering() {
    always_succeeds(Weather { duplicate: 30, reorder: 30, ..Weather::default() });
}

#[test]
fn disconnects() {
    always_succeeds(Weather { disconnect: 4, ..Weather::default() });
}

#[test]
fn everything_but_damage() {
    always_succeeds(Weather {
        loss: 10,
        duplicate: 10,
        reorder: 10,
        disconnect: 2,
        ..Weather::default()
    });
}

/// A block without a single fault is fetched once: loss costs what was lost, not the window.
#[test]
fn loss_costs_what_was_lost() {
    let mut world = through(
        Weather { loss: 10, on: Some(|t| t.ends_with("/data/cbor")), ..Weather::default() },
        7,
    );
    let blocks = world.images[1].file.len().div_ceil(BLOCK);
    let sent = world.provider().sent.len();
    assert!(sent <= blocks + blocks / 3, "{sent} sent for {blocks}");
}

/// Damage is never installed, and never called success.
#[test]
fn damage() {
    let mut failed = 0;
    for seed in 0..100 {
        let mut world = through(Weather { corrupt: 4, ..Weather::default() }, seed);
        let job = world.provider().find("job").clone();
        let runs = world.boot().unwrap().version;
        let told = if runs == V2 { "SUCCEEDED" } else { "FAILED" };
        assert_eq!(job.status, told, "seed {seed}: {job:#?}");
        failed += u32::from(runs == V1);
    }
    // Twice the policy lets it try; most get through.
    assert!(failed < 50, "{failed} of 100 failed");
}
