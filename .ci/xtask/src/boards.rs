//! The example boards: workspaces of their own, so that rustfmt and clippy have to be sent there.

use crate::run::{Done, Log, Outcome, cargo, target_dir};
use coreota_cross::Cross;
use std::path::Path;

/// Folder in `examples/`, which is the board's name, and what it is built for.
const BOARDS: &[(&str, &str)] = &[("emcraft-sf2", "thumbv7m-none-eabi")];

pub(crate) fn check(log: &Log) -> Outcome {
    let top = std::path::absolute(target_dir()).map_err(|why| format!("target: {why}"))?;
    for (board, target) in BOARDS {
        let folder = Path::new("examples").join(board);
        log.run(cargo(["fmt", "--check"]).current_dir(&folder))?;
        let cross = match Cross::find(target) {
            Ok(cross) => cross,
            Err(missing) => return Ok(Done::Skipped(missing.to_string())),
        };
        let mut clippy = cross.cargo("clippy");
        clippy.args(["--lib", "--bins", "--all-features", "--quiet"]);
        // As `cargo ota build` does: equal names of programs must not meet.
        clippy.arg("--target-dir").arg(top.join("ota/.cargo").join(board));
        clippy.args(["--", "-D", "warnings"]).current_dir(&folder);
        log.run(&mut clippy)?;
    }
    Ok(Done::Ok(format!("{} boards", BOARDS.len())))
}
