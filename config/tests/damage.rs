//! Whatever a file holds, it is told, at places it has, and nothing panics.

use coreota_config::{Document, check};
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Checks a text; every error must be at a place of it, and printable. Returns how many there are.
fn errors(text: String) -> usize {
    let lines = text.lines().count().max(1);
    let len = text.len();
    let Err(report) = check(&Document::new("ota.toml", &top(), text)) else { return 0 };
    assert!(!report.errors.is_empty());
    for error in &report.errors {
        let (line, column) = report.position(&error.span);
        assert!(error.span.start <= error.span.end && error.span.end <= len);
        assert!((1..=lines + 1).contains(&line) && column >= 1);
        assert!(report.told(error).starts_with(&format!("ota.toml:{line}:{column}: ")));
    }
    report.errors.len()
}

#[test]
fn a_file_that_ends_anywhere() {
    let sample = std::fs::read_to_string(top().join("ota.toml")).unwrap();
    for (end, _) in sample.char_indices() {
        errors(sample[..end].to_owned());
    }
    assert_eq!(errors(sample), 0);
}

#[test]
fn a_line_that_is_not_there() {
    let sample = std::fs::read_to_string(top().join("ota.toml")).unwrap();
    let lines: Vec<&str> = sample.lines().collect();
    for gone in 0..lines.len() {
        errors([&lines[..gone], &lines[gone + 1..]].concat().join("\n"));
    }
}

/// Every value replaced by each of these, whatever it was.
#[test]
fn a_value_of_another_kind() {
    let sample = std::fs::read_to_string(top().join("ota.toml")).unwrap();
    let values =
        ["true", "-1", "1e400", "\"\"", "\"\u{fffd}ü\"", "[]", "{}", "[[1]]", "1979-05-27", "0"];
    for (index, line) in sample.lines().enumerate() {
        let Some((key, _)) = line.split_once(" = ") else { continue };
        for value in values {
            let mut lines: Vec<String> = sample.lines().map(str::to_owned).collect();
            lines[index] = format!("{key} = {value}");
            errors(lines.join("\r\n"));
        }
    }
}

#[test]
fn what_is_hardly_a_file() {
    let deep = format!("a = {}1{}", "[".repeat(10_000), "]".repeat(10_000));
    for text in
        ["", "\u{feff}", "\0", "=", "[", "[[", "board", "[board.b]\n[board.b]", "é = ü", &deep]
    {
        assert!(errors(text.to_owned()) > 0, "{text:?}");
    }
}
