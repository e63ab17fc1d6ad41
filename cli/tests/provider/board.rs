//! Real firmware for these tests, and an emulated board that runs it: `cargo ota build` and `run`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{World, tool};

/// The longest silence of a board that has something to do, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ota.toml");
/// Where cargo works: compiled once for all tests, and for `cargo ota build` at the top.
const CARGO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/ota/.cargo");

/// Builds the images of a board into a folder of that name; gives the board's folder in it.
pub(crate) fn build(world: &World, board: &str, name: &str, more: &[&str]) -> PathBuf {
    let args =
        ["build", "--board", board, "--config", CONFIG, "--target-dir", CARGO, "--out", name];
    let built = world.events(&[&args[..], more].concat());
    assert_eq!(built.last().expect("an event")["event"], "built", "{built:?}");
    world.dir.join(name).join(board)
}

/// Signs the payload of a built image anew; gives the file.
pub(crate) fn sign(world: &World, built: &Path, name: &str, format: &str, more: &[&str]) -> String {
    let payload = built.join("firmware.bin");
    let payload = payload.to_str().expect("UTF-8");
    world.events(&[&["sign", payload, name, "--format", format], more].concat());
    name.to_owned()
}

/// A file at the top of the project.
pub(crate) fn top(file: &str) -> String {
    format!("{TOP}/{file}")
}

/// An emulated board, and what is on its console.
pub(crate) struct Board {
    emulator: Child,
    console: Receiver<String>,
}

impl Board {
    /// Boots what was built under that name; the flash is as the run before left it.
    pub(crate) fn boot(world: &World, board: &str, name: &str, thing: &str, more: &[&str]) -> Self {
        // As the board finds it; one on a serial line has the tool look for it.
        let host = if board == "microbit" { "127.0.0.1" } else { "10.0.2.2" };
        Self::boot_at(world, board, name, thing, &format!("{host}:{}", world.port), more)
    }

    /// The same, with another broker.
    pub(crate) fn boot_at(
        world: &World,
        board: &str,
        name: &str,
        thing: &str,
        broker: &str,
        more: &[&str],
    ) -> Self {
        let mut emulator = tool(&world.dir)
            .args(["run", "--board", board, "--config", CONFIG, "--out", name])
            .args(["--thing", thing, "--broker", broker])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        let lines = BufReader::new(emulator.stdout.take().expect("piped")).lines();
        let (sender, console) = channel();
        std::thread::spawn(move || {
            lines.map_while(|line| line.ok()).try_for_each(|line| sender.send(line))
        });
        Board { emulator, console }
    }

    /// Waits for a line with these words; gives it and all before it.
    pub(crate) fn until(&mut self, words: &str) -> (String, Vec<String>) {
        let mut before = Vec::new();
        loop {
            match self.console.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return (line, before),
                Ok(line) => before.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("no `{words}` after {before:#?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the board ended: {before:#?}"),
            }
        }
    }
}

impl Board {
    /// Waits until the power was cut; gives what was on the console.
    pub(crate) fn cut(mut self) -> Vec<String> {
        let (_, before) = self.until("POWER CUT");
        let status = self.emulator.wait().expect("it ended");
        assert_eq!(status.code(), Some(sim_device::EXIT_POWER_CUT.into()), "{before:#?}");
        before
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // So that it keeps a flash that is inside the emulator; after a cut it is not there any more.
        let mut kill = Command::new("kill");
        let _ = kill.arg(self.emulator.id().to_string()).stderr(Stdio::null()).status();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && self.emulator.try_wait().is_ok_and(|ended| ended.is_none()) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

/// Publishes an image for one thing.
pub(crate) fn publish(world: &World, job: &str, thing: &str, image: &str) {
    world.events(&["publish", image, "--job", job, "--thing", thing]);
}

/// Waits until the provider knows how a job ended; gives its status and the device's reason.
pub(crate) fn ended(world: &World, job: &str, thing: &str) -> (String, String) {
    let end = Instant::now() + PATIENCE;
    loop {
        let execution = world.status(job, thing);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let status = text(&execution["status"]);
        if !["QUEUED", "IN_PROGRESS"].contains(&status.as_str()) {
            return (status, text(&execution["details"]["reason"]));
        }
        assert!(Instant::now() < end, "{job} is not over: {execution}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
