//! Flash, RAM and panics of the device path: firmware of `examples/size`, linked for a Cortex-M4.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use coreota_cross::Cross;

use super::calls::Calls;
use super::elf::{self, Image};
use super::{Measured, build, target_dir};
use crate::error::{Error, Exit, Result};

const TARGET: &str = "thumbv7em-none-eabihf";

/// SHA-2 as a loop (1.4 KB) rather than unrolled (8 KB), as a device wants it.
const FLAGS: [&str; 3] = ["--cfg", r#"sha2_backend_soft="compact""#, "-Zemit-stack-sizes"];

/// What was measured, and what can panic in the device path without cryptography.
pub(crate) struct Weighed {
    pub(crate) figures: Vec<Measured>,
    pub(crate) panics: Vec<String>,
}

/// Links and weighs every image.
pub(crate) fn measure(root: &Path) -> Result<Weighed> {
    let cross = Cross::find(TARGET).map_err(|missing| {
        Error::new(Exit::File, missing.to_string()).fix("or leave the sizes out: --only counts")
    })?;
    let target_dir = root.join(target_dir()).join("cross");
    let mut cargo = cross.cargo("build");
    cargo.args(["--quiet", "--package", "size-image", "--bins", "--profile", "firmware"]);
    cargo.arg("--target-dir").arg(&target_dir).current_dir(root);
    let mut flags = FLAGS.map(str::to_owned).to_vec();
    for (folder, name) in registries(root)?.iter().zip(b'a'..) {
        let name = char::from(name);
        flags.push(format!("--remap-path-prefix={}=/registry/src/{name}", folder.display()));
    }
    // Stack sizes are a flag of nightlies; it changes no code.
    cargo.env("RUSTC_BOOTSTRAP", "1").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    build(&mut cargo)?;

    let folder = target_dir.join(TARGET).join("firmware");
    let image = |name: &str| elf::read(&folder.join(name));
    let empty = image("empty")?.flash;
    let flash = |image: &Image| image.flash.saturating_sub(empty);
    let (plain, ecdsa, ed25519) =
        (image("device_plain")?, image("device_ecdsa")?, image("device_ed25519")?);
    let orchestrator = plain.orchestrator.ok_or_else(|| unreadable("ORCHESTRATOR_BYTES"))?;
    let calls = Calls::of(&plain);
    let (resumes, panics): (Vec<_>, Vec<_>) =
        calls.panics().into_iter().partition(|way| Calls::is_resume(way));
    let figures = vec![
        Measured { name: "codecs", value: flash(&image("codecs")?) },
        Measured { name: "device", value: flash(&plain) },
        Measured { name: "device-async", value: flash(&image("device_async")?) },
        Measured { name: "device-ecdsa-p256", value: flash(&ecdsa) },
        Measured { name: "device-ed25519", value: flash(&ed25519) },
        Measured { name: "orchestrator", value: u64::from(orchestrator) },
        Measured { name: "ram", value: ram(&plain)? },
        Measured { name: "ram-ecdsa-p256", value: ram(&ecdsa)? },
        Measured { name: "ram-ed25519", value: ram(&ed25519)? },
        Measured { name: "panics", value: panics.len() as u64 },
        Measured { name: "resumes", value: resumes.len() as u64 },
        Measured { name: "formatting", value: calls.formatting() as u64 },
        Measured { name: "no-plugins", value: calls.hosting() as u64 },
    ];
    Ok(Weighed { figures, panics })
}

/// The folders that packages from registries are unpacked to: where a panic is left in one, its file's path
/// is in the image, which must not be larger for a longer name of somebody's home. The paths of this
/// repository are relative wherever it stands.
fn registries(root: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--format-version=1", "--quiet"]).current_dir(root);
    let output = cargo.output().map_err(|why| Error::file("read", root, why))?;
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|_| {
        let why = String::from_utf8_lossy(&output.stderr);
        Error::new(Exit::File, format!("cargo metadata: {}", why.trim()))
    })?;
    let packages = told["packages"].as_array().into_iter().flatten();
    let foreign = packages.filter(|package| !package["source"].is_null());
    let manifests = foreign.filter_map(|package| package["manifest_path"].as_str());
    Ok(manifests
        .filter_map(|path| Path::new(path).parent()?.parent())
        .map(Path::to_path_buf)
        .collect())
}

/// Variables, and the deepest stack: the orchestrator lives on it here.
fn ram(image: &Image) -> Result<u64> {
    let stack = Calls::of(image).deepest("_start").ok_or_else(|| unreadable("the calls"))?;
    Ok(image.variables + stack)
}

fn unreadable(what: &str) -> Error {
    Error::new(Exit::File, format!("cannot make out {what} in the linked image"))
}
