//! Running commands into a step's log, so that a step is one line unless it fails.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How a step ended: a few words for its line, or why it could not run here.
pub(crate) enum Done {
    Ok(String),
    Skipped(String),
}

/// A step's end, or what failed.
pub(crate) type Outcome = Result<Done, String>;

/// What a step may take before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(40 * 60);

/// A file that takes what a step's commands print.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    pub(crate) fn create(step: &str) -> Result<Self, String> {
        let folder = target_dir().join("xtask");
        let path = folder.join(format!("{step}.log"));
        let file = std::fs::create_dir_all(&folder).and_then(|()| File::create(&path));
        file.map(|file| Log { file, path: path.clone() })
            .map_err(|why| format!("cannot write {}: {why}", path.display()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs a command to its end, its output in the log.
    pub(crate) fn run(&self, command: &mut Command) -> Result<(), String> {
        self.run_within(command, PATIENCE)
    }

    /// The same, but ended by force when it takes longer than `patience`.
    pub(crate) fn run_within(
        &self,
        command: &mut Command,
        patience: Duration,
    ) -> Result<(), String> {
        let shown = show(command);
        let handle = || self.file.try_clone().map_err(|why| format!("log: {why}"));
        writeln!(handle()?, "$ {shown}").map_err(|why| format!("log: {why}"))?;
        let child = command.stdin(Stdio::null()).stdout(handle()?).stderr(handle()?).spawn();
        let mut child = child.map_err(|why| format!("`{shown}` does not start: {why}"))?;
        let begun = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("`{shown}` failed ({status})")),
                Ok(None) if begun.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Ok(None) => {
                    let _ = child.kill().and_then(|()| child.wait());
                    return Err(format!("`{shown}` took longer than {} s", patience.as_secs()));
                }
                Err(why) => return Err(format!("`{shown}`: {why}")),
            }
        }
    }
}

/// Runs a command whose output belongs on the terminal: a test runner.
pub(crate) fn stream(command: &mut Command) -> Result<(), String> {
    let shown = show(command);
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(why) => Err(format!("`{shown}` does not start: {why}")),
    }
}

/// The output of a command that has to succeed.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let shown = show(command);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|why| format!("`{shown}` does not start: {why}"))?;
    if !output.status.success() {
        return Err(format!("`{shown}` failed ({})", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{shown}` printed no text"))
}

/// Whether a command succeeds, asked without a sound.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// `cargo` of the active toolchain.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments);
    cargo
}

/// Whether this runs unattended: then what cannot run is a failure.
pub(crate) fn unattended() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
