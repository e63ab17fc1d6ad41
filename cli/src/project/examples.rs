//! The example boards, as they are built and tested: what new projects are made of.

/// The sample that declares them.
pub(super) const OTA_TOML: &str = include_str!("../../../ota.toml");

/// An example: its folder, as the sample names it, and its files.
pub(super) struct Example {
    pub(super) folder: &'static str,
    pub(super) files: &'static [(&'static str, &'static str)],
}

macro_rules! example {
    ($folder:literal: $($file:literal,)*) => {
        Example {
            folder: concat!("examples/", $folder),
            files: &[$((
                $file,
                include_str!(concat!("../../../examples/", $folder, "/", $file)),
            ),)*],
        }
    };
}

pub(super) const EXAMPLES: &[Example] = &[
    example!("emcraft-sf2":
        ".cargo/config.toml",
        "Cargo.lock",
        "Cargo.toml",
        "build.rs",
        "src/bin/bootloader/embassy.rs",
        "src/bin/bootloader/main.rs",
        "src/bin/bootloader/mcuboot.rs",
        "src/bin/firmware/application.rs",
        "src/bin/firmware/main.rs",
        "src/bin/firmware/network.rs",
        "src/bin/firmware/tcp.rs",
        "src/bin/firmware/tls.rs",
        "src/console.rs",
        "src/emac.rs",
        "src/executor.rs",
        "src/lib.rs",
        "src/memory.rs",
        "src/nor.rs",
        "src/register.rs",
        "src/spi.rs",
        "src/time.rs",
        "src/window.rs",
    ),
    example!("microbit":
        ".cargo/config.toml",
        "Cargo.lock",
        "Cargo.toml",
        "build.rs",
        "src/bin/bootloader/main.rs",
        "src/bin/firmware/application.rs",
        "src/bin/firmware/main.rs",
        "src/jump.rs",
        "src/lib.rs",
        "src/memory.rs",
        "src/nvmc.rs",
        "src/register.rs",
        "src/time.rs",
        "src/uart.rs",
    ),
    example!("virt-riscv32":
        ".cargo/config.toml",
        "Cargo.lock",
        "Cargo.toml",
        "build.rs",
        "src/bin/bootloader/main.rs",
        "src/bin/firmware/application.rs",
        "src/bin/firmware/connection.rs",
        "src/bin/firmware/main.rs",
        "src/bin/firmware/network.rs",
        "src/console.rs",
        "src/ethernet.rs",
        "src/interrupts.rs",
        "src/lib.rs",
        "src/memory.rs",
        "src/nor.rs",
        "src/register.rs",
        "src/start.rs",
        "src/time.rs",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn files(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let entry = entry.expect("readable");
            let name = format!("{prefix}{}", entry.file_name().to_str().expect("UTF-8"));
            match entry.file_type().expect("readable").is_dir() {
                true if name == "target" => {}
                true => files(&entry.path(), &format!("{name}/"), found),
                false => drop(found.insert(name)),
            }
        }
    }

    #[test]
    fn every_file_of_an_example_goes_into_a_project() {
        for example in EXAMPLES {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(example.folder);
            let mut found = BTreeSet::new();
            files(&folder, "", &mut found);
            let listed = example.files.iter().map(|(file, _)| (*file).to_owned()).collect();
            assert_eq!(found, listed, "{}", example.folder);
        }
    }
}
