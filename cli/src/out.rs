//! What the tool says: plain lines (and progress bars on a terminal) for people, or one JSON event
//! per line for machines. Commands say each thing once; this decides how it looks.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::error::Error;

/// The output of one run of the tool. Cheap to clone; clones share the terminal.
#[derive(Clone)]
pub(crate) struct Out {
    json: bool,
    bars: MultiProgress,
}

/// A JSON event: its name first, then the fields of what is told.
#[derive(Serialize)]
struct Event<'a, T> {
    event: &'a str,
    #[serde(flatten)]
    fields: &'a T,
}

#[derive(Serialize)]
struct Failed<'a> {
    code: u8,
    message: &'a str,
    fix: Option<&'a str>,
}

impl Out {
    /// Bars are drawn on stderr, and only where a person sees them.
    pub(crate) fn new(json: bool) -> Self {
        let person = !json && io::stderr().is_terminal() && io::stdout().is_terminal();
        let target =
            if person { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { json, bars: MultiProgress::with_draw_target(target) }
    }

    /// Tells one thing: `line` to a person, or `{"event": name, ..fields}` to a machine.
    ///
    /// `fields` is a struct or a map (`serde_json::json!({..})` will do).
    pub(crate) fn event(&self, name: &str, fields: &impl Serialize, line: impl Display) {
        if self.json {
            let event = Event { event: name, fields };
            self.print(&serde_json::to_string(&event).expect("events are plain structs and maps"));
        } else {
            self.print(&line.to_string());
        }
    }

    /// A line for a person only; machines learn it from events.
    pub(crate) fn line(&self, line: impl Display) {
        if !self.json {
            self.print(&line.to_string());
        }
    }

    /// An error: to stderr for a person, as the event `error` for a machine.
    pub(crate) fn error(&self, error: &Error) {
        if self.json {
            let fields =
                Failed { code: error.exit as u8, message: &error.what, fix: error.fix.as_deref() };
            self.event("error", &fields, "");
        } else {
            self.bars.suspend(|| eprintln!("{error}"));
        }
    }

    /// Do machines listen?
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Are bars drawn? Then progress needs no lines.
    pub(crate) fn has_bars(&self) -> bool {
        !self.bars.is_hidden()
    }

    /// A bar over `total` units, drawn only on a terminal. It disappears when finished or dropped.
    pub(crate) fn bar(&self, total: u64, what: impl Into<String>) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:32!} [{bar:32}] {pos}/{len} {percent}%")
            .expect("a constant template");
        let bar = self.bars.add(ProgressBar::new(total).with_style(style.progress_chars("=> ")));
        bar.set_message(what.into());
        bar
    }

    /// A reader that went away (`cargo ota status | head`) ends the tool quietly, as in any pipeline.
    fn print(&self, line: &str) {
        let written = self.bars.suspend(|| writeln!(io::stdout().lock(), "{line}"));
        if written.is_err() {
            std::process::exit(0);
        }
    }
}
