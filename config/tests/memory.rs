//! `memory.x`: addresses worked out by hand from partitions and memories.

use coreota_config::memory::{Program, memory_x};
use coreota_config::{Document, check};
use std::path::{Path, PathBuf};

const EMBASSY: &str = "bootloader = { kind = \"embassy-boot\" }";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The script, or the errors, of the sample after replacements.
fn script(board: &str, program: Program, changes: &[(&str, &str)]) -> Result<String, String> {
    let mut text = std::fs::read_to_string(root().join("ota.toml")).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    let document = Document::new("ota.toml", &root(), text);
    let model = check(&document).map_err(|report| report.to_string())?;
    let device = model.device(board).unwrap();
    memory_x(&model, device, program).map_err(|report| report.to_string())
}

fn regions(script: &str) -> Vec<&str> {
    script.lines().filter(|line| line.contains("ORIGIN")).map(str::trim).collect()
}

const MEMORY: &str = "[board.emcraft-sf2.memory]";
const RUN: &str = "run = { address = 0xa000_0000, size = \"64 MiB\" }";
const LOADER: &str = "bootloader = { address = 0, size = \"256 KiB\" }";

#[test]
fn an_image_that_is_copied_is_linked_for_where_it_runs() {
    let firmware = script("emcraft-sf2", Program::Firmware, &[]).unwrap();
    let line = std::fs::read_to_string(root().join("ota.toml")).unwrap();
    let line = line.lines().position(|line| line == "[board.emcraft-sf2]").unwrap() + 1;
    let expected = format!(
        "/* The firmware of board `emcraft-sf2` (ota.toml:{line}). */
MEMORY
{{
  FLASH (rx) : ORIGIN = 0xa0000000, LENGTH = 0x50000
  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 0x10000
}}
"
    );
    assert_eq!(firmware, expected);
    let bootloader = script("emcraft-sf2", Program::Bootloader, &[]).unwrap();
    assert_eq!(
        regions(&bootloader),
        [
            "FLASH (rx) : ORIGIN = 0x00000000, LENGTH = 0x40000",
            "RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 0x10000"
        ]
    );
}

#[test]
fn an_image_that_stays_is_linked_for_its_slot() {
    let stays = [
        (RUN, ""),
        (LOADER, ""),
        ("write = 1 }", "write = 1, base-address = 0x0800_0000 }"),
        (
            "primary = \"0 + 320 KiB\"",
            "primary = \"960 KiB + 320 KiB\"\nbootloader = \"0 + 64 KiB\"",
        ),
    ];
    let firmware = script("emcraft-sf2", Program::Firmware, &stays).unwrap();
    assert_eq!(regions(&firmware)[0], "FLASH (rx) : ORIGIN = 0x080f0000, LENGTH = 0x50000");
    let bootloader = script("emcraft-sf2", Program::Bootloader, &stays).unwrap();
    assert_eq!(regions(&bootloader)[0], "FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 0x10000");
}

/// The slot of 5 units less one for the trailer, less the header of 1 KiB.
#[test]
fn mcuboot_keeps_its_header_in_front_and_its_trailer_behind() {
    let emcraft = format!("parsers = [\"afr-ota\"]\n{EMBASSY}\nflash = {{ size = \"16 MiB\"");
    let mcuboot =
        emcraft.replace(EMBASSY, "bootloader = { kind = \"mcuboot\", mode = \"swap-offset\" }");
    let changes = [(emcraft.as_str(), mcuboot.as_str()), ("state = \"704 KiB + 64 KiB\"\n", "")];
    let firmware = script("emcraft-sf2", Program::Firmware, &changes).unwrap();
    assert_eq!(regions(&firmware)[0], "FLASH (rx) : ORIGIN = 0xa0000400, LENGTH = 0x3fc00");
}

#[test]
fn riscv_rt_has_names_of_its_own() {
    let riscv = [("\"thumbv7m-none-eabi\"", "\"riscv32imac-unknown-none-elf\"")];
    let script = script("emcraft-sf2", Program::Firmware, &riscv).unwrap();
    assert!(script.contains("\nREGION_ALIAS(\"REGION_TEXT\", FLASH);\n"), "{script}");
    assert_eq!(script.matches("REGION_ALIAS").count(), 6);
    assert!(script.contains("\nINSERT AFTER .rodata;\n"), "{script}");
}

#[test]
fn code_that_stays_runs_behind_its_bootloader_in_one_flash() {
    let firmware = script("virt-riscv32", Program::Firmware, &[]).unwrap();
    assert_eq!(regions(&firmware)[0], "FLASH (rx) : ORIGIN = 0x20040000, LENGTH = 0x80000");
    let bootloader = script("virt-riscv32", Program::Bootloader, &[]).unwrap();
    assert_eq!(regions(&bootloader)[0], "FLASH (rx) : ORIGIN = 0x20000000, LENGTH = 0x40000");
}

#[test]
fn what_cannot_be_linked_is_told() {
    let told = |board, program, changes: &[_]| script(board, program, changes).unwrap_err();
    let no_ram = told("sim-mcuboot", Program::Firmware, &[]);
    assert!(no_ram.contains("nothing says where the RAM of board `sim-mcuboot` is"), "{no_ram}");
    let no_loader = told("emcraft-sf2", Program::Bootloader, &[(LOADER, "")]);
    assert!(no_loader.contains("`emcraft-sf2` has no place for a bootloader"), "{no_loader}");
    let nowhere = told("emcraft-sf2", Program::Firmware, &[(RUN, "")]);
    assert!(nowhere.contains("nothing says at which address the image"), "{nowhere}");
    let small = told("emcraft-sf2", Program::Firmware, &[("\"64 MiB\"", "\"256 KiB\"")]);
    assert!(small.contains("`run` has 256 KiB, an image of board `emcraft-sf2` up to 320 KiB"));
    let overlap = told("emcraft-sf2", Program::Firmware, &[("0xa000_0000", "0x2000_8000")]);
    assert!(overlap.contains("memory `run` overlaps `ram`"), "{overlap}");
    let wraps = told("emcraft-sf2", Program::Firmware, &[("0xa000_0000", "0xfe00_0000")]);
    assert!(wraps.contains("memory `run` ends behind the last address"), "{wraps}");
    assert!(
        told("emcraft-sf2", Program::Firmware, &[(MEMORY, "[board.emcraft-sf2.memry]")])
            .contains("memry")
    );
}
