//! The commands a newcomer is told to type: every `$ ` line of a `console` block in README.md.

use crate::run::{Done, Log, Outcome};
use std::process::Command;
use std::time::Duration;

/// The build may be a first one; the demo itself takes half a minute.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

pub(crate) fn run(log: &Log) -> Outcome {
    let text = std::fs::read_to_string("README.md").map_err(|why| format!("README.md: {why}"))?;
    let commands = commands(&text);
    if commands.is_empty() {
        return Err("README.md has no `console` block with a command".to_owned());
    }
    let (mut run, mut left) = (0, 0);
    for command in commands {
        // This is what runs us, and cloning is what came before.
        if command.starts_with("cargo xtask test") || command.starts_with("git clone") {
            left += 1;
            continue;
        }
        let mut shell = Command::new("bash");
        log.run_within(shell.args(["-euo", "pipefail", "-c", command]), PATIENCE)?;
        run += 1;
    }
    Ok(Done::Ok(format!("{run} commands ran, {left} are how one gets here")))
}

/// The commands in fenced blocks marked `console`; lines without `$ ` are what they print.
fn commands(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        match line.trim_end() {
            "```console" => inside = true,
            "```" => inside = false,
            line if inside => commands.extend(line.strip_prefix("$ ")),
            _ => (),
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn only_prompts_in_console_blocks_are_commands() {
        let text = "$ no\n```console\n$ cargo a\nprinted\n$ cargo b\n```\n```rust\n$ no\n```\n";
        assert_eq!(commands(text), ["cargo a", "cargo b"]);
        assert!(commands("```sh\n$ no\n```\n").is_empty());
    }
}
