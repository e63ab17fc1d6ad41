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
    let named = "--board with one of: emcraft-sf2, emcraft-sf2-mcuboot, emcraft-sf2-tls, virt-riscv32, microbit";
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

/// Certificates that the tool made, and what a board with TLS is told of them.
#[test]
fn a_board_with_tls_is_told_certificates_that_fit_together() {
    let place = Place::new("tls");
    let (file, pki, other) = (place.text("told.bin"), place.text("pki"), place.text("other"));
    let made = ota(&["--json", "pki", &pki, "--thing", "lamp-7", "--thing", "lamp-8"]);
    assert!(made.status.success(), "{made:?}");
    assert!(ota(&["pki", &other, "--thing", "lamp-7"]).status.success());
    let pem = |folder: &str, name: &str| format!("{folder}/{name}.pem");
    let start = ["provision", &file, "--board", "emcraft-sf2-tls", "--thing", "lamp-7"];
    let broker = ["--broker", "mqtts://broker.example"];
    let tell = |certificates: &[&str]| -> Vec<String> {
        [&start[..], &broker, certificates].concat().into_iter().map(str::to_owned).collect()
    };

    let out = ota(&strs(&tell(&["--pki", &pki])));
    assert!(out.status.success(), "{out:?}");
    let bytes = std::fs::read(&file).expect("written");
    let told = Provisioning::open(&bytes).expect("whole");
    assert_eq!(
        (told.text(Kind::Host), told.number(Kind::Port)),
        (Some("broker.example"), Some(8883))
    );
    let length = |kind| told.get(kind).map(|bytes| bytes.len());
    assert_eq!(
        (length(Kind::Key), length(Kind::Secret), length(Kind::Earliest)),
        (Some(32), Some(32), Some(8))
    );
    let root = told.get(Kind::Root).expect("told");
    let own = told.get(Kind::Certificate).expect("told");
    assert!(coreota::certificate::issued(own, root, 0).is_ok());
    // A secret is of one device alone, and nobody else reads the file.
    assert!(ota(&strs(&tell(&["--pki", &pki]))).status.success());
    let again = std::fs::read(&file).expect("written");
    let again = Provisioning::open(&again).expect("whole").get(Kind::Secret).map(<[u8]>::to_vec);
    assert_ne!(again.as_deref(), told.get(Kind::Secret));
    for private in [&file, &format!("{pki}/lamp-7.key.pem"), &format!("{pki}/ca.key.pem")] {
        assert_eq!(mode(private), 0o600, "{private}");
    }

    let (ca, cert, key) = (pem(&pki, "ca"), pem(&pki, "lamp-7"), pem(&pki, "lamp-7.key"));
    let three = |ca: &str, cert: &str, key: &str| {
        let files = ["--ca", ca, "--device-cert", cert, "--device-key", key];
        files.map(str::to_owned).to_vec()
    };
    let wrong = |code: i32, files: Vec<String>, what: &str, fix: &str| {
        let said = fails(code, &strs(&tell(&strs(&files))));
        assert!(said.contains(what) && said.contains(fix), "{said}");
    };
    wrong(
        1,
        three(&ca, &cert, &pem(&pki, "lamp-8.key")),
        "it is not for the key in",
        "give the key",
    );
    wrong(1, three(&pem(&other, "ca"), &cert, &key), "not signed by the CA in", "--other-ca");
    wrong(1, three(&cert, &cert, &key), "cannot be the CA of a broker", "CA:TRUE");
    wrong(3, three(&ca, &key, &key), "it is a private key", "BEGIN CERTIFICATE");
    wrong(3, three(&ca, &cert, &cert), "it is a certificate", "of P-256, in PEM or DER");
    wrong(3, three(&ca, &cert, &place.text("none")), "cannot use", "give the private key");
    wrong(
        3,
        vec![],
        "speaks TLS only, and is told no certificates",
        "cargo ota pki --thing lamp-7",
    );
    let nobody = place.text("nobody");
    wrong(3, vec!["--pki".to_owned(), nobody], "no certificate of lamp-7", "--thing lamp-7");
    // Brokers of another CA than the devices', as a cloud has them.
    let mut two = three(&pem(&other, "ca"), &cert, &key);
    two.push("--other-ca".to_owned());
    assert!(ota(&strs(&tell(&strs(&two)))).status.success());

    let clear = [&start[..], &["--broker", "mqtt://a", "--pki", &pki]].concat();
    assert!(fails(3, &clear).contains("board `emcraft-sf2-tls` speaks TLS only"));
    let plain = ["provision", &file, "--board", "emcraft-sf2", "--thing", "a"];
    let tls = [&plain[..], &["--broker", "mqtts://a"]].concat();
    assert!(fails(3, &tls).contains("mqtts:// is TLS, and board `emcraft-sf2` speaks none"));
    let useless = [&plain[..], &["--broker", "a", "--pki", &pki]].concat();
    assert!(fails(3, &useless).contains("board `emcraft-sf2` speaks no TLS"));
}

#[test]
fn what_is_in_a_folder_of_certificates_stays() {
    let place = Place::new("pki");
    let pki = place.text("pki");
    let make = |more: &[&str]| {
        let out = ota(&[&["--json", "pki", &pki], more].concat());
        assert!(out.status.success(), "{out:?}");
        let said: serde_json::Value = serde_json::from_slice(&out.stdout).expect("an event");
        said["made"].to_string()
    };
    assert_eq!(make(&["--host", "broker.example"]), r#"["ca","broker"]"#);
    let before = std::fs::read(format!("{pki}/ca.pem")).expect("made");
    assert_eq!(make(&["--thing", "a", "--thing", "b"]), r#"["a","b"]"#);
    assert_eq!(make(&["--thing", "a"]), "[]");
    assert_eq!(std::fs::read(format!("{pki}/ca.pem")).expect("kept"), before);
    let said = fails(3, &["pki", &pki, "--host", "other.example"]);
    assert!(said.contains("it exists") && said.contains("leave --host out"), "{said}");
    for name in ["ca", "broker", "../a", ""] {
        let said = fails(3, &["pki", &pki, "--thing", name]);
        assert!(said.contains("no name of a thing"), "{said}");
    }
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[cfg(unix)]
fn mode(path: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn mode(_: &str) -> u32 {
    0o600
}
