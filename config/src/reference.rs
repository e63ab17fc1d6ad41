//! `docs/ota-toml.md`: the keys as a page to read.

use crate::define::{Key, Shape, TableShape};
use crate::keys::Root;
use crate::schema::one_line;
use std::fmt::Write;

const HEAD: &str = "\
# `ota.toml`: every key

Made from the definitions in `config/src/keys.rs` by `cargo ota schema --reference`; a test keeps it true.
The worked sample is [`ota.toml`](../ota.toml), the schema for editors [`ota.schema.json`](../ota.schema.json).

Values have units: sizes are `\"4 KiB\"` (B, KiB, MiB; a bare number is bytes), times `\"2 s\"` (ms, s, min, h, d),
regions `\"512 KiB + 384 KiB\"` (start + length). Keys that are not listed are refused.
`cargo ota check` tells everything that is wrong at once, and what each board comes to.

A board may repeat any key of `[transport]`, `[policy]` and `[verify]`, and have a `job-source` of its own: tables merge key by key, everything else
is replaced. `[board.tiny.transport.mqtt-stream]` with `block-size = \"512 B\"` changes the block size and nothing else.
";

/// The page, as it is committed.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    section(&mut page, "", &Root::keys(), None);
    page
}

/// A table and, behind it, the tables in it.
fn section(page: &mut String, path: &str, table: &TableShape, kind: Option<&str>) {
    let title = match (path, kind) {
        ("", _) => "The tables".to_owned(),
        (path, None) => format!("`{path}`"),
        (path, Some(kind)) => format!("`{path}`, `kind = \"{kind}\"`"),
    };
    // Writing to a string does not fail.
    let _ = writeln!(page, "\n## {title}\n\n{}\n", one_line(table.doc));
    if !table.keys.is_empty() {
        page.push_str("| key | what it says | what to write | without it |\n|---|---|---|---|\n");
    }
    for key in &table.keys {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            key.name,
            one_line(key.doc) + &words(&key.shape),
            key.shape.form(),
            without(key)
        );
    }
    for key in &table.keys {
        let path = if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
        inner(page, &path, &key.shape);
    }
}

fn inner(page: &mut String, path: &str, shape: &Shape) {
    match shape {
        Shape::Table(table) => section(page, path, table, None),
        Shape::Kinds(kinds) => {
            kinds.iter().for_each(|(kind, table)| section(page, path, table, Some(kind)))
        }
        Shape::List(of) => inner(page, path, of),
        Shape::Named(of) => inner(page, &format!("{path}.NAME"), of),
        _ => {}
    }
}

/// What each word to choose from means.
fn words(shape: &Shape) -> String {
    match shape {
        Shape::Choice(words) => {
            words.iter().map(|(word, doc)| format!("<br>`{word}`: {}", one_line(doc))).collect()
        }
        Shape::List(of) => words(of),
        _ => String::new(),
    }
}

fn without(key: &Key) -> String {
    match key.default {
        Some("{}") => "all defaults".into(),
        Some("[]") => "none".into(),
        Some(default) => format!("`{default}`"),
        None if key.required => "**must be given**".into(),
        None if matches!(key.shape, Shape::Part(_)) => "as in the pipeline".into(),
        None => "absent".into(),
    }
}
