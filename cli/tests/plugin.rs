//! `cargo ota plugin`: what it scaffolds builds and passes its tests; what is wrong is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of a test's own, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("ota-plugin-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("writable");
        Self(dir)
    }

    fn ota(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-ota"));
        command.current_dir(&self.0).args(["ota", "--json"]).args(args);
        // `core` is built once for all of them.
        command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins"));
        command.output().expect("the tool starts")
    }

    /// The events of a command that succeeds.
    fn done(&self, args: &[&str]) -> Vec<Value> {
        let out = self.ota(args);
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        assert!(out.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&out.stderr));
        text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
    }

    /// Exit code, message and fix of a command that fails.
    fn fails(&self, args: &[&str]) -> (i32, String, String) {
        let out = self.ota(args);
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        let last: Value =
            serde_json::from_str(text.lines().last().expect("an event")).expect("JSON");
        assert_eq!(last["event"], "error", "{text}");
        let word = |key: &str| last[key].as_str().unwrap_or_default().to_owned();
        (out.status.code().expect("no signal"), word("message"), word("fix"))
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("writable");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn whatever_is_begun_builds_and_is_small_enough() {
    let folder = Folder::new("new");
    for (lang, kind, most) in [
        ("rust", "parser", 2500),
        ("rust", "protocol", 2500),
        ("c", "parser", 1500),
        ("c", "protocol", 1200),
    ] {
        let name = format!("{lang}-{kind}");
        folder.done(&["plugin", "new", &name, "--lang", lang, "--kind", kind]);
        let built = folder.done(&["plugin", "build", &name]).remove(0);
        assert_eq!((&built["event"], &built["kind"]), (&"built".into(), &kind.into()), "{built}");
        let size = built["size"].as_u64().expect("a number");
        assert!(size <= most, "{name}: {built}");
        let arena = built["arena"].as_u64().expect("a number");
        assert!((4_000..18_000).contains(&arena), "{name}: {built}");
        assert!(built["fuel"].as_u64().is_some_and(|fuel| fuel > 50), "{name}: {built}");
        let module = fs::read(folder.0.join(&name).join(&name).with_extension("wasm"));
        assert_eq!(module.expect("written").len() as u64, size);
        let tested = folder.done(&["plugin", "test", &name]);
        let last = tested.last().expect("an event");
        let (with, count) = if kind == "parser" { ("documents", 2) } else { ("events", 1) };
        assert_eq!((&last[with], &last["failed"]), (&count.into(), &0.into()), "{last}");
        assert_eq!(tested.len(), count + 1, "{tested:?}");
    }
    let (code, message, _) = folder.fails(&["plugin", "new", "c-parser"]);
    assert_eq!(code, 3);
    assert!(message.contains("it is there already"), "{message}");
}

#[test]
fn a_document_that_is_read_otherwise_is_told_field_by_field() {
    let folder = Folder::new("test");
    folder.done(&["plugin", "new", "lamp", "--lang", "c"]);
    let expected = "[[file]]\nsize = 120001\nstream = \"fw-7\"\nversion = \"2.0.0\"\n";
    folder.write("lamp/documents/job.expect.toml", expected);
    let out = folder.ota(&["plugin", "test", "lamp"]);
    assert_eq!(out.status.code(), Some(1));
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    assert!(text.contains("size is 120000, not 120001"), "{text}");
    assert!(text.contains("sha256 is 9f86"), "{text}");
    fs::remove_dir_all(folder.0.join("lamp/documents")).expect("there");
    let (code, message, fix) = folder.fails(&["plugin", "test", "lamp"]);
    assert_eq!(code, 3);
    assert!(message.contains("no documents") && fix.contains("expect.toml"), "{message} {fix}");
}

#[test]
fn a_protocol_that_does_otherwise_is_told_event_by_event() {
    let folder = Folder::new("events");
    folder.done(&["plugin", "new", "carrier", "--lang", "c", "--kind", "protocol"]);
    let events = fs::read_to_string(folder.0.join("carrier/events/file.toml")).expect("there");
    folder.write("carrier/events/file.toml", &events.replace("StreamMissing", "StreamShort"));
    let out = folder.ota(&["plugin", "test", "carrier"]);
    assert_eq!(out.status.code(), Some(1));
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    let told = "event 9, `message`: came to refused StreamMissing, not to refused StreamShort";
    assert!(text.contains(told), "{text}");
    fs::remove_dir_all(folder.0.join("carrier/events")).expect("there");
    let (code, message, _) = folder.fails(&["plugin", "test", "carrier"]);
    assert!(code == 3 && message.contains("no events"), "{message}");
    // A job protocol is tried too; its module is a sample's.
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/samples");
    let sample = samples.join("line-jobs");
    let module = sample.join("line-jobs.wasm");
    let (sample, module) = (sample.to_str().expect("UTF-8"), module.to_str().expect("UTF-8"));
    let last = folder.done(&["plugin", "test", sample, "--module", module]).remove(1);
    assert_eq!((&last["events"], &last["failed"]), (&1.into(), &0.into()), "{last}");
    assert!(last["fuel"].as_u64().is_some_and(|fuel| fuel > 500), "{last}");
}

const OTA_TOML: &str = r#"
[product]
name = "lamp"
version = "1.0.0"
[[job-source]]
kind = "aws-iot-jobs"
[[parser]]
kind = "plugin"
plugin = "lamp"
[[plugin]]
name = "lamp"
kind = "parser"
slot = "8 KiB"
arena = "ARENA"
[transport.mqtt-stream]
[verify]
require = ["ecdsa-p256"]
key = [{ id = "k", algorithm = "ecdsa-p256", file = "k.pub.pem", for = ["image", "plugin"] }]
[board.b]
target = "host"
bootloader = { kind = "mcuboot", mode = "swap-offset" }
flash = { size = "1 MiB", erase = "4 KiB", write = 4 }
partitions = { primary = "0 + 192 KiB", secondary = "256 KiB + 196 KiB", journal = "512 KiB + 8 KiB", plugins = "520 KiB + 24 KiB" }
"#;

#[test]
fn a_board_takes_it_or_says_what_it_lacks() {
    let folder = Folder::new("check");
    folder.done(&["plugin", "new", "lamp", "--lang", "c"]);
    folder.done(&["plugin", "new", "other", "--lang", "c", "--kind", "protocol"]);
    folder.done(&["keygen", "k"]);
    folder.write("ota.toml", &OTA_TOML.replace("ARENA", "24 KiB"));
    let told = folder.done(&["plugin", "check", "lamp", "--board", "b"]).remove(0);
    assert_eq!(told["takes"], true, "{told}");

    folder.write(
        "ota.toml",
        &OTA_TOML.replace("ARENA", "5 KiB").replace("[transport", "memory = \"4 KiB\"\n[transport"),
    );
    let (code, message, fix) = folder.fails(&["plugin", "check", "lamp", "--board", "b"]);
    assert_eq!(code, 1);
    assert!(message.contains("too little arena") && fix.contains("`arena = "), "{message} {fix}");

    let (code, message, fix) = folder.fails(&["plugin", "check", "other", "--board", "b"]);
    assert_eq!(code, 1);
    assert!(message.contains("no plugin `other`") && fix.contains("lamp"), "{message} {fix}");
    let (code, message, _) = folder.fails(&["plugin", "check", "lamp", "--board", "c"]);
    assert!(code == 3 && message.contains("no board `c`"), "{message}");
}

#[test]
fn a_signed_file_says_what_was_measured_and_only_such_a_file_is_published() {
    let folder = Folder::new("sign");
    folder.done(&["plugin", "new", "lamp", "--lang", "c"]);
    folder.done(&["plugin", "build", "lamp"]);
    folder.done(&["keygen", "k"]);
    let sign =
        ["plugin", "sign", "lamp/lamp.wasm", "lamp.plugin", "--key", "k.pem", "--version", "1.2.3"];
    let signed = folder.done(&sign).remove(0);
    let file = fs::read(folder.0.join("lamp.plugin")).expect("written");
    let read = coreota::image::PluginFile::read(&file).expect("a plugin");
    assert_eq!((read.name, read.facts.version.revision), ("lamp", 3));
    assert_eq!(u64::from(read.facts.arena), signed["arena"].as_u64().expect("a number"));
    assert!(read.facts.fuel > 4000 && read.facts.memory < 4096);
    assert_eq!(read.module, fs::read(folder.0.join("lamp/lamp.wasm")).expect("built"));

    // A board judges it as its device does: by keys, slots and what they give.
    folder.write("ota.toml", &OTA_TOML.replace("ARENA", "24 KiB"));
    let on_board = |file: &str| {
        let file = file.to_owned();
        [vec!["inspect".into(), file], vec!["--board".into(), "b".into()]].concat()
    };
    let inspect = |file: &str| {
        let args = on_board(file);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        folder.ota(&args)
    };
    let refused = |file: &str, why: coreota::error::Failure| {
        let out = inspect(file);
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        assert_eq!(out.status.code(), Some(1), "{file}: {text}");
        assert!(text.contains(&format!("b would refuse {file}: {}", why.text())), "{file}: {text}");
    };
    let taken = String::from_utf8(inspect("lamp.plugin").stdout).expect("UTF-8");
    assert!(taken.contains("\"takes\":true"), "{taken}");
    use coreota::error::Failure;
    folder.done(&["keygen", "stranger"]);
    let as_ = |output: &'static str, more: &[&'static str]| {
        let module = ["plugin", "sign", "lamp/lamp.wasm", output, "--version", "1.2.3"];
        folder.done(&[&module[..], more].concat());
    };
    as_("by-stranger.plugin", &["--key", "stranger.pem"]);
    refused("by-stranger.plugin", Failure::NoTrustedKey);
    as_("other-slot.plugin", &["--key", "k.pem", "--name", "other"]);
    refused("other-slot.plugin", Failure::NoPlugin);
    as_("hungry.plugin", &["--key", "k.pem", "--name", "lamp", "--arena", "30000"]);
    refused("hungry.plugin", Failure::PluginMemory);
    as_("thirsty.plugin", &["--key", "k.pem", "--name", "lamp", "--fuel", "100001"]);
    refused("thirsty.plugin", Failure::PluginTooLarge);
    as_("elsewhere.plugin", &["--key", "k.pem", "--name", "lamp", "--board", "c"]);
    refused("elsewhere.plugin", Failure::SignedOtherBoard);
    folder.write("table.toml", "size = \"/a\"\nstream = \"/b\"\n");
    let table = ["plugin", "sign", "table.toml", "table.plugin", "--version", "1.2.3"];
    folder.done(&[&table[..], &["--key", "k.pem", "--name", "lamp"]].concat());
    refused("table.plugin", Failure::PluginKind);

    let (code, message, _) = folder.fails(&[&sign[..], &["--arena", "4000"]].concat());
    assert!(code == 1 && message.contains("needs an arena"), "{message}");
    let (code, message, fix) =
        folder.fails(&["plugin", "publish", "lamp/lamp.wasm", "--thing", "a"]);
    assert!(code == 3 && message.contains("no signed plugin"), "{message}");
    assert!(fix.contains("cargo ota plugin sign"), "{fix}");
    let (code, message, _) = folder.fails(&["plugin", "publish", "lamp.plugin", "--thing", "a"]);
    assert!(code == 4 && message.contains("no provider"), "{message}");
}
