//! The samples of this repository, for the test and the command that rebuild them.

use std::path::{Path, PathBuf};

/// One sample plugin.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its name.
    pub name: &'static str,
    /// Where its source is.
    pub folder: PathBuf,
    /// Where its module is, as it was built last.
    pub module: PathBuf,
}

/// Every sample, in the order of their names.
const NAMES: [&str; 7] = [
    "acme-jobs",
    "compact-jobs",
    "field-jobs",
    "liar-jobs",
    "line-jobs",
    "mqtt-stream",
    "raw-blocks",
];

/// Where the samples are.
pub fn samples_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")
}

/// Every sample.
pub fn samples() -> impl Iterator<Item = Sample> {
    NAMES.into_iter().map(|name| {
        let folder = samples_folder().join(name);
        Sample { name, module: folder.join(name).with_extension("wasm"), folder }
    })
}
