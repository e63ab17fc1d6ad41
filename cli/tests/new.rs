//! `cargo ota new`: what it begins checks, builds and runs as it is; what is wrong is told, and
//! leaves nothing behind.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A folder of a test's own, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("ota-new-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("writable");
        Self(dir)
    }

    fn tool(&self, within: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-ota"));
        command.current_dir(self.0.join(within)).arg("ota").args(args);
        command
    }

    fn ota(&self, within: &str, args: &[&str]) -> Output {
        self.tool(within, args).output().expect("the tool starts")
    }

    /// The last event of a command that succeeds.
    fn done(&self, within: &str, args: &[&str]) -> Value {
        let out = self.ota(within, &[&["--json"], args].concat());
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        assert!(out.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_str(text.lines().last().expect("an event")).expect("JSON")
    }

    /// What a command says that fails.
    fn fails(&self, code: i32, args: &[&str]) -> String {
        let out = self.ota(".", args);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{args:?}: {said}");
        said
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.0).expect("readable").next().is_none()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An emulator that does not outlive the test: the tool is told to end, and ends it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[test]
fn a_project_for_emcraft_sf2_builds_and_runs() {
    builds_and_runs("emcraft-sf2");
}

#[test]
fn a_project_for_microbit_builds_and_runs() {
    builds_and_runs("microbit");
}

#[test]
fn a_project_for_virt_riscv32_builds_and_runs() {
    builds_and_runs("virt-riscv32");
}

fn builds_and_runs(board: &str) {
    let folder = Folder::new(board);
    let made = folder.done(".", &["new", "my-lamp", "--board", board]);
    assert_eq!((&made["event"], &made["board"]), (&"new".into(), &board.into()), "{made}");
    let project = folder.0.join("my-lamp");
    let secret = project.join("keys/release.pem");
    assert!(secret.is_file() && project.join("keys/release.pub.pem").is_file());
    let ignored = std::fs::read_to_string(project.join(".gitignore")).expect("written");
    assert!(ignored.contains("/keys/*.pem"), "the private key stays out of version control");

    let checked = folder.ota("my-lamp", &["check"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && said.contains("Nothing is wrong."), "{checked:?}");

    // Where its example is compiled, so that most of it is there already.
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/ota/.cargo");
    let target = target.to_str().expect("UTF-8");
    let built = folder.done("my-lamp", &["build", "--target-dir", target, "--version", "1.2.3"]);
    assert_eq!((&built["event"], &built["version"]), (&"built".into(), &"1.2.3".into()), "{built}");

    let mut run = folder.tool("my-lamp", &["run", "--target-dir", target]);
    let child = run.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the tool starts");
    let mut running = Running(child);
    let console = BufReader::new(running.0.stdout.take().expect("piped"));
    let mut said = Vec::new();
    for line in console.lines() {
        said.push(line.expect("UTF-8"));
        if said.last().is_some_and(|line| *line == format!("boot      v1.2.3 runs on {board}")) {
            return;
        }
    }
    panic!("it ended: {said:#?}");
}

#[test]
fn what_is_wrong_is_told_and_leaves_nothing() {
    let folder = Folder::new("wrong");
    for name in ["Lamp", "1lamp", "a b", "../lamp", "", "lamp.rs"] {
        let said = folder.fails(2, &["new", name, "--board", "emcraft-sf2"]);
        assert!(said.contains("small letters, digits"), "{name}: {said}");
    }
    let said = folder.fails(3, &["new", "lamp", "--board", "emcraft"]);
    assert!(said.contains("no project can be begun for a board `emcraft`"), "{said}");
    assert!(said.contains("one of: emcraft-sf2, emcraft-sf2-mcuboot, "), "{said}");
    let said = folder.fails(3, &["new", "embassy-boot", "--board", "emcraft-sf2"]);
    assert!(said.contains("a crate that it is built of is called `embassy-boot`"), "{said}");
    let args = ["new", "lamp", "--board", "emcraft-sf2", "--coreota", "nowhere"];
    let said = folder.fails(3, &args);
    assert!(said.contains("it has no folder `runtime`"), "{said}");
    assert!(folder.is_empty());

    folder.done(".", &["new", "lamp", "--board", "emcraft-sf2-mcuboot"]);
    let said = folder.fails(3, &["new", "lamp", "--board", "emcraft-sf2"]);
    assert!(said.contains("it is there already"), "{said}");
    let entries = std::fs::read_dir(&folder.0).expect("readable").count();
    assert_eq!(entries, 1, "only the project");
    let kept = std::fs::read_to_string(folder.0.join("lamp/ota.toml")).expect("readable");
    assert!(kept.contains("[board.emcraft-sf2-mcuboot]") && !kept.contains("[board.emcraft-sf2]"));
}
