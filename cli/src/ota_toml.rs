//! `ota.toml` for the commands that need one.

use std::path::Path;

use coreota_config::Model;
use coreota_config::diagnostic::Report;
use serde_json::json;

use crate::error::{Error, Exit, Result};
use crate::out::Out;

/// Reads and checks the file. Its errors are told one by one; the error returned counts them.
pub(crate) fn read(file: &Path, out: &Out) -> Result<Model> {
    let name = file.display().to_string();
    let document = coreota_config::load(file, &name).map_err(|report| unreadable(&report))?;
    coreota_config::check(&document).map_err(|report| {
        for error in &report.errors {
            let (line, column) = report.position(&error.span);
            let fields = json!({
                "file": name, "line": line, "column": column,
                "wrong": error.wrong, "right": error.right,
            });
            out.event("mistake", &fields, format!("{}\n", report.told(error)));
        }
        let count = match report.errors.len() {
            1 => "1 mistake".to_owned(),
            count => format!("{count} mistakes"),
        };
        Error::new(Exit::No, format!("{count} in {name}"))
            .fix("see above; every key is explained in docs/ota-toml.md")
    })
}

/// A report of a file that could not be read has one error.
fn unreadable(report: &Report) -> Error {
    let error = report.errors.first();
    let (wrong, right) = error.map_or(("", ""), |error| (&error.wrong, &error.right));
    Error::new(Exit::File, format!("{}: {wrong}", report.path)).fix(right)
}
