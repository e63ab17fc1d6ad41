//! The commands a newcomer is told to type: every `$ ` line of a `console` block in README.md, one by
//! one, and those of docs/plugins.md, one after the other in a folder of their own.

use crate::run::{Done, Log, Outcome, cargo, target_dir};
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
    let more = plugins(log)?;
    Ok(Done::Ok(format!("{} commands ran, {left} are how one gets here", run + more)))
}

/// The way that docs/plugins.md goes: in one shell, since it changes folders, with the tool that
/// was built here in place of an installed one.
fn plugins(log: &Log) -> Result<usize, String> {
    let page = "docs/plugins.md";
    let text = std::fs::read_to_string(page).map_err(|why| format!("{page}: {why}"))?;
    let typed = commands(&text);
    let here = std::env::current_dir().map_err(|why| format!("no folder: {why}"))?;
    // These are how one gets there from a clone.
    let before = ["cargo install", "export COREOTA="];
    let there = |command: &&str| !before.iter().any(|before| command.starts_with(before));
    let script: Vec<&str> = typed.into_iter().filter(there).collect();
    if script.is_empty() {
        return Err(format!("{page} has no `console` block with a command"));
    }
    let target = std::path::absolute(target_dir()).map_err(|why| why.to_string())?;
    let folder = std::env::temp_dir().join(format!("coreota-plugins-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    log.run(&mut cargo(["build", "--quiet", "--package", "coreota-cli"]))?;
    let tools = target.join("debug");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", tools.display());
    // Whatever it leaves running ends with it.
    let whole = format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{}", script.join("\n"));
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &whole]).current_dir(&folder);
    shell.env("PATH", path).env("COREOTA", here);
    let done = log.run_within(&mut shell, PATIENCE);
    // What cannot be removed is in the temporary folder and goes with it.
    let _ = std::fs::remove_dir_all(&folder);
    done.map(|()| script.len())
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
