//! Plugins that mean harm, on an emulated Cortex-M4: the images `hostile` and `exhaustion` of
//! `examples/plugin-bench`, which end well only where each module ended alone.

use crate::run::{Done, Log, Outcome, cargo, target_dir};
use coreota_cross::Cross;
use std::path::Path;
use std::process::{Command, Stdio};

const TARGET: &str = "thumbv7em-none-eabihf";
const FOLDER: &str = "examples/plugin-bench";

pub(crate) fn run(log: &Log) -> Outcome {
    log.run(cargo(["fmt", "--check"]).current_dir(FOLDER))?;
    let cross = match Cross::find(TARGET) {
        Ok(cross) => cross,
        Err(missing) => return Ok(Done::Skipped(missing.to_string())),
    };
    let top = std::path::absolute(target_dir()).map_err(|why| format!("target: {why}"))?;
    let target_dir = top.join("cross");
    let cargo = |subcommand: &str| {
        let mut cargo = cross.cargo(subcommand);
        cargo.args(["--quiet", "--locked", "--release", "--bins", "--target-dir"]).arg(&target_dir);
        cargo.current_dir(FOLDER);
        cargo
    };
    log.run(cargo("clippy").args(["--", "-D", "warnings"]))?;
    log.run(&mut cargo("build"))?;
    let folder = target_dir.join(TARGET).join("release");
    let told = said(&folder.join("hostile"))?;
    let ended = said(&folder.join("exhaustion"))?;
    let figure = |told: &str, name: &str| {
        let value =
            told.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u32>().ok());
        value.filter(|value| *value > 0).ok_or_else(|| format!("no `{name}` in:\n{told}"))
    };
    let (modules, cut) = (figure(&told, "hostile ")?, figure(&told, "truncated ")?);
    let (flipped, arenas) = (figure(&told, "flipped ")?, figure(&ended, "ended ")?);
    Ok(Done::Ok(format!("{modules} modules, {cut} cuts, {flipped} flipped bits, {arenas} arenas")))
}

/// Runs an image to its end; what it printed.
fn said(image: &Path) -> Result<String, String> {
    let mut qemu = Command::new("qemu-system-arm");
    qemu.args(["-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "null"]);
    qemu.args(["-chardev", "stdio,id=said"]);
    qemu.args(["-semihosting-config", "enable=on,target=native,chardev=said", "-kernel"]);
    let output = qemu.arg(image).stdin(Stdio::null()).output();
    let output = output.map_err(|why| {
        format!("cannot run qemu-system-arm: {why}; apt-get install qemu-system-arm")
    })?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() && told.lines().last() == Some("done") {
        return Ok(told);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} failed:\n{told}{errors}", image.display()))
}
