//! The schema in an editor's hands: tombi, offline, on the sample and on files that break it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What tombi says of a text, and whether it is content.
fn lint(name: &str, text: &str) -> (bool, String) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(root.join("ota.schema.json"), folder.join("ota.schema.json")).unwrap();
    let file = folder.join("ota.toml");
    std::fs::write(&file, text).unwrap();
    let run =
        Command::new("tombi").args(["lint", "--offline"]).arg(&file).current_dir(&folder).output();
    let run = run.expect("tombi is needed: `pip install tombi`");
    let said = [run.stdout, run.stderr].concat();
    (run.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn sample() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ota.toml")).unwrap()
}

#[test]
fn the_sample_is_good() {
    let (good, said) = lint("sample", &sample());
    assert!(good, "{said}");
}

/// Each line: what is changed in the sample, and a word of what an editor must say.
#[test]
fn bad_files_are_marked_where_they_are_bad() {
    let cases = [
        ("unknown-key", "window = 8", "windw = 8", "windw"),
        ("wrong-word", "encoding = \"cbor\"", "encoding = \"cbr\"", "cbor"),
        ("wrong-type", "attempts = 3", "attempts = \"three\"", "Integer"),
        ("too-large", "window = 8", "window = 65", "64"),
        ("wrong-unit", "block-size = \"4 KiB\"", "block-size = \"4 KB\"", "KiB"),
        ("wrong-region", "\"0 + 192 KiB\"", "\"192 KiB\"", "KiB"),
        ("missing-key", "name = \"thermostat\"\n", "", "name"),
        ("unknown-kind", "kind = \"afr-ota\"", "kind = \"afr-oat\"", ""),
        (
            "unknown-key-of-a-kind",
            "mode = \"swap-offset\"",
            "mode = \"swap-offset\", speed = 1",
            "speed",
        ),
        ("wrong-override", "block-size = \"1 KiB\"", "block-sice = \"1 KiB\"", "block-sice"),
    ];
    for (name, right, wrong, word) in cases {
        let text = sample();
        assert!(text.contains(right), "{name}: the sample has no {right:?}");
        let line = 1 + text.split(right).next().unwrap().matches('\n').count();
        let (good, said) = lint(name, &text.replacen(right, wrong, 1));
        assert!(!good, "{name} was not found");
        assert!(said.contains(word), "{name}: {said}");
        // A missing key is told at its table.
        let place = if name == "missing-key" { line - 1 } else { line };
        assert!(said.contains(&format!("ota.toml:{place}:")), "{name}, line {place}: {said}");
    }
}
