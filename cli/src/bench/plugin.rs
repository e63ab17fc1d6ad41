//! A hosted plugin on a processor: the images of `examples/plugin-bench`, run under QEMU.
//!
//! The emulator counts instructions exactly (`-icount`), the firmware counts its stack and memory;
//! what the host of plugins weighs is an image with it less one without.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use coreota_cross::Cross;

use super::{Measured, build, elf, target_dir};
use crate::error::{Error, Exit, Result};

const TARGET: &str = "thumbv7em-none-eabihf";

/// Names in the budgets, the image that tells them, and its names for them.
const TOLD: [(&str, &str, &str); 14] = [
    ("plugin-load", "hosted", "load"),
    ("plugin-parse", "hosted", "parse"),
    ("plugin-parse-native", "native", "parse"),
    ("plugin-heap", "hosted", "resident"),
    ("plugin-heap-peak", "hosted", "peak"),
    ("plugin-arena", "hosted", "need"),
    ("plugin-stack-load", "hosted", "load-stack"),
    ("plugin-stack-call", "hosted", "parse-stack"),
    ("plugin-block", "protocol", "mqtt-stream-block"),
    ("plugin-block-native", "protocol", "native-block"),
    ("plugin-block-raw", "protocol", "raw-blocks-block"),
    ("plugin-request", "protocol", "mqtt-stream-request"),
    ("plugin-request-native", "protocol", "native-request"),
    ("plugin-block-arena", "protocol", "mqtt-stream-need"),
];

/// Names in the budgets, and the samples whose modules they are the length of.
const MODULES: [(&str, &str); 3] = [
    ("plugin-parser-size", "acme-jobs"),
    ("plugin-protocol-size", "raw-blocks"),
    ("plugin-stream-size", "mqtt-stream"),
];

/// Runs every image. Those with a hostile world have no figures, but must come to their end.
pub(crate) fn measure(root: &Path) -> Result<Vec<Measured>> {
    let cross = Cross::find(TARGET).map_err(|missing| {
        Error::new(Exit::File, missing.to_string()).fix("or leave the plugin out: --only counts")
    })?;
    let target_dir = root.join(target_dir()).join("cross");
    let mut cargo = cross.cargo("build");
    cargo.args(["--quiet", "--locked", "--release", "--bins", "--target-dir"]).arg(&target_dir);
    build(cargo.current_dir(root.join("examples/plugin-bench")))?;

    let folder = target_dir.join(TARGET).join("release");
    let mut told = BTreeMap::new();
    for image in ["native", "hosted", "protocol", "exhaustion", "hostile"] {
        told.insert(image, run(&folder.join(image))?);
    }
    let flash = |image: &str| elf::read(&folder.join(image)).map(|image| image.flash);
    let host = flash("hosted")?.saturating_sub(flash("empty")?);
    let mut figures = vec![Measured { name: "plugin-host", value: host }];
    for (name, image, its_name) in TOLD {
        let value = told.get(image).and_then(|lines| lines.get(its_name)).copied();
        let value = value.ok_or_else(|| {
            Error::new(Exit::File, format!("the image `{image}` does not tell `{its_name}`"))
        })?;
        figures.push(Measured { name, value });
    }
    for (name, sample) in MODULES {
        let module = root.join("plugins/samples").join(sample).join(sample).with_extension("wasm");
        let value =
            std::fs::metadata(&module).map_err(|why| Error::file("read", &module, why))?.len();
        figures.push(Measured { name, value });
    }
    Ok(figures)
}

/// Runs an image to its end; the lines `name value` it prints.
fn run(image: &Path) -> Result<BTreeMap<String, u64>> {
    let mut qemu = Command::new("qemu-system-arm");
    qemu.args(["-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "null"]);
    // Without a device of its own, what is printed by semihosting goes to standard error.
    qemu.args(["-icount", "shift=6", "-chardev", "stdio,id=said"]);
    qemu.args(["-semihosting-config", "enable=on,target=native,chardev=said", "-kernel"]);
    let output = qemu.arg(image).stdin(Stdio::null()).output().map_err(|why| {
        Error::new(Exit::File, format!("cannot run qemu-system-arm: {why}"))
            .fix("apt-get install qemu-system-arm; or leave the plugin out: --only size")
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || text.lines().last() != Some("done") {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(Exit::No, format!("{} failed: {text}{said}", image.display())));
    }
    Ok(figures(&text))
}

fn figures(text: &str) -> BTreeMap<String, u64> {
    let pairs = text.lines().filter_map(|line| line.rsplit_once(' '));
    pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::figures;

    #[test]
    fn lines_are_names_and_numbers() {
        let told = figures("load 1241080\nload-stack 7560\nno number\ndone\n");
        assert_eq!(
            told.into_iter().collect::<Vec<_>>(),
            [("load".to_owned(), 1_241_080), ("load-stack".to_owned(), 7560)]
        );
    }
}
