//! Every error of a file: the bad file, and exactly what is said of it.
//! `COREOTA_BLESS=1` writes what is said now; read the difference before it is committed.

use std::path::Path;

#[test]
fn every_bad_file_is_told_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let bless = std::env::var_os("COREOTA_BLESS").is_some();
    let mut cases = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        cases += 1;
        let document = coreota_config::load(&file, "ota.toml").unwrap();
        let told = match coreota_config::check(&document) {
            Ok(_) => "nothing is wrong".into(),
            Err(report) => format!("{report}\n"),
        };
        let golden = file.with_extension("txt");
        if bless {
            std::fs::write(&golden, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if told != expected {
            wrong.push(format!("{}:\n{told}\nbut expected:\n{expected}", file.display()));
        }
    }
    assert!(cases > 50, "only {cases} cases were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_sample_and_the_files_of_the_tests_hold_together() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ota.toml");
    let document = coreota_config::load(&sample, "ota.toml").unwrap();
    let model = coreota_config::check(&document).unwrap_or_else(|report| panic!("{report}"));
    let names: Vec<_> = model.boards.iter().map(|board| board.name.value.as_str()).collect();
    assert_eq!(
        names,
        [
            "sim-mcuboot",
            "sim-embassy",
            "sim-plugins",
            "emcraft-sf2",
            "emcraft-sf2-mcuboot",
            "emcraft-sf2-tls",
            "virt-riscv32",
            "microbit"
        ]
    );
}
