//! Whole updates: the simulated device of `examples/sim` against the provider, in good weather and bad.

use std::process::Command;

use coreota::error::Failure;
use sim_device::{Behaviour, BoardName, EXIT_POWER_CUT, Event, How, Stage};

use crate::sim::{SIZE, Sim, image, image_for, told};
use crate::world::World;

const BOARDS: [BoardName; 2] = [BoardName::SimMcuboot, BoardName::SimEmbassy];

fn publish(world: &World, image: &str, job: &str, thing: &str) {
    world.events(&["publish", image, "--job", job, "--thing", thing]);
}

fn failed(stage: Stage) -> Option<Failure> {
    match stage {
        Stage::Failed { code, .. } => Failure::from_code(code),
        _ => None,
    }
}

fn boots(events: &[Event]) -> Vec<(How, &str)> {
    let boot = |event| match event {
        &Event::Boot { how, ref version } => Some((how, version.as_str())),
        _ => None,
    };
    events.iter().filter_map(boot).collect()
}

/// Cut in the middle of the download, resumed, swapped, tested, confirmed, told.
fn through_a_power_cut(world: &World, board: BoardName) {
    let thing = board.name();
    let v2 = image(world, board, 2, Behaviour::Works);
    publish(world, &v2, thing, thing);
    let half = board.download_operations(SIZE / 2).to_string();
    let mut device = Sim::start(world, board, thing, &["--cut-after", &half]);
    device.until(|event| matches!(event, Event::PowerCut { .. }));
    assert_eq!(device.end(), Some(EXIT_POWER_CUT.into()));

    let mut device = Sim::start(world, board, thing, &[]);
    let (stage, events) = device.over();
    let (from, to) = ("1.0.0".to_owned(), "2.0.0".to_owned());
    assert_eq!(stage, Stage::Succeeded { from, to }, "{events:#?}");
    assert_eq!(boots(&events), [(How::Unchanged, "1.0.0"), (How::Trial, "2.0.0")]);
    let resumed = events.iter().any(|event| {
        matches!(
            event,
            Event::Status { stage: Stage::Receiving { received, .. }, fetched, .. }
                if received > fetched
        )
    });
    assert!(resumed, "{events:#?}");
    assert_eq!(told(world, thing, thing).0, "SUCCEEDED");
}

#[test]
fn both_boards_update_through_a_power_cut_on_the_embedded_broker() {
    let world = World::embedded();
    for board in BOARDS {
        through_a_power_cut(&world, board);
    }
}

#[test]
fn both_boards_update_through_a_power_cut_on_mosquitto() {
    let world = World::on_mosquitto();
    for board in BOARDS {
        through_a_power_cut(&world, board);
    }
}

#[test]
fn an_image_that_fails_its_self_test_is_left() {
    let world = World::embedded();
    let mut devices = BOARDS.map(|board| {
        let v4 = image(&world, board, 4, Behaviour::FailsSelfTest);
        publish(&world, &v4, board.name(), board.name());
        (board, Sim::start(&world, board, board.name(), &[]))
    });
    for (board, device) in &mut devices {
        let (stage, events) = device.over();
        assert_eq!(failed(stage), Some(Failure::SelfTest), "{events:#?}");
        let boots = boots(&events);
        assert_eq!(boots[1..], [(How::Trial, "4.0.0"), (How::Reverted, "1.0.0")]);
        let (status, reason) = told(&world, board.name(), board.name());
        assert_eq!(status, "FAILED");
        assert!(reason.contains(Failure::SelfTest.text()), "{reason}");
    }
}

#[test]
fn what_is_lost_comes_again_and_what_comes_twice_counts_once() {
    let weather = ["--loss", "0.15", "--dup", "0.15", "--reorder", "0.15", "--seed", "3"];
    let world = World::idle().serving(&weather);
    let v2 = image(&world, BoardName::SimMcuboot, 2, Behaviour::Works);
    publish(&world, &v2, "j", "a");
    let (stage, events) = Sim::start(&world, BoardName::SimMcuboot, "a", &[]).over();
    assert!(matches!(stage, Stage::Succeeded { .. }), "{stage:?} {events:#?}");
}

#[test]
fn damaged_blocks_never_boot() {
    let world = World::idle().serving(&["--corrupt", "0.3"]);
    let v2 = image(&world, BoardName::SimMcuboot, 2, Behaviour::Works);
    publish(&world, &v2, "j", "a");
    let mut device = Sim::start(&world, BoardName::SimMcuboot, "a", &[]);
    let (stage, events) = device.over();
    assert_eq!(failed(stage), Some(Failure::Digest), "{events:#?}");
    assert_eq!(boots(&events), [(How::Unchanged, "1.0.0")]);
    assert_eq!(told(&world, "j", "a").0, "FAILED");
}

#[test]
fn a_download_outlives_its_broker() {
    let mut world = World::on_mosquitto();
    let v2 = image(&world, BoardName::SimMcuboot, 2, Behaviour::Works);
    let mut device = Sim::start(&world, BoardName::SimMcuboot, "a", &[]);
    publish(&world, &v2, "j", "a");
    device.freeze_in_download();
    world.restart_mosquitto();
    device.thaw();
    let (stage, events) = device.over();
    assert!(matches!(stage, Stage::Succeeded { .. }), "{stage:?} {events:#?}");
}

#[test]
fn a_job_cancelled_in_mid_download_ends_there() {
    let world = World::embedded();
    let v2 = image(&world, BoardName::SimMcuboot, 2, Behaviour::Works);
    let mut device = Sim::start(&world, BoardName::SimMcuboot, "a", &[]);
    publish(&world, &v2, "j", "a");
    device.freeze_in_download();
    world.events(&["cancel", "j", "--force"]);
    device.thaw();
    // It stops and goes on with the next job: from v1, so v2 was never installed.
    let v3 = image(&world, BoardName::SimMcuboot, 3, Behaviour::Works);
    publish(&world, &v3, "k", "a");
    let succeeded =
        |event: &Event| matches!(event, Event::Status { stage: Stage::Succeeded { .. }, .. });
    let (event, events) = device.until(succeeded);
    let Event::Status { stage, .. } = event else { unreachable!("only a status is waited for") };
    let (from, to) = ("1.0.0".to_owned(), "3.0.0".to_owned());
    assert_eq!(stage, Stage::Succeeded { from, to }, "{events:#?}");
    assert_eq!(told(&world, "j", "a").0, "CANCELED");
    assert_eq!(told(&world, "k", "a").0, "SUCCEEDED");
}

#[test]
fn an_image_for_another_board_is_refused() {
    let world = World::embedded();
    let board = BoardName::SimMcuboot;
    let other = image_for(&world, board, "toaster", 2, Behaviour::Works);
    publish(&world, &other, "j", "a");
    let (stage, events) = Sim::start(&world, board, "a", &[]).over();
    assert_eq!(failed(stage), Some(Failure::SignedOtherBoard), "{events:#?}");
    assert_eq!(boots(&events), [(How::Unchanged, "1.0.0")]);
}

#[test]
fn a_stream_that_ends_early_ends_the_job() {
    let world = World::embedded();
    let v2 = image(&world, BoardName::SimMcuboot, 2, Behaviour::Works);
    let document = r#"{"afr_ota": {"protocols": ["MQTT"], "streamname": "${stream}", "files": [
        {"filepath": "v2", "filesize": 180000, "fileid": 0, "certfile": "demo"}]}}"#;
    std::fs::write(world.dir.join("early.json"), document).expect("writable");
    let publish = ["publish", &v2, "--job", "j", "--thing", "a", "--document", "early.json"];
    world.events(&publish);
    let mut device = Sim::start(&world, BoardName::SimMcuboot, "a", &[]);
    let (stage, events) = device.over();
    assert_eq!(failed(stage), Some(Failure::StreamShort), "{events:#?}");
    assert_eq!(boots(&events), [(How::Unchanged, "1.0.0")]);
    assert_eq!(told(&world, "j", "a").0, "FAILED");
}

#[test]
fn a_device_without_a_broker_says_so_and_waits_for_it() {
    let mut world = World::idle();
    let mut device = Sim::start(&world, BoardName::SimMcuboot, "a", &[]);
    let (event, _) = device.until(|event| matches!(event, Event::Trouble { .. }));
    assert!(event.to_string().contains(&format!("127.0.0.1:{}", world.port)), "{event}");
    world.serve(&[]);
    let v2 = image(&world, BoardName::SimMcuboot, 2, Behaviour::Works);
    publish(&world, &v2, "j", "a");
    let (stage, events) = device.over();
    assert!(matches!(stage, Stage::Succeeded { .. }), "{stage:?} {events:#?}");
}

#[test]
fn a_flash_file_without_room_is_an_error_that_says_so() {
    let world = World::idle();
    // In KiB: half of the flash. Without the trap a signal would come instead of the error.
    let limited = "trap '' XFSZ; ulimit -f 512; exec \"$@\"";
    let out = Command::new("bash")
        .args(["-c", limited, "-", env!("CARGO_BIN_EXE_cargo-ota")])
        .args(["ota", "sim-device", "--flash", "a.nor"])
        .current_dir(&world.dir)
        .output()
        .expect("bash starts");
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("a.nor") && said.contains("1048576 bytes"), "{said}");
    assert!(!world.dir.join("a.nor").exists(), "half a flash must not be left");
}

#[test]
fn what_a_device_cannot_run_is_told() {
    let world = World::idle();
    let said = world.fails(3, &["sim-device", "--flash", "b.nor", "--provision", "fw.bin"]);
    assert!(said.contains("fw.bin") && said.contains("sign it for this board"), "{said}");
    let said = world.fails(2, &["sim-device", "--flash", "b.nor", "--broker", "mqtts://h"]);
    assert!(said.contains("TLS"), "{said}");
}
