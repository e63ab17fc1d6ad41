//! `cargo ota demo`: it goes as told, on simulated and emulated boards; and says so where it cannot begin.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

fn demo(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-ota"))
        .args(["ota", "demo"])
        .args(args)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("the tool starts")
}

/// Tells the whole story on that board, and checks that each thing held.
fn goes_as_told(board: &str) {
    let out = demo(&["--json", "--board", board]);
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    let events: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON event")).collect();
    let holds: Vec<&str> = events
        .iter()
        .filter(|event| event["event"] == "holds")
        .filter_map(|event| event["what"].as_str())
        .collect();
    let expected = [
        "resumed: ",
        "the provider knows: update-v2 SUCCEEDED",
        "refused before it was staged",
        "the provider knows: update-v3 FAILED",
        "rolled back: ",
        "the provider knows: update-v4 FAILED",
    ];
    assert_eq!(holds.len(), expected.len(), "{holds:?}");
    for (held, expected) in holds.iter().zip(expected) {
        assert!(held.starts_with(expected), "{held}: not {expected}");
    }
}

#[test]
fn it_goes_as_told_on_both_simulated_boards_in_under_half_a_minute() {
    for board in ["sim-mcuboot", "sim-embassy"] {
        let began = Instant::now();
        goes_as_told(board);
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    }
}

/// Real firmware, built four times, and its real bootloader. Needs what `cargo ota build` and `run` need.
#[test]
fn it_goes_as_told_on_an_emulated_cortex_m3() {
    goes_as_told("emcraft-sf2");
}

/// The same where code runs in the flash that is updated.
#[test]
fn it_goes_as_told_on_an_emulated_riscv() {
    goes_as_told("virt-riscv32");
}

#[test]
fn a_device_is_taught_a_job_format_and_a_protocol() {
    let out = demo(&["--json", "--plugin"]);
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    for held in [
        "the provider knows: acme-1 REJECTED",
        "acme-jobs: verified and running",
        "the provider knows: teach-acme-jobs SUCCEEDED",
        "raw-blocks: verified and running",
        "the provider knows: teach-raw-blocks SUCCEEDED",
        "read by acme-jobs, fetched by raw-blocks",
        "the provider knows: acme-2 SUCCEEDED",
    ] {
        assert!(text.contains(held), "{held} in {text}");
    }
}

#[test]
fn a_board_that_cannot_be_run_is_told() {
    let out = demo(&["--board", "emcraft"]);
    assert_eq!(out.status.code(), Some(3));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("sim-mcuboot, sim-embassy, sim-plugins, emcraft-sf2"), "{said}");
}

#[test]
fn a_person_reads_the_four_phases_and_what_to_do_next() {
    let dir = std::env::temp_dir().join(format!("coreota-demo-test-{}", std::process::id()));
    let kept = dir.to_str().expect("UTF-8");
    let out = demo(&["--keep", kept]);
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    for word in
        ["\n  notify ", "\n  download ", "\n  verify ", "\n  install ", "1 SUCCEEDED, 2 FAILED"]
    {
        assert!(text.contains(word), "{word:?} in {text}");
    }
    assert!(!text.contains('\x1b'), "no colours into a pipe: {text:?}");
    for file in ["v1.img", "flash.nor", ".ota/state.json"] {
        assert!(dir.join(file).exists(), "{file} is kept");
    }

    let again = demo(&["--keep", kept]);
    assert_eq!(again.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&again.stderr).contains("name a new folder"), "{again:?}");
    std::fs::remove_dir_all(dir).expect("removable");
}
