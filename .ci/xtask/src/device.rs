//! The device half checked for a microcontroller: what the host does not see, like a forgotten `std`.
//! Code is made, linked and weighed by `cargo ota bench`.

use crate::run::{Done, Log, Outcome, target_dir};
use coreota_cross::Cross;

const TARGET: &str = "thumbv7em-none-eabihf";

/// Each stands alone: features are additive, and none may need another.
const FEATURES: &[&str] = &["", "ecdsa-p256", "ed25519", "log", "defmt", "rust-mqtt", "tls"];

pub(crate) fn build(log: &Log) -> Outcome {
    let cross = match Cross::find(TARGET) {
        Ok(cross) => cross,
        Err(missing) => return Ok(Done::Skipped(missing.to_string())),
    };
    for features in FEATURES {
        let mut cargo = cross.cargo("check");
        cargo.args(["--package", "coreota", "--lib", "--no-default-features", "--quiet"]);
        cargo.args(["--features", features]).arg("--target-dir").arg(target_dir().join("cross"));
        log.run(cargo.env("RUSTFLAGS", "-D warnings"))?;
    }
    let mut bootloader = cross.cargo("check");
    bootloader.args(["--package", "coreota-mcuboot", "--lib", "--quiet"]);
    bootloader.arg("--target-dir").arg(target_dir().join("cross"));
    log.run(bootloader.env("RUSTFLAGS", "-D warnings"))?;
    let count = FEATURES.len();
    let how = cross.describe();
    Ok(Done::Ok(format!("{count} sets of features and the bootloader for {TARGET} ({how})")))
}
