//! What an update costs on a device: instructions, flash, RAM, panics; against committed budgets.
//!
//! [`counts`] runs the codecs under callgrind, [`image`] links firmware and reads it with [`elf`] and
//! [`calls`], [`plugin`] runs a hosted plugin, [`boards`] builds and runs the boards, [`budgets`] says what is allowed. Figures are exact: the same source and compiler give
//! the same numbers, on a busy machine too.

pub(crate) mod boards;
mod branch;
pub(crate) mod budgets;
pub(crate) mod calls;
pub(crate) mod counts;
pub(crate) mod elf;
pub(crate) mod image;
pub(crate) mod origin;
pub(crate) mod plugin;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::{Error, Exit, Result};

/// Something measured: its name in the budgets, and how much.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) value: u64,
}

/// The clone of the repository this runs in: what is measured is its own source.
pub(crate) fn repository() -> Result<PathBuf> {
    let here = std::env::current_dir().map_err(|why| Error::file("find", ".".as_ref(), why))?;
    let root = here.ancestors().find(|folder| folder.join(budgets::FILE).is_file());
    root.map(PathBuf::from).ok_or_else(|| {
        Error::new(Exit::File, format!("no {} here or above", budgets::FILE))
            .fix("run it in a clone of coreota: the bench measures coreota's own source")
    })
}

/// Runs a build to its end; its output is told where it fails.
fn build(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|why| Error::new(Exit::File, format!("{shown}: {why}")))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(Error::new(
            Exit::File,
            format!("a build failed: {shown}\n{}", String::from_utf8_lossy(&output.stderr).trim()),
        )),
    }
}

/// Where builds of this repository go.
fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}
