//! Cargo, for the target of a board.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coreota_config::emit;
use coreota_config::memory::Program;
use coreota_cross::Cross;

use super::Order;
use crate::error::{Error, Exit, Result};
use crate::out::Out;

/// The linked programs of a board.
pub(super) struct Programs {
    pub(super) firmware: PathBuf,
    /// Where the board has a place for one.
    pub(super) bootloader: Option<PathBuf>,
}

/// Compiles and links them, in a target directory of the board's own: programs of different boards
/// have the same names.
pub(super) fn compile(order: &Order<'_>, package: &Path, out: &Out) -> Result<Programs> {
    let target = &order.device.target;
    let cross = Cross::find(target).map_err(|missing| {
        Error::new(Exit::File, format!("cannot build for {target}")).fix(missing.to_string())
    })?;
    let target_dir = order.target_dir.join(order.name());
    let target_dir = std::path::absolute(&target_dir)
        .map_err(|why| Error::file("make the folder", &target_dir, why))?;
    let bootloader = order.device.link.is_some_and(|link| link.bootloader.is_some());
    let mut cargo = cross.cargo("build");
    cargo.args(["--release", "--bin", Program::Firmware.word()]);
    if bootloader {
        cargo.args(["--bin", Program::Bootloader.word()]);
    }
    if !order.features.is_empty() {
        cargo.args(["--features", &order.features.join(",")]);
    }
    if out.is_json() {
        cargo.arg("--quiet");
    }
    cargo.arg("--target-dir").arg(&target_dir).current_dir(package);
    cargo.env(emit::BOARD, order.name());
    match order.version {
        Some(version) => cargo.env(emit::VERSION, crate::board::spelt(version)),
        None => cargo.env_remove(emit::VERSION),
    };
    out.line(format_args!(
        "{}: compiling {} for {target} ({})",
        order.name(),
        package.display(),
        cross.describe()
    ));
    let status = cargo.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.map_err(|why| Error::file("build", package, format!("cargo: {why}")))?;
    if !status.success() {
        return Err(Error::file("build", package, "see above"));
    }
    let program = |program: Program| target_dir.join(target).join("release").join(program.word());
    Ok(Programs {
        firmware: program(Program::Firmware),
        bootloader: bootloader.then(|| program(Program::Bootloader)),
    })
}

/// The version of the package, as cargo sees it.
pub(super) fn version(package: &Path) -> Result<String> {
    let failed = |why: String| {
        Error::file("build", package, why)
            .fix("`firmware` in ota.toml names the folder of a package")
    };
    let mut cargo = Command::new("cargo");
    // Needs no Cargo.lock: a project that was never built has none.
    cargo.args(["metadata", "--no-deps", "--format-version=1", "--quiet"]);
    let output = cargo.current_dir(package).stdin(Stdio::null()).output();
    let output = output.map_err(|why| failed(format!("cargo: {why}")))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let told: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|why| failed(format!("cargo: {why}")))?;
    let manifest = std::fs::canonicalize(package.join("Cargo.toml"));
    let manifest = manifest.map_err(|why| failed(why.to_string()))?;
    let packages = told["packages"].as_array().into_iter().flatten();
    let is_it = |path: &str| std::fs::canonicalize(path).is_ok_and(|path| path == manifest);
    let mut of_this =
        packages.filter(|package| package["manifest_path"].as_str().is_some_and(is_it));
    let version = of_this.next().and_then(|package| package["version"].as_str());
    version.map(str::to_owned).ok_or_else(|| failed("there is no package in it".to_owned()))
}
