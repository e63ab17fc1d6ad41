//! An emulator as a child process: the command that starts it, its console by the line, its end.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::Duration;

/// The command of an emulator as `ota.toml` has it, with `words` in place of their names in braces, as
/// `{flash}`.
pub fn command(template: &str, words: &[(&str, &str)]) -> Command {
    let mut parts = template.split_whitespace().map(|part| {
        let fill =
            |part: String, (name, word): &(&str, &str)| part.replace(&format!("{{{name}}}"), word);
        words.iter().fold(part.to_owned(), fill)
    });
    let mut command = Command::new(parts.next().unwrap_or_default());
    command.args(parts);
    command
}

/// Whether it ends where the board resets, and is to be started again.
pub fn resets_end_it(command: &Command) -> bool {
    command.get_args().any(|word| word == "-no-reboot")
}

/// The command, killed with this process where the system has a tool for it: an emulator without
/// its flash or its reader would run for good.
pub fn leashed(command: Command) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if !setpriv.is_file() {
        return command;
    }
    let mut leashed = Command::new(setpriv);
    leashed.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
    leashed
}

/// What a machine has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line of its console, without its end.
    Said(String),
    /// Nothing in the time it was given.
    Silence,
    /// It ended, and not by a reset.
    Ended(ExitStatus),
}

/// A board in its emulator, from power on until it is dropped.
#[derive(Debug)]
pub struct Machine {
    command: Command,
    resets_end_it: bool,
    child: Child,
    console: Receiver<String>,
}

impl Machine {
    /// Gives it power. Its standard error goes where it is told: for [`Machine::told`], into a pipe.
    ///
    /// # Errors
    /// The emulator does not start.
    pub fn boot(command: Command, stderr: Stdio) -> io::Result<Self> {
        let resets_end_it = resets_end_it(&command);
        let mut command = leashed(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let (child, console) = start(&mut command)?;
        Ok(Machine { command, resets_end_it, child, console })
    }

    /// Its standard error, where it is piped; once, and not that of what is started
    /// again.
    pub fn told(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// The next line of the console. A reset is none, whether or not it ends the emulator.
    ///
    /// # Errors
    /// It cannot be waited for, or started again.
    pub fn line(&mut self, within: Duration) -> io::Result<Line> {
        loop {
            match self.console.recv_timeout(within) {
                Ok(line) => return Ok(Line::Said(line)),
                Err(RecvTimeoutError::Timeout) => return Ok(Line::Silence),
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait()?;
                    if !self.resets_end_it || !status.success() {
                        return Ok(Line::Ended(status));
                    }
                    // Nobody would read it.
                    self.command.stderr(Stdio::null());
                    (self.child, self.console) = start(&mut self.command)?;
                }
            }
        }
    }
}

fn start(command: &mut Command) -> io::Result<(Child, Receiver<String>)> {
    let mut child = command.spawn()?;
    let (sender, console) = channel();
    if let Some(stdout) = child.stdout.take() {
        spawn(move || {
            // A board may print anything, and a killed one half of it.
            let lines = BufReader::new(stdout).split(b'\n').map_while(|line| line.ok());
            let text = |line: Vec<u8>| String::from_utf8_lossy(&line).trim_end().to_owned();
            // Who stopped listening has heard enough.
            lines.map(text).try_for_each(|line| sender.send(line))
        });
    }
    Ok((child, console))
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn said(machine: &mut Machine) -> Line {
        machine.line(LONG).expect("it can be waited for")
    }

    #[test]
    fn words_in_braces_are_filled_in_and_never_split() {
        let words = [
            ("flash", "nbd+unix:///?socket=a b"),
            ("firmware", "f w.elf"),
            ("bootloader", "b.elf"),
        ];
        let made =
            command("emu -kernel {bootloader}  -drive if=mtd,file={flash} {firmware}", &words);
        let args: Vec<_> =
            made.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(made.get_program(), "emu");
        assert_eq!(
            args,
            ["-kernel", "b.elf", "-drive", "if=mtd,file=nbd+unix:///?socket=a b", "f w.elf"]
        );
    }

    #[test]
    fn a_reset_that_ends_the_emulator_starts_it_again() {
        let mut shell = Command::new("sh");
        // `$0` is the word by which it is known.
        shell.args(["-c", "echo boots; exit 0", "-no-reboot"]);
        let mut machine = Machine::boot(shell, Stdio::null()).expect("a shell");
        for _ in 0..3 {
            assert_eq!(said(&mut machine), Line::Said("boots".to_owned()));
        }
    }

    #[test]
    fn an_emulator_that_fails_or_that_should_not_end_is_not_started_again() {
        for (script, word, code) in [("exit 3", "-no-reboot", 3), ("exit 0", "sh", 0)] {
            let mut shell = Command::new("sh");
            shell.args(["-c", script, word]);
            let mut machine = Machine::boot(shell, Stdio::null()).expect("a shell");
            match said(&mut machine) {
                Line::Ended(status) => assert_eq!(status.code(), Some(code)),
                other => panic!("{other:?}"),
            }
        }
    }
}
