//! What each bootloader leaves of the slots to an image, worked out by hand from its documents.

use coreota_config::{Document, check};
use std::path::Path;

const MCUBOOT: &str = "bootloader = { kind = \"mcuboot\", mode = \"swap-offset\", max-sectors = 128, header = \"1 KiB\" }";

/// Start and length of the image, in KiB, where a board has that bootloader, secondary slot and writes.
fn image(bootloader: &str, secondary: &str, write: u32, more: &str) -> (u32, u32) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sample = std::fs::read_to_string(folder.join("ota.toml")).unwrap();
    assert!(sample.contains(MCUBOOT));
    let text = sample
        .replace(MCUBOOT, bootloader)
        .replace("write = 4 }", &format!("write = {write} }}"))
        .replacen("256 KiB + 196 KiB", secondary, 1)
        .replace("journal = \"512", &format!("{more}\njournal = \"512"));
    let document = Document::new("ota.toml", &folder, text);
    let model = check(&document).unwrap_or_else(|report| panic!("{report}"));
    let layout = model.device("sim-mcuboot").unwrap().layout;
    let end = |region: coreota_config::values::Region| region.start + region.len;
    assert_eq!(end(layout.slot), end(layout.secondary), "the slot reaches to the end");
    assert!(end(layout.image) <= end(layout.slot));
    (layout.image.start >> 10, layout.image.len >> 10)
}

fn mcuboot(mode: &str, secondary: &str, write: u32, more: &str) -> (u32, u32) {
    image(&MCUBOOT.replace("swap-offset", mode), secondary, write, more)
}

/// 48 units of 4 KiB; the trailer is the magic, 5 fields and 2 words for each of 128 sectors.
#[test]
fn swap_offset_writes_one_unit_in() {
    assert_eq!(mcuboot("swap-offset", "256 KiB + 196 KiB", 4, ""), (260, 188));
    // 32 + 5·32 + 128·2·32 = 8384 bytes: three units.
    assert_eq!(mcuboot("swap-offset", "256 KiB + 196 KiB", 32, ""), (260, 180));
}

/// 16 + 4·8 + 128·3·8 = 3120 bytes: one unit, and the one it moves by.
#[test]
fn swap_move_keeps_a_unit_to_move_by() {
    assert_eq!(mcuboot("swap-move", "256 KiB + 192 KiB", 8, ""), (256, 184));
}

/// 16 + 4·16 + 128·3·16 = 6224 bytes: two units.
#[test]
fn swap_scratch_keeps_only_the_trailer() {
    let scratch = "scratch = \"600 KiB + 4 KiB\"";
    assert_eq!(mcuboot("swap-scratch", "256 KiB + 192 KiB", 16, scratch), (256, 184));
}

#[test]
fn overwrite_only_keeps_the_flags() {
    assert_eq!(mcuboot("overwrite-only", "256 KiB + 192 KiB", 32, ""), (256, 188));
}

#[test]
fn embassy_boot_leaves_the_whole_primary_slot() {
    let state = "state = \"600 KiB + 4 KiB\"";
    let bootloader = "bootloader = { kind = \"embassy-boot\" }";
    assert_eq!(image(bootloader, "256 KiB + 196 KiB", 4, state), (256, 192));
}

#[test]
fn a_bootloader_of_ones_own_takes_what_fits_both() {
    let bootloader = "bootloader = { kind = \"custom\", type = \"crate::Boot\" }";
    assert_eq!(image(bootloader, "256 KiB + 128 KiB", 4, ""), (256, 128));
    assert_eq!(image(bootloader, "256 KiB + 200 KiB", 4, ""), (256, 192));
}
