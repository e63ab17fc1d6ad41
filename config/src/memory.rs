//! Linker scripts: `memory.x` of a board's firmware and bootloader, from its partitions and memories.
//!
//! No address is written twice: what `ota.toml` says is what programs are linked for. A build
//! script is one call, [`build_script`]; the text is [`memory_x`].

use crate::diagnostic::{Errors, Report};
use crate::model::{Device, Link, Model};
use crate::values::Region;
use std::path::{Path, PathBuf};

/// A program of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The image that is updated.
    Firmware,
    /// What boots it.
    Bootloader,
}

impl Program {
    /// One word; the name of its binary, where `cargo ota build` looks for it.
    pub fn word(self) -> &'static str {
        match self {
            Program::Firmware => "firmware",
            Program::Bootloader => "bootloader",
        }
    }
}

/// The regions `FLASH` (code) and `RAM` that `cortex-m-rt` and `riscv-rt` link for.
///
/// # Errors
/// The board does not say where its RAM is, or has no place for a bootloader.
pub fn memory_x(model: &Model, device: &Device, program: Program) -> Result<String, Report> {
    let name = &device.name.value;
    let refuse = |wrong: String, right: &str| {
        let mut errors = Errors::default();
        errors.add(device.name.span.clone(), wrong, right);
        errors.report(&model.path, &model.text)
    };
    let Some(Link { ram, firmware, bootloader, .. }) = device.link else {
        let right =
            format!("give it `memory = {{ ram = {{ address = …, size = … }} }}` in [board.{name}]");
        return Err(refuse(format!("nothing says where the RAM of board `{name}` is"), &right));
    };
    let code = match (program, bootloader) {
        (Program::Firmware, _) => firmware,
        (Program::Bootloader, Some(bootloader)) => bootloader,
        (Program::Bootloader, None) => {
            let right = "give it a partition `bootloader` in a flash with a `base-address`, or `memory.bootloader`";
            return Err(refuse(format!("board `{name}` has no place for a bootloader"), right));
        }
    };
    let line =
        |region: Region| format!("ORIGIN = {:#010x}, LENGTH = {:#x}", region.start, region.len);
    let (code, ram) = (line(code), line(ram));
    let aliases = match device.target.starts_with("riscv") {
        true => RISCV,
        false => "",
    };
    Ok(format!(
        "/* The {} of board `{name}` ({}). */\nMEMORY\n{{\n  FLASH (rx) : {code}\n  RAM (rwx) : {ram}\n}}\n{aliases}",
        program.word(),
        model.origin(&device.name),
    ))
}

/// What riscv-rt calls them; and a place for its start-up code in Rust, which would else come behind the
/// variables: in RAM, where that is executable, and far from all others in the file.
const RISCV: &str = r#"
REGION_ALIAS("REGION_TEXT", FLASH);
REGION_ALIAS("REGION_RODATA", FLASH);
REGION_ALIAS("REGION_DATA", RAM);
REGION_ALIAS("REGION_BSS", RAM);
REGION_ALIAS("REGION_HEAP", RAM);
REGION_ALIAS("REGION_STACK", RAM);
SECTIONS
{
  .init.rust : ALIGN(4) { KEEP(*(.init.rust)); } > REGION_RODATA
}
INSERT AFTER .rodata;
"#;

/// The whole of a build script: makes `memory.x` for each program and has it linked.
///
/// `file` is as [`orchestrator!`](https://docs.rs/coreota) names it, from the folder of the package. The board is the one in the
/// environment's `COREOTA_BOARD`, or the only one there is. Code that is for one bootloader only is
/// told by `cfg(bootloader = "…")`, the `kind` in the file, code that is for TLS only by `cfg(tls)`. What is wrong is printed, and ends the build.
pub fn build_script(file: &str, programs: &[Program]) {
    if let Err(report) = script(file, programs) {
        eprintln!("{report}");
        std::process::exit(1);
    }
}

fn script(file: &str, programs: &[Program]) -> Result<(), Report> {
    let variable = |name: &str| PathBuf::from(std::env::var_os(name).unwrap_or_default());
    let (folder, out) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR"));
    println!("cargo:rerun-if-changed={file}");
    println!("cargo:rerun-if-env-changed={}", crate::emit::BOARD);
    let document = crate::load(&folder.join(file), file)?;
    let model = crate::check(&document)?;
    let board = std::env::var(crate::emit::BOARD).ok();
    let device = model.choose(board.as_deref())?;
    println!("cargo:rustc-check-cfg=cfg(bootloader, values(any()))");
    println!("cargo:rustc-cfg=bootloader=\"{}\"", device.bootloader.kind());
    println!("cargo:rustc-check-cfg=cfg(tls)");
    if device.tls {
        println!("cargo:rustc-cfg=tls");
    }
    for program in programs {
        let word = program.word();
        let folder = out.join(word);
        write(&folder, &memory_x(&model, device, *program)?)?;
        let scripts = match device.target.starts_with("riscv") {
            true => &["-Tmemory.x", "-Tlink.x"][..],
            // Sections need not begin at pages: there is no loader.
            false => &["--nmagic", "-Tlink.x"],
        };
        println!("cargo:rustc-link-arg-bin={word}=-L{}", folder.display());
        scripts.iter().for_each(|script| println!("cargo:rustc-link-arg-bin={word}={script}"));
    }
    Ok(())
}

fn write(folder: &Path, text: &str) -> Result<(), Report> {
    let file = folder.join("memory.x");
    std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, text)).map_err(|error| {
        let wrong = format!("the linker script cannot be written: {error}");
        Report::whole(&file.display().to_string(), wrong, "a folder that can be written to")
    })
}
