//! Flash images that MCUboot itself wrote; `data/README.md` tells where they are from.
#![allow(dead_code)] // each test crate takes what it needs

use coreota::boot::mcuboot::{Mcuboot, Mode};
use coreota::layout::Region;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::LazyLock;

pub(crate) const ERASE: usize = 4096;
pub(crate) const SIZE: usize = 256 * 1024;
pub(crate) const PRIMARY: Region = Region::new(0, 20 * 4096);

/// The modes by the names in the archive.
pub(crate) const MODES: [(&str, Mode); 4] = [
    ("move", Mode::SwapMove),
    ("offset", Mode::SwapOffset),
    ("scratch", Mode::SwapScratch),
    ("overwrite", Mode::OverwriteOnly),
];

pub(crate) const fn secondary(mode: Mode) -> Region {
    Region::new(32 * 4096, if matches!(mode, Mode::SwapOffset) { 21 * 4096 } else { 20 * 4096 })
}

/// The adapter for the slots of these images.
pub(crate) const fn adapter(mode: Mode) -> Mcuboot {
    Mcuboot::new(PRIMARY, secondary(mode), mode)
}

/// The flash image `MODE-WRITE-STATE.bin`.
pub(crate) fn image(mode: &str, write: usize, state: &str) -> &'static [u8] {
    let name = format!("{mode}-{write}-{state}.bin");
    FILES.get(&name).unwrap_or_else(|| panic!("no {name} in the archive"))
}

/// States of that mode and write size whose names begin so.
pub(crate) fn states(mode: &str, write: usize, begin: &str) -> Vec<&'static str> {
    let prefix = format!("{mode}-{write}-");
    let states = FILES.keys().filter_map(|name| name.strip_prefix(&prefix)?.strip_suffix(".bin"));
    states.filter(|state| state.starts_with(begin)).collect()
}

/// Any file of the archive.
pub(crate) fn file(name: &str) -> &'static [u8] {
    FILES.get(name).unwrap_or_else(|| panic!("no {name} in the archive"))
}

static FILES: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| {
    let mut tar = Vec::new();
    let mut xz: &[u8] = include_bytes!("../data/mcuboot-golden.tar.xz");
    lzma_rs::xz_decompress(&mut xz, &mut tar).expect("the archive is whole");
    let mut archive = tar::Archive::new(&tar[..]);
    let files = archive.entries().expect("a tar").map(|entry| {
        let mut entry = entry.expect("a tar entry");
        let path = entry.path().expect("a path").into_owned();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        (name.unwrap_or_default(), bytes)
    });
    files.collect()
});
