//! Children of the demo: this very program, with another command.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::error::{Error, Exit, Result};

/// The longest silence of a child that has something to do. Far more than it takes, since the
/// machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A child that tells what it does, a JSON event a line. Killed when dropped.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts a command of this program in `dir`.
    pub(crate) fn start(name: &'static str, dir: &Path, args: &[&str]) -> Result<Self> {
        let mut child = command(dir)?
            .arg("--json")
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| broken(format!("cannot start the {name}: {error}")))?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let lines = BufReader::new(stdout).lines();
                // Until the child or the demo is gone.
                lines.map_while(|line| line.ok()).try_for_each(|line| sender.send(line))
            });
        }
        Ok(Self { name, child, lines })
    }

    /// The next line; `None` when the child has ended.
    pub(crate) fn line(&mut self) -> Result<Option<String>> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                Err(broken(format!("the {} says nothing for {PATIENCE:?}", self.name)))
            }
        }
    }

    /// Waits for its end; gives its exit code.
    pub(crate) fn end(&mut self) -> Result<Option<i32>> {
        let status = self.child.wait().map_err(|error| broken(error.to_string()))?;
        Ok(status.code())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of this program to its end; gives what it said.
pub(crate) fn run(dir: &Path, args: &[&str]) -> Result<String> {
    let done =
        command(dir)?.args(args).stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(
            |error| broken(format!("cannot run `cargo ota {}`: {error}", args.join(" "))),
        )?;
    match done.status.success() {
        true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        false => Err(broken(format!("`cargo ota {}` failed", args.join(" ")))),
    }
}

fn command(dir: &Path) -> Result<Command> {
    let program = std::env::current_exe()
        .map_err(|error| broken(format!("this program does not find itself: {error}")))?;
    let mut command = Command::new(program);
    command.current_dir(dir);
    Ok(command)
}

/// The demo cannot go on.
pub(crate) fn broken(what: String) -> Error {
    Error::new(Exit::No, format!("the demo did not go as told: {what}"))
        .fix("run it again with --keep DIR and look at what is there; if it stays so, tell us")
}
