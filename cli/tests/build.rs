//! `cargo ota build`, `run` and `provision` where something is missing or wrong; what they do when all
//! is there is in `provider/firmware.rs`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use coreota::provisioning::{Kind, Provisioning};

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A folder of this test's own, gone afterwards.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let dir =
            std::env::temp_dir().join(format!("cargo-ota-build-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a writable temp folder");
        Place(dir)
    }

    fn text(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    /// The sample, changed, with its keys where it looks for them.
    fn config(&self, changes: &[(&str, &str)]) -> String {
        let mut text = std::fs::read_to_string(Path::new(TOP).join("ota.toml")).expect("readable");
        for (old, new) in changes {
            assert!(text.contains(old), "{old}");
            text = text.replace(old, new);
        }
        let keys = self.0.join("examples/keys");
        std::fs::create_dir_all(&keys).expect("writable");
        std::fs::copy(Path::new(TOP).join("examples/keys/demo.pub.pem"), keys.join("demo.pub.pem"))
            .expect("copied");
        std::fs::write(self.0.join("ota.toml"), text).expect("writable");
        self.text("ota.toml")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn ota(args: &[&str]) -> Output {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-ota"));
    tool.arg("ota").args(args).current_dir(TOP).output().expect("the tool starts")
}

/// Runs a command that must fail with this code; gives what it says.
fn fails(code: i32, args: &[&str]) -> String {
    let out = ota(args);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(code), "{args:?}: {said}");
    said
}

#[test]
fn what_is_provisioned_is_what_a_device_reads() {
    let place = Place::new("provision");
    let file = place.text("told.bin");
    let args = ["provision", &file, "--board", "emcraft-sf2", "--thing", "lamp-7"];
    let out = ota(&[&["--json"], &args[..], &["--broker", "broker.example:18831"]].concat());
    assert!(out.status.success(), "{out:?}");
    let said: serde_json::Value = serde_json::from_slice(&out.stdout).expect("an event");
    assert_eq!(said["offset"], 896 * 1024, "where ota.toml has the partition");
    let bytes = std::fs::read(&file).expect("written");
    let told = Provisioning::open(&bytes).expect("whole");
    assert_eq!(told.text(Kind::Thing), Some("lamp-7"));
    assert_eq!(told.text(Kind::Host), Some("broker.example"));
    assert_eq!(told.number(Kind::Port), Some(18_831));

    let broker = ["--broker", "broker.example"];
    let nameless = [&["provision", &file, "--board", "emcraft-sf2", "--thing", "a b"], &broker[..]];
    assert!(fails(3, &nameless.concat()).contains("`a b` is no name of a thing"));
    let sim = [&["provision", &file, "--board", "sim-mcuboot", "--thing", "a"], &broker[..]];
    assert!(
        fails(3, &sim.concat())
            .contains("declare `provisioning` in [board.sim-mcuboot.partitions]")
    );
}

#[test]
fn a_board_must_be_named_and_have_a_firmware() {
    let several = fails(3, &["build"]);
    let named = "--board with one of: emcraft-sf2, emcraft-sf2-mcuboot, virt-riscv32, microbit";
    assert!(several.contains(named), "{several}");
    let none = fails(3, &["build", "--board", "sim-embassy"]);
    assert!(none.contains("`firmware = \"…\"` in [board.sim-embassy]"), "{none}");
}

/// Known before anything is compiled.
#[test]
fn a_build_that_could_not_be_signed_is_not_begun() {
    let place = Place::new("unsigned");
    let config = place.config(&[]);
    let out = place.text("out");
    let args = ["build", "--board", "emcraft-sf2", "--config", &config, "--out", &out];
    let said = fails(3, &args);
    assert!(said.contains("no private key of demo lies beside its public one"), "{said}");
    assert!(!place.0.join("out").exists());
}

#[test]
fn an_emulator_that_is_not_there_is_told_with_what_to_install() {
    let place = Place::new("emulator");
    let config = place.config(&[("qemu-system-arm -M", "qemu-system-armageddon -M")]);
    // As after a build.
    let folder = place.0.join("out/emcraft-sf2");
    std::fs::create_dir_all(&folder).expect("writable");
    for name in ["factory.bin", "firmware.elf", "bootloader.elf"] {
        std::fs::write(folder.join(name), b"").expect("writable");
    }
    let out = place.text("out");
    let args = ["run", "--board", "emcraft-sf2", "--config", &config, "--out", &out];
    let said = fails(3, &args);
    assert!(said.contains("qemu-system-armageddon"), "{said}");
    assert!(said.contains("apt-get install qemu-system-arm"), "{said}");

    let config = place.config(&[("qemu-system-riscv32 -M", "qemu-system-riscv3200 -M")]);
    let folder = place.0.join("out/virt-riscv32");
    std::fs::create_dir_all(&folder).expect("writable");
    for name in ["factory.bin", "firmware.elf"] {
        std::fs::write(folder.join(name), b"").expect("writable");
    }
    let args = ["run", "--board", "virt-riscv32", "--config", &config, "--out", &out];
    let said = fails(3, &args);
    assert!(
        said.contains("apt-get install qemu-system-riscv`, on Debian 12 `qemu-system-misc`"),
        "{said}"
    );

    let none = place.config(&[("emulator = \"qemu", "# emulator = \"qemu")]);
    let args = ["run", "--board", "emcraft-sf2", "--config", &none, "--out", &out];
    assert!(fails(3, &args).contains("no emulator is known for board `emcraft-sf2`"));
}

#[test]
fn a_flash_of_another_size_is_not_used() {
    let place = Place::new("flash");
    let flash = place.text("flash.bin");
    std::fs::write(&flash, b"short").expect("writable");
    let folder = place.0.join("out/emcraft-sf2");
    std::fs::create_dir_all(&folder).expect("writable");
    for name in ["factory.bin", "firmware.elf"] {
        std::fs::write(folder.join(name), b"").expect("writable");
    }
    let out = place.text("out");
    let said = fails(3, &["run", "--board", "emcraft-sf2", "--out", &out, "--flash", &flash]);
    assert!(said.contains("it has 5 bytes") && said.contains("16777216"), "{said}");
}

/// Known before anything is compiled: what the board's bootloader and verifier do not trust is not built.
#[test]
fn a_key_that_the_board_does_not_trust_is_told_before_anything_is_compiled() {
    let place = Place::new("stranger");
    let key = place.text("stranger");
    assert!(ota(&["keygen", &key]).status.success());
    for board in ["emcraft-sf2", "emcraft-sf2-mcuboot"] {
        let out = place.text("out");
        let key = format!("{key}.pem");
        let said = fails(1, &["build", "--board", board, "--key", &key, "--out", &out]);
        let expected = format!(
            "error: {board} would refuse the image: no trusted key of the required algorithm\n  \
             fix: sign with ecdsa-p256 by a key it trusts: demo\n"
        );
        assert_eq!(said, expected);
        assert!(!place.0.join("out").exists(), "nothing was compiled");
    }
}

/// Images that were built for another board are not booted: it would be another processor's, or another
/// flash.
#[test]
fn images_of_another_board_are_not_booted() {
    let place = Place::new("other-board");
    let folder = place.0.join("out/emcraft-sf2");
    std::fs::create_dir_all(&folder).expect("writable");
    for name in ["factory.bin", "firmware.elf"] {
        std::fs::write(folder.join(name), b"").expect("writable");
    }
    std::fs::write(folder.join("update.json"), br#"{ "board": "virt-riscv32" }"#)
        .expect("writable");
    let out = place.text("out");
    let said = fails(3, &["run", "--board", "emcraft-sf2", "--out", &out]);
    let expected = format!(
        "error: {} has images of board `virt-riscv32`, not of `emcraft-sf2`\n  \
         fix: `cargo ota build --board emcraft-sf2` makes them anew, or name another folder with --out\n",
        folder.display()
    );
    assert_eq!(said, expected);
}
