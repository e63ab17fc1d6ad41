//! `keygen`, `sign` and `inspect` as a person uses them, with OpenSSL and imgtool as judges.
//! Both must be installed: a test that skipped would prove nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of its own for a test, and commands run in it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("signing").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Place(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn run(&self, program: &str, words: &str) -> Output {
        let hint = match program {
            "imgtool" => "`pip install imgtool`",
            _ => "it is a package of the system",
        };
        Command::new(program)
            .args(words.split_whitespace())
            .current_dir(&self.0)
            .output()
            .unwrap_or_else(|error| panic!("{program} does not start ({error}): {hint}"))
    }

    /// Runs another's tool, which must succeed.
    fn must(&self, program: &str, words: &str) -> String {
        let output = self.run(program, words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{program} {words}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `cargo ota`, which must succeed; what it said.
    fn ota(&self, words: &str) -> String {
        self.must(env!("CARGO_BIN_EXE_cargo-ota"), words)
    }

    /// Runs `cargo ota --json`; its only event of that name.
    fn event(&self, words: &str, name: &str) -> Value {
        let output = self.run(env!("CARGO_BIN_EXE_cargo-ota"), &format!("--json {words}"));
        let events = String::from_utf8(output.stdout).unwrap();
        let mut events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.find(|event| event["event"] == name).unwrap_or_else(|| panic!("{words}: no {name}"))
    }

    /// Runs `cargo ota`, which must fail with that exit code; its error.
    fn fails(&self, words: &str, code: i32) -> String {
        let output = self.run(env!("CARGO_BIN_EXE_cargo-ota"), words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words}: {said}");
        said
    }
}

fn assert_says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

const ALGORITHMS: [&str; 2] = ["ecdsa-p256", "ed25519"];

/// A device of each format, trusting `keys/a` (ECDSA) and, for the second, `keys/b` (Ed25519) too.
const OTA_TOML: &str = r#"
[product]
name = "thermostat"
version = { from = "cargo" }
security-counter = 2

[[job-source]]
kind = "aws-iot-jobs"

[[parser]]
kind = "afr-ota"

[[parser]]
kind = "table"
name = "acme"
size = "/pkg/bytes"
sha256 = { path = "/pkg/sum", encoding = "hex" }
stream = "/pkg/channel"
version = "/pkg/version"
board = "/pkg/board"

[transport.mqtt-stream]
block-size = "1 KiB"

[verify]
require = ["ecdsa-p256"]
[[verify.key]]
id = "a"
algorithm = "ecdsa-p256"
file = "a.pub.pem"
[[verify.key]]
id = "b"
algorithm = "ed25519"
file = "b.pub.pem"

[board.with-mcuboot]
target = "host"
bootloader = { kind = "mcuboot", mode = "swap-offset", header = "512 B" }
flash = { size = "1 MiB", erase = "4 KiB", write = 4 }
[board.with-mcuboot.partitions]
primary = "0 + 64 KiB"
secondary = "256 KiB + 68 KiB"
journal = "512 KiB + 8 KiB"

[board.with-embassy]
target = "host"
bootloader = { kind = "embassy-boot" }
flash = { size = "1 MiB", erase = "4 KiB", write = 4 }
verify.require = ["ecdsa-p256", "ed25519"]
[board.with-embassy.partitions]
primary = "0 + 64 KiB"
secondary = "256 KiB + 68 KiB"
state = "512 KiB + 4 KiB"
journal = "516 KiB + 8 KiB"
"#;

/// Keys `a`, `b` and a stranger's `x`, a payload, and `ota.toml`.
fn project(name: &str) -> Place {
    let place = Place::new(name);
    place.ota("keygen a");
    place.ota("keygen b --algorithm ed25519");
    place.ota("keygen x");
    place.write("app.bin", vec![0x5a; 5001]);
    place.write("ota.toml", OTA_TOML);
    place
}

#[test]
fn keys_are_ones_openssl_reads() {
    let place = Place::new("keys");
    for algorithm in ALGORITHMS {
        let name = format!("release-1.2-{algorithm}");
        let said = place.ota(&format!("keygen {name} --algorithm {algorithm}"));
        let toml = format!("algorithm = \"{algorithm}\"\nfile = \"{name}.pub.pem\"");
        assert_says(&said, &[&format!("id = \"{name}\""), &toml]);
        let public = fs::read_to_string(place.path(&format!("{name}.pub.pem"))).unwrap();
        assert_eq!(place.must("openssl", &format!("pkey -in {name}.pem -pubout")), public);
        let private = fs::read_to_string(place.path(&format!("{name}.pem"))).unwrap();
        assert_eq!(place.must("openssl", &format!("pkey -in {name}.pem")), private);
        place.must("openssl", &format!("pkey -in {name}.pem -check -noout"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(place.path(&format!("{name}.pem"))).unwrap().permissions();
            assert_eq!(mode.mode() & 0o777, 0o600);
        }
    }
}

#[test]
fn keys_are_never_overwritten() {
    let place = Place::new("overwrite");
    place.ota("keygen a");
    let before = fs::read(place.path("a.pem")).unwrap();
    assert_says(&place.fails("keygen a", 3), &["cannot write a.pem: it exists", "another name"]);
    fs::remove_file(place.path("a.pub.pem")).unwrap();
    place.fails("keygen a --algorithm ed25519", 3);
    assert_eq!(fs::read(place.path("a.pem")).unwrap(), before);
    place.write("b.pub.pem", "kept");
    place.fails("keygen b", 3);
    assert!(!place.path("b.pem").exists());
    assert_says(&place.fails("keygen no/folder/a", 3), &["cannot write no/folder/a.pem"]);
}

#[test]
fn imgtool_verifies_what_we_sign() {
    let place = project("imgtool");
    for (key, header) in [("a", "0x20"), ("b", "0x200"), ("a", "1KiB")] {
        place.ota(&format!(
            "sign app.bin app.img --key {key}.pem --format mcuboot --header {header} \
             --board with-mcuboot --version 1.2.3+4 --counter 7"
        ));
        place.must("imgtool", &format!("verify -k {key}.pub.pem app.img"));
        let other = if key == "a" { "b" } else { "a" };
        let strange = place.run("imgtool", &format!("verify -k {other}.pub.pem app.img"));
        assert!(!strange.status.success());
        let seen = place.event(&format!("inspect app.img --key {key}.pub.pem"), "image");
        assert_eq!(seen["version"], "1.2.3+4");
        assert_eq!(seen["board"], "with-mcuboot");
        assert_eq!(seen["counter"], 7);
        assert_eq!(seen["signatures"][0]["holds"], true);
        assert_eq!(seen["signatures"][0]["by"], format!("{key}.pub.pem"));
    }
}

#[test]
fn inspect_reads_what_imgtool_signs() {
    let place = project("by-imgtool");
    place.must(
        "imgtool",
        "sign -k a.pem -H 0x200 --pad-header -S 65536 --align 4 -v 1.2.3+4 -s 2 \
         --custom-tlv 0x00a0 with-mcuboot app.bin app.img",
    );
    let seen = place.event("inspect app.img --board with-mcuboot", "image");
    assert_eq!(seen["payload"], serde_json::json!([512, 5001]));
    assert_eq!(seen["signatures"][0]["by"], "a");
    assert_eq!(place.event("inspect app.img --board with-mcuboot", "verdict")["takes"], true);
    let said = place.fails("inspect app.img --board with-mcuboot --running 1.2.3+4", 1);
    assert_says(&said, &["with-mcuboot would refuse app.img: the signed version is not newer"]);
    let said = place.fails("inspect app.img --board with-mcuboot --counter 3", 1);
    assert_says(&said, &["security counter"]);
    place.ota("inspect app.img --board with-mcuboot --running 1.2.3+3 --counter 2");
    let said = place.fails("inspect app.img --board with-embassy", 1);
    assert_says(&said, &["takes images of format trailer"]);
}

#[test]
fn a_board_of_ota_toml_says_how_it_wants_its_image() {
    let place = project("boards");
    let said = place.ota("sign app.bin m.img --key a.pem --board with-mcuboot --version 1.1.0");
    assert_says(&said, &["mcuboot", "the board's verifier takes it"]);
    let seen = place.event("inspect m.img", "image");
    assert_eq!(seen["payload"], serde_json::json!([512, 5001]));
    assert_eq!(seen["counter"], 2);
    let both = "sign app.bin e.img --key a.pem --key b.pem --board with-embassy --version 1.1.0";
    place.ota(both);
    let seen = place.event("inspect e.img --board with-embassy", "image");
    assert_eq!(seen["format"], "trailer");
    assert_eq!(seen["payload"], serde_json::json!([0, 5001]));
    assert_eq!(seen["signatures"].as_array().unwrap().len(), 2);
    assert_eq!(&fs::read(place.path("e.img")).unwrap()[..5001], &[0x5a; 5001]);
    assert_eq!(place.event("inspect e.img --board with-embassy", "verdict")["takes"], true);

    // An image that its board would refuse is not written.
    let one = "sign app.bin no.img --key a.pem --board with-embassy --version 1.1.0";
    let said = place.fails(one, 1);
    assert_says(&said, &["a required signature is missing", "ecdsa-p256 and ed25519", "a, b"]);
    let said = place.fails(&both.replace("a.pem", "x.pem").replace("e.img", "no.img"), 1);
    assert_says(&said, &["no trusted key"]);
    let said = place.fails(&both.replace("e.img", "no.img").replace("with-", "wit-"), 3);
    assert_says(&said, &["declares no board `wit-embassy`", "with-mcuboot, with-embassy"]);
    let said = place.fails(&both.replace("--version 1.1.0", "").replace("e.img", "no.img"), 3);
    assert_says(&said, &["nothing says its version", "--version"]);
    place.write("big.bin", vec![0; 70_000]);
    let said = place.fails(&both.replace("app.bin", "big.bin").replace("e.img", "no.img"), 3);
    assert_says(&said, &["big.bin", "its slot"]);
    assert!(!place.path("no.img").exists());
}

#[test]
fn a_changed_image_is_seen_through() {
    let place = project("changed");
    place.ota(
        "sign app.bin e.img --key a.pem --format trailer --board with-embassy --version 2.0.0",
    );
    let mut image = fs::read(place.path("e.img")).unwrap();
    image[100] ^= 1;
    place.write("payload.img", &image);
    assert_says(&place.fails("inspect payload.img", 1), &["does not match its digest"]);
    image[100] ^= 1;
    let last = image.len() - 40;
    image[last] ^= 1;
    place.write("signature.img", &image);
    let said = place.fails("inspect signature.img --key a.pub.pem", 1);
    assert_says(&said, &["a signature does not hold", "0x0302"]);
    assert_says(&place.ota("inspect signature.img"), &["by an unknown key"]);
    place.write("cut.img", &image[..image.len() - 1]);
    let said = place.fails("inspect cut.img", 3);
    assert_says(&said, &["cut.img", "has no trailer", "cargo ota sign"]);
}

#[test]
fn openssl_verifies_detached_signatures() {
    let place = project("detached");
    let said = place.ota("sign app.bin --detached --key a.pem");
    place.write("signature.b64", &said);
    place.must("openssl", "base64 -d -A -in signature.b64 -out signature");
    place.must("openssl", "dgst -sha256 -verify a.pub.pem -signature signature app.bin");
    place.write("empty", "");
    assert_says(&place.fails("sign empty --detached --key a.pem", 3), &["empty"]);
    // With the job the image needs no signature of its own of that kind.
    place.ota("sign app.bin e.img --key b.pem --format trailer --board with-embassy --version 2.0.0 --counter 2");
    let signature = place.ota("sign e.img --detached --key a.pem");
    let size = fs::metadata(place.path("e.img")).unwrap().len();
    let document = |signature: &str, size: u64| {
        format!(
            r#"{{"afr_ota":{{"protocols":["MQTT"],"streamname":"s","files":[{{"filepath":"f",
            "filesize":{size},"fileid":0,"certfile":"c","sig-sha256-ecdsa":"{signature}"}}]}}}}"#
        )
    };
    place.write("job.json", document(signature.trim(), size));
    assert_says(&place.fails("inspect e.img --board with-embassy", 1), &["signature is missing"]);
    place.ota("inspect e.img --board with-embassy --job job.json");
    let other = place.ota("sign app.bin --detached --key a.pem");
    place.write("other.json", document(other.trim(), size));
    let said = place.fails("inspect e.img --board with-embassy --job other.json", 1);
    assert_says(&said, &["a signature does not hold"]);
    place.write("short.json", document(signature.trim(), size - 1));
    let said = place.fails("inspect e.img --board with-embassy --job short.json", 3);
    assert_says(&said, &["short.json", "give the job of e.img"]);
}

#[test]
fn job_documents_are_read_by_the_parsers_of_the_board() {
    let place = project("documents");
    place.write(
        "acme.json",
        r#"{"pkg":{"bytes":5000,"sum":"00","channel":"main","version":"1.0.1","board":"with-mcuboot"}}"#,
    );
    let seen = place.event("inspect acme.json --board with-mcuboot", "document");
    assert_eq!(seen["parser"], "acme");
    assert_eq!(seen["declined"][0]["parser"], "afr-ota");
    assert_eq!(seen["descriptor"]["stream"], "main");
    // Its digest is too short: the device would refuse it, and for which reason.
    let said = place.fails("inspect acme.json --board with-mcuboot", 1);
    assert_says(&said, &["with-mcuboot would refuse acme.json", "does not decode"]);
    let sum = "ab".repeat(32);
    let good = format!(
        r#"{{"pkg":{{"bytes":5000,"sum":"{sum}","channel":"main","version":"1.0.1","board":"with-mcuboot"}}}}"#
    );
    place.write("acme.json", &good);
    place.ota("inspect acme.json --board with-mcuboot --running 1.0.0");
    let said = place.fails("inspect acme.json --board with-mcuboot --running 1.0.1", 1);
    assert_says(&said, &["not newer"]);
    assert_says(&place.fails("inspect acme.json --board with-embassy", 1), &["another board"]);
    place.write("acme.json", good.replace("5000", "5000000"));
    assert_says(
        &place.fails("inspect acme.json --board with-mcuboot", 1),
        &["larger than the slot"],
    );
    // Without a board only the AWS parser is asked.
    assert_says(&place.fails("inspect acme.json", 1), &["no parser knows"]);
}

#[test]
fn what_is_no_private_key_is_called_by_its_name() {
    let place = project("wrong-keys");
    place.must("openssl", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    place.must("openssl", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.pem");
    place.must("openssl", "pkey -in a.pem -aes256 -passout pass:secret -out locked.pem");
    place.must("openssl", "ec -in a.pem -aes256 -passout pass:secret -out locked-sec1.pem");
    place.must("openssl", "ec -in a.pem -out sec1.pem");
    place.must("openssl", "ecparam -name prime256v1 -genkey -out both.pem");
    place.must("openssl", "req -x509 -key a.pem -subj /CN=x -out certificate.pem");
    let text = fs::read_to_string(place.path("a.pem")).unwrap();
    place.write("cut.pem", &text[..text.len() / 2]);
    place.write("damaged.pem", text.replacen("MIGH", "MIGI", 1));
    place.write("noise.pem", [0xff, 0xfe, 0, 1]);
    let sign =
        |key: &str| format!("sign app.bin o.img --format trailer --version 1.0.0 --key {key}.pem");
    for (key, why) in [
        ("a.pub", "it is a public key"),
        ("locked", "it is encrypted"),
        ("locked-sec1", "it is encrypted"),
        ("rsa", "it is a key of another algorithm"),
        ("p384", "it is a key on another curve than P-256"),
        ("certificate", "it is a certificate"),
        ("cut", "it holds no private key in PEM"),
        ("damaged", "damaged"),
        ("noise", "it holds no private key in PEM"),
    ] {
        let said = place.fails(&sign(key), 3);
        assert_says(&said, &[&format!("cannot sign with {key}.pem"), why, "fix: "]);
    }
    assert_says(&place.fails(&sign("none"), 3), &["cannot read none.pem", "keygen"]);
    assert!(!place.path("o.img").exists());
    // Both spellings of a P-256 key, and parameters before the key, are as good.
    for key in ["sec1", "both"] {
        place.ota(&sign(key));
    }
    place.ota("sign app.bin o.img --format trailer --version 1.0.0 --key a.pem");
    for (key, why) in [("a.pem", "it is a private key"), ("certificate.pem", "certificate")] {
        let said = place.fails(&format!("inspect o.img --key {key}"), 3);
        assert_says(&said, &[&format!("cannot check with {key}"), why, "fix: "]);
    }
}

#[test]
fn publish_takes_the_same_keys() {
    let place = project("publish");
    let said = place.fails("publish app.bin --thing t --key b.pem", 3);
    assert_says(&said, &["cannot sign with b.pem: it is an ed25519 key", "ecdsa-p256"]);
}
