//! `cargo ota check`, `expand` and `schema` as a user runs them.

use std::path::Path;
use std::process::{Command, Output};

/// Runs the tool from the top of the project.
fn ota(args: &[&str]) -> Output {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-ota"));
    tool.arg("ota").args(args).current_dir(top).env_remove("COREOTA_BOARD").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The JSON events of a run.
fn events(run: &Output) -> Vec<serde_json::Value> {
    text(&run.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_sample_is_summed_up_board_by_board() {
    let run = ota(&["check"]);
    let said = text(&run.stdout);
    assert_eq!(run.status.code(), Some(0), "{said}");
    for word in [
        "sim-mcuboot",
        "sim-plugins",
        "acme-jobs, parser",
        "188 KiB in 47 blocks of 4 KiB",
        "Nothing is wrong.",
    ] {
        assert!(said.contains(word), "{word} is not in:\n{said}");
    }
    let events = events(&ota(&["check", "--json"]));
    let (all, boards) = events.split_last().expect("events");
    assert_eq!(all["boards"], boards.len());
    assert_eq!(events[0]["event"], "board");
    assert_eq!(events[0]["image"]["len"], 188 * 1024);
    assert_eq!(events[1]["ram"]["budget"], 8 * 1024);
    let plugins = &events[2];
    assert_eq!(plugins["ram"]["arenas"], 2 * 24 * 1024);
    assert_eq!(plugins["plugins"][1]["kind"], "protocol");
    assert_eq!(plugins["plugins"][2]["kind"], "table");
    assert_eq!(plugins["store"]["cells"], 4);
}

#[test]
fn every_mistake_is_told_and_the_answer_is_no() {
    let run = ota(&["check", "config/tests/ui/many.toml"]);
    assert_eq!(run.status.code(), Some(1));
    let said = text(&run.stdout);
    assert_eq!(said.matches("config/tests/ui/many.toml:").count(), 2 * 6, "{said}");
    assert!(text(&run.stderr).contains("6 mistakes in config/tests/ui/many.toml"));

    let events = events(&ota(&["check", "--json", "config/tests/ui/many.toml"]));
    assert_eq!(events.len(), 7);
    assert_eq!((&events[0]["line"], &events[0]["column"]), (&2.into(), &8.into()));
    assert_eq!(events[6]["code"], 1);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let run = ota(&["check", "nowhere.toml"]);
    assert_eq!(run.status.code(), Some(3));
    assert!(text(&run.stderr).contains("nowhere.toml: the file cannot be read"));
}

#[test]
fn the_expansion_is_the_golden_one() {
    let golden = include_str!("../../config/tests/golden/sim-embassy.rs");
    assert_eq!(text(&ota(&["expand", "--board", "sim-embassy"]).stdout), golden);
    let run = ota(&["expand", "--board", "sim-embasy"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stderr).contains("sim-mcuboot, sim-embassy"));
}

#[test]
fn schema_and_reference_are_what_is_committed() {
    assert_eq!(text(&ota(&["schema"]).stdout), include_str!("../../ota.schema.json"));
    let reference = include_str!("../../docs/ota-toml.md");
    assert_eq!(text(&ota(&["schema", "--reference"]).stdout), reference);
}
