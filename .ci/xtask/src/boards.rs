//! The example boards: workspaces of their own, so that rustfmt and clippy have to be sent there.

use crate::run::{Done, Log, Outcome, cargo, target_dir};
use coreota_cross::Cross;
use std::path::Path;

/// Folder in `examples/`, what it is built for, and the boards of ota.toml that it is.
const FOLDERS: &[(&str, &str, &[&str])] = &[
    (
        "emcraft-sf2",
        "thumbv7m-none-eabi",
        &["emcraft-sf2", "emcraft-sf2-mcuboot", "emcraft-sf2-tls"],
    ),
    ("virt-riscv32", "riscv32imac-unknown-none-elf", &["virt-riscv32"]),
    ("microbit", "thumbv6m-none-eabi", &["microbit"]),
];

pub(crate) fn check(log: &Log) -> Outcome {
    let top = std::path::absolute(target_dir()).map_err(|why| format!("target: {why}"))?;
    let mut count = 0;
    for (name, target, boards) in FOLDERS {
        let folder = Path::new("examples").join(name);
        log.run(cargo(["fmt", "--check"]).current_dir(&folder))?;
        let cross = match Cross::find(target) {
            Ok(cross) => cross,
            Err(missing) => return Ok(Done::Skipped(missing.to_string())),
        };
        for board in *boards {
            let mut clippy = cross.cargo("clippy");
            clippy.args(["--lib", "--bins", "--all-features", "--quiet"]);
            // Not the main workspace's: there is other code of the same names.
            clippy.arg("--target-dir").arg(top.join("ota/.cargo").join(name));
            clippy.env("COREOTA_BOARD", board).current_dir(&folder);
            log.run(clippy.args(["--", "-D", "warnings"]))?;
            count += 1;
        }
    }
    Ok(Done::Ok(format!("{count} boards")))
}
