//! Errors of the host tool: what is wrong, where, what would be right, and the exit code that says so.

use std::fmt;
use std::path::Path;

/// What a command gives back.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The exit codes, as `--help` documents them. Numbers are never reused; 0 is success, 2 is clap's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The question was answered, and the answer is no.
    No = 1,
    /// A file cannot be read or written, or is not what it should be.
    File = 3,
    /// A provider or broker cannot be reached, or an address is taken.
    Network = 4,
    /// The provider refused the request: an unknown job or thing, or a limit.
    Refused = 5,
}

/// The text of [`Exit`] for `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the answer is no: mistakes found, an image that would be refused, a failed update
  2  the command line is wrong
  3  a file cannot be read or written, or is not what it should be
  4  the provider or the broker cannot be reached, or the address is taken
  5  the provider refused: unknown job or thing, or a limit exceeded";

/// One failure, told to a person: what is wrong, then what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) exit: Exit,
    pub(crate) what: String,
    pub(crate) fix: Option<String>,
}

impl Error {
    /// An error without a fix; add one with [`Error::fix`].
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), fix: None }
    }

    /// What would be right.
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// `cannot <do> <path>: <why>`.
    pub(crate) fn file(verb: &str, path: &Path, why: impl fmt::Display) -> Self {
        Self::new(Exit::File, format!("cannot {verb} {}: {why}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        match &self.fix {
            Some(fix) => write!(f, "\n  fix: {fix}"),
            None => Ok(()),
        }
    }
}
