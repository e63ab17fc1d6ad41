//! What is made from the definitions and committed: the expansion of the sample, the schema, the reference.
//! `COREOTA_BLESS=1` writes them anew; read the difference before it is committed.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn is_current(path: PathBuf, text: &str) {
    if std::env::var_os("COREOTA_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let first = committed.lines().zip(text.lines()).position(|(old, new)| old != new);
    assert!(
        committed == text,
        "{} is not current (first difference: line {:?}); run the test with COREOTA_BLESS=1",
        path.display(),
        first.map(|line| line + 1)
    );
}

#[test]
fn the_schema_is_current() {
    is_current(root().join("ota.schema.json"), &coreota_config::schema::schema());
}

/// A default that does not read would leave its key without a value.
#[test]
fn every_default_reads() {
    fn defaults(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Object(keys) => {
                assert_ne!(keys.get("default"), Some(&serde_json::Value::Null), "{keys:?}");
                let here = usize::from(keys.contains_key("default"));
                here + keys.values().map(defaults).sum::<usize>()
            }
            serde_json::Value::Array(list) => list.iter().map(defaults).sum(),
            _ => 0,
        }
    }
    let schema: serde_json::Value =
        serde_json::from_str(&coreota_config::schema::schema()).unwrap();
    assert!(defaults(&schema) > 15);

    let least = include_str!("../src/stub/ota.toml");
    let document =
        coreota_config::Document::new("ota.toml", &root().join("config/src/stub"), least.into());
    coreota_config::check(&document).unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn the_reference_is_current() {
    is_current(root().join("docs/ota-toml.md"), &coreota_config::reference::reference());
}

#[test]
fn the_expansion_of_the_sample_is_as_committed_and_short() {
    let document = coreota_config::load(&root().join("ota.toml"), "ota.toml").unwrap();
    let model = coreota_config::check(&document).unwrap();
    for device in &model.boards {
        let text = coreota_config::emit::format(coreota_config::emit(&model, device)).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("///")).count();
        let most = 120 + 40 * device.plugins.len();
        assert!(code <= most, "{code} lines for {}", device.name.value);
        let golden = format!("tests/golden/{}.rs", device.name.value);
        is_current(Path::new(env!("CARGO_MANIFEST_DIR")).join(golden), &text);
    }
}
