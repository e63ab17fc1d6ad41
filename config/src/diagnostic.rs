//! What is wrong with a file, where, and what would be right: all of it at once.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt;
use std::ops::Range;

/// A place in the file: bytes from its start.
pub type Span = Range<usize>;

/// A value with the place it was written at; for a default, the table that does without it.
#[derive(Clone, Debug, PartialEq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

impl<T> At<T> {
    pub(crate) fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T> std::ops::Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// One error of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

/// The errors found so far.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    found: Vec<Diagnostic>,
}

impl Errors {
    /// Notes an error. The same one found twice (by two boards that share a pipeline) is one.
    pub fn add(&mut self, span: Span, wrong: impl Into<String>, right: impl Into<String>) {
        let error = Diagnostic { span, wrong: wrong.into(), right: right.into() };
        if !self.found.contains(&error) {
            self.found.push(error);
        }
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The errors in the order of the file, ready to be printed.
    pub(crate) fn report(mut self, path: &str, text: &str) -> Report {
        self.found.sort_by_key(|error| error.span.start);
        Report { path: path.to_owned(), text: text.to_owned(), errors: self.found }
    }
}

/// All errors of one file. Printed, each is
/// `ota.toml:LINE:COL: what is wrong; what would be right` and the lines it speaks of.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file as the caller named it.
    pub path: String,
    /// The errors, in the order of the file.
    pub errors: Vec<Diagnostic>,
    text: String,
}

impl Report {
    /// A report of one error that is about the file as a whole.
    pub(crate) fn whole(path: &str, wrong: String, right: &str) -> Self {
        let mut errors = Errors::default();
        errors.add(0..0, wrong, right);
        errors.report(path, "")
    }

    /// Line and column of a place, both from 1; the column counts characters.
    pub fn position(&self, span: &Span) -> (usize, usize) {
        position(&self.text, span)
    }

    /// One error: the line that says it, and the lines of the file it speaks of.
    pub fn told(&self, error: &Diagnostic) -> String {
        let (line, column) = self.position(&error.span);
        let Diagnostic { span, wrong, right } = error;
        let told = format!("{}:{line}:{column}: {wrong}; {right}", self.path);
        if self.text.is_empty() {
            return told;
        }
        let mark = AnnotationKind::Primary.span(span.clone());
        let source = Snippet::source(&self.text).path(&self.path).annotation(mark);
        let snippet = Renderer::plain().render(&[Group::with_level(Level::ERROR).element(source)]);
        format!("{told}\n{snippet}")
    }
}

/// Line and column of a place in a text, both from 1; the column counts characters.
pub(crate) fn position(text: &str, span: &Span) -> (usize, usize) {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    (line, column)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told: Vec<String> = self.errors.iter().map(|error| self.told(error)).collect();
        f.write_str(&told.join("\n\n"))
    }
}

impl std::error::Error for Report {}

/// The known name nearest to a misspelt one, where one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near =
        |candidate: &&str| distance(name, candidate) <= 1 + name.len().max(candidate.len()) / 4;
    known.into_iter().filter(near).min_by_key(|candidate| distance(name, candidate))
}

/// The fix for a name that is not known: the one that was meant, or all there are.
pub(crate) fn did_you_mean(name: &str, known: &[&str], none: &str) -> String {
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => none.to_owned(),
        None => format!("known are {}", listed(known)),
    }
}

/// `a`, `b`, `c`, each in backticks.
pub(crate) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Levenshtein's distance: letters to add, drop or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
