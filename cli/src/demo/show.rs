//! How the demo looks: headings, the commands that are run, what the device says, what was checked.

use std::fmt::Display;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sim_device::{Event, Phase, Stage};

use crate::out::Out;

/// Prints the story. On a terminal with bars and a little weight; elsewhere in plain lines.
pub(super) struct Show<'a> {
    out: &'a Out,
    styled: bool,
    bar: Option<ProgressBar>,
}

impl<'a> Show<'a> {
    pub(super) fn new(out: &'a Out) -> Self {
        // https://no-color.org
        let styled = out.has_bars() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { out, styled, bar: None }
    }

    /// A new act.
    pub(super) fn act(&self, title: &str) {
        let line = format!("\n{}", self.style("1", title));
        self.out.event("act", &json!({ "title": title }), line);
    }

    /// What happens and why, in a sentence.
    pub(super) fn tells(&self, text: impl Display) {
        self.out.line(format_args!("  {text}"));
    }

    /// A command, as one would type it.
    pub(super) fn command(&self, args: &[&str]) {
        let line = format!("$ cargo ota {}", args.join(" "));
        let shown = format!("  {}", self.style("2", &line));
        self.out.event("command", &json!({ "args": args }), shown);
    }

    /// Something the device said.
    pub(super) fn device(&mut self, event: &Event) {
        if let Event::Status { stage: Stage::Receiving { received, total }, .. } = event
            && self.out.has_bars()
        {
            let out = self.out;
            let bar = self.bar.get_or_insert_with(|| {
                let style =
                    ProgressStyle::with_template("  download  [{bar:40}] {pos}/{len} blocks")
                        .expect("a constant template");
                out.bar((*total).into(), "").with_style(style.progress_chars("=> "))
            });
            bar.set_position((*received).into());
            return;
        }
        if let Some(bar) = self.bar.take() {
            // Only what is all there is verified.
            let all = event.phase() == Phase::Verify;
            let (total, last) = (bar.length().unwrap_or(0), bar.position());
            bar.finish_and_clear();
            let phase = self.style("36", &format!("{:9}", Phase::Download.word()));
            let had = if all { total } else { last };
            self.out.line(format_args!("  {phase} {had}/{total} blocks"));
        }
        let weight = match event {
            Event::PowerCut { .. } => "1;31",
            Event::Status { stage: Stage::Succeeded { .. } | Stage::Done { .. }, .. } => "32",
            Event::Status { stage: Stage::Failed { .. } | Stage::Rejected { .. }, .. } => "31",
            _ => "0",
        };
        let phase = self.style("36", &format!("{:9}", event.phase().word()));
        let line = format!("  {phase} {}", self.style(weight, &event.to_string()));
        self.out.event("device", &json!({ "said": event }), line);
    }

    /// Something that was checked, and holds.
    pub(super) fn holds(&self, what: &str) {
        let line = format!("  {} {what}", self.style("32", "=>"));
        self.out.event("holds", &json!({ "what": what }), line);
    }

    /// Lines from somewhere else.
    pub(super) fn quote(&self, text: &str) {
        text.lines().for_each(|line| self.out.line(format_args!("  {line}")));
    }

    fn style(&self, code: &str, text: &str) -> String {
        match self.styled && code != "0" {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}
