//! The boards of this repository: what their linked firmware takes, and how deep its stack goes.
//!
//! Each board is built and, in its emulator, updates itself once: the firmware paints its stack when it
//! starts and tells how much of it was ever written to.

use std::path::Path;

use coreota_config::model::Device;
use serde_json::Value;

use super::{Measured, target_dir};
use crate::build::Folder;
use crate::demo::process::{Process, run};
use crate::error::{Error, Exit, Result};
use crate::ota_toml;
use crate::out::Out;
use crate::provisioning::Broker;

const THING: &str = "bench";
/// The image that updates itself, and the one it updates itself to.
const VERSIONS: [&str; 2] = ["1.0.0", "2.0.0"];
/// What the firmware says of its stack.
const STACK: &str = "memory    stack ";

/// Builds every board, and runs those that an emulator boots.
pub(crate) fn measure(root: &Path, out: &Out) -> Result<Vec<Measured>> {
    let config = root.join("ota.toml");
    let model = ota_toml::read(&config, out)?;
    let top = root.join(target_dir()).join("ota");
    let mut figures = Vec::new();
    for device in model.boards.iter().filter(|device| device.firmware.is_some()) {
        let name = device.name.value.as_str();
        let [old, new] = VERSIONS.map(|version| top.join("bench").join(version));
        for (folder, version) in [&old, &new].into_iter().zip(VERSIONS) {
            let target_dir = top.join(".cargo");
            let build =
                ["build", "--board", name, "--version", version, "--config", text(&config)?];
            let places = ["--out", text(folder)?, "--target-dir", text(&target_dir)?];
            run(root, &[&build[..], &places].concat())?;
        }
        let mut add = |what: &str, value: u64| {
            // They live as long as the command.
            figures.push(Measured { name: format!("{name}-{what}").leak(), value });
        };
        let (old, new) = (Folder::of(&old, name), Folder::of(&new, name));
        let sizes = sizes(&new)?;
        for what in ["flash", "variables", "formatting"] {
            add(what, sizes[what].as_u64().ok_or_else(|| untold(name, what))?);
        }
        let panicking = sizes["panicking"].as_object().ok_or_else(|| untold(name, "panicking"))?;
        add("panics", panicking.values().filter_map(Value::as_u64).sum());
        let bootloader = new.path().join("bootloader.bin");
        let bytes = std::fs::metadata(&bootloader);
        add("bootloader", bytes.map_err(|why| Error::file("read", &bootloader, why))?.len());
        if device.emulator.is_some() {
            add("stack", stack(&config, device, &old, &new)?);
        }
    }
    Ok(figures)
}

fn sizes(folder: &Folder) -> Result<Value> {
    let path = folder.path().join("sizes.json");
    let text = std::fs::read(&path).map_err(|why| Error::file("read", &path, why))?;
    serde_json::from_slice(&text).map_err(|why| Error::file("understand", &path, why))
}

/// Bytes of stack at most, from the first boot of the old image to the confirmation of the new one.
fn stack(config: &Path, device: &Device, old: &Folder, new: &Folder) -> Result<u64> {
    let name = device.name.value.as_str();
    let dir = std::env::temp_dir().join(format!("cargo-ota-bench-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).map_err(|why| Error::file("make the folder", &dir, why))?;
    let peak = (|| {
        let (mut serve, mut certificates) = (vec!["serve", "--listen", "127.0.0.1:0"], &[][..]);
        if device.tls {
            run(&dir, &["pki", "pki", "--thing", THING])?;
            serve.extend(["--tls", "pki", "--tls-listen", "127.0.0.1:0"]);
            certificates = &["--pki", "pki"];
        }
        let way = if device.tls { "tls" } else { "broker" };
        let mut provider = Process::start("provider", &dir, &serve)?;
        let serving: Value = provider
            .line()?
            .and_then(|line| serde_json::from_str(&line).ok())
            .ok_or_else(|| untold(name, "where the provider is"))?;
        let port = serving[way].as_str().and_then(|broker| broker.rsplit(':').next()?.parse().ok());
        let port = port.ok_or_else(|| untold(name, "where the provider is"))?;
        let folder = old.path().parent().unwrap_or(old.path());
        let (broker, flash) = (Broker::here(device, Some(port)).to_string(), dir.join("flash.bin"));
        let board = ["run", "--board", name, "--thing", THING, "--broker", &broker];
        let files = ["--config", text(config)?, "--out", text(folder)?, "--flash", text(&flash)?];
        let mut board =
            Process::start("board", &dir, &[&board[..], &files, certificates].concat())?;
        run(&dir, &["publish", text(&new.update())?, "--thing", THING])?;
        let (mut peak, mut done) = (0, false);
        while let Some(line) = board.line()? {
            done |= line.contains("succeeded");
            if line.contains("\"failed\"") {
                return Err(Error::new(Exit::No, format!("{name} does not update itself: {line}")));
            }
            if let Some(used) = used(&line) {
                peak = peak.max(used);
                if done {
                    return Ok(peak);
                }
            }
        }
        Err(untold(name, "its stack"))
    })();
    // It is in the temporary folder and goes with it.
    let _ = std::fs::remove_dir_all(&dir);
    peak
}

/// `memory    stack 8328 of 29048 bytes at most, …`
fn used(line: &str) -> Option<u64> {
    let (_, told) = line.split_once(STACK)?;
    told.split(' ').next()?.parse().ok()
}

fn untold(name: &str, what: &str) -> Error {
    Error::new(Exit::File, format!("nothing tells of {name}: {what}"))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::file("use", path, "its name is not text"))
}

#[cfg(test)]
mod tests {
    use super::used;

    #[test]
    fn the_stack_is_read_from_the_console() {
        let line = r#"{"event":"console","line":"memory    stack 8328 of 29048 bytes at most"}"#;
        assert_eq!(used(line), Some(8328));
        assert_eq!(used("memory    heap 1 of 2"), None);
    }
}
