//! Words that must not be in the repository: marks of unfinished work, paths of somebody's machine.

use crate::run::{Done, Log, Outcome, output};
use std::process::Command;

/// In two halves, so that this file does not find itself.
const FORBIDDEN: &[(&str, &str)] = &[
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X:"),
    ("to", "do!("),
    ("unimple", "mented!("),
    ("db", "g!("),
    ("/ho", "me/"),
    ("/Us", "ers/"),
    ("/ro", "ot/"),
    ("<<<<", "<<<"),
    (">>>>", ">>>"),
];

pub(crate) fn check(_: &Log) -> Outcome {
    let listed = output(Command::new("git").args(["ls-files"]));
    let Ok(listed) = listed else {
        return Ok(Done::Skipped("git knows no files here; run it in a clone".to_owned()));
    };
    let words: Vec<String> = FORBIDDEN.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let mut found = Vec::new();
    for path in listed.lines() {
        // Not text, or deleted and not yet committed: nothing to read.
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        for (number, line) in text.lines().enumerate() {
            let words = words.iter().filter(|word| line.contains(word.as_str()));
            found.extend(words.map(|word| format!("{path}:{}: `{word}`", number + 1)));
        }
    }
    match found.is_empty() {
        true => Ok(Done::Ok(format!("{} files", listed.lines().count()))),
        false => Err(found.join("\n  ")),
    }
}
