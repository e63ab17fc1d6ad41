//! What can be wrong with a plugin on its way to a device.

use std::fmt;
use std::path::PathBuf;

/// Why there is no module; says what to do about it.
#[derive(Debug)]
pub enum Error {
    /// The folder holds neither a `Cargo.toml` nor a C file.
    NoSource(PathBuf),
    /// A tool is not installed.
    Missing {
        /// Which.
        tool: String,
        /// How to install it.
        hint: String,
    },
    /// A tool could not be started or a file not be read or written.
    Io(String, std::io::Error),
    /// A tool said no.
    Failed {
        /// Its command.
        command: String,
        /// What it printed.
        output: String,
    },
    /// Not a module, or not a valid one.
    Malformed(String),
    /// A module that no device takes, and why.
    Refused(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoSource(folder) => write!(
                f,
                "{}: no plugin here; expected a Cargo.toml, or one or more .c files",
                folder.display()
            ),
            Error::Missing { tool, hint } => write!(f, "{tool} is not installed; {hint}"),
            Error::Io(what, why) => write!(f, "{what}: {why}"),
            Error::Failed { command, output } => {
                write!(f, "`{command}` failed:\n{}", output.trim_end())
            }
            Error::Malformed(why) => write!(f, "not a valid wasm module: {why}"),
            Error::Refused(why) => write!(f, "no device takes this module: {why}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io(_, why) => Some(why),
            _ => None,
        }
    }
}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(why: wasmparser::BinaryReaderError) -> Self {
        Error::Malformed(why.to_string())
    }
}
