//! Instructions of single operations, counted by callgrind over `runtime/examples/counts.rs`.
//!
//! One operation is the difference between a run with [`TIMES`] of them and a run with none, divided:
//! what starting the program costs falls out.

use std::path::Path;
use std::process::Command;

use super::{Measured, build, target_dir};
use crate::error::{Error, Exit, Result};

/// What is counted: the names `counts` knows.
const CASES: [&str; 6] = [
    "afr-ota-335",
    "start-next-584",
    "block-cbor-4096",
    "block-json-4096",
    "request-cbor",
    "request-json",
];

const TIMES: u64 = 100;

/// Counts every case.
pub(crate) fn measure(root: &Path) -> Result<Vec<Measured>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--quiet", "--package", "coreota", "--example", "counts"]);
    build(cargo.current_dir(root))?;
    let program = root.join(target_dir()).join("release/examples/counts");
    let count = |name| {
        let base = instructions(&program, name, 0)?;
        let run = instructions(&program, name, TIMES)?;
        Ok(Measured { name, value: run.saturating_sub(base) / TIMES })
    };
    CASES.into_iter().map(count).collect()
}

fn instructions(program: &Path, case: &str, times: u64) -> Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    let output =
        valgrind.arg(program).args([case, &times.to_string()]).output().map_err(|why| {
            Error::new(Exit::File, format!("cannot run valgrind: {why}"))
                .fix("apt-get install valgrind; or leave the counts out with --only size")
        })?;
    let text = String::from_utf8_lossy(&output.stderr);
    match (output.status.success(), collected(&text)) {
        (true, Some(count)) => Ok(count),
        _ => Err(Error::new(Exit::File, format!("callgrind of `counts {case} {times}`:\n{text}"))),
    }
}

/// The number in callgrind's line `Collected : N`.
fn collected(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("Collected"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn the_count_is_found_in_what_callgrind_prints() {
        let text = "==1== Events    : Ir\n==1== Collected : 167238\n==1== \n";
        assert_eq!(collected(text), Some(167_238));
        assert_eq!(collected("valgrind: no such program"), None);
    }
}
