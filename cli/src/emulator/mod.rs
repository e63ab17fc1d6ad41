//! An emulated board: its flash as a file, and the emulator that `emulator` in ota.toml names.

#[cfg(unix)]
pub(crate) mod attend;
#[cfg(unix)]
mod console;
#[cfg(unix)]
mod debugger;
#[cfg(unix)]
pub(crate) mod wired;

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use coreota_config::memory::Program;
use coreota_config::model::Device;
use coreota_config::values::Region;

use crate::build::Folder;
use crate::error::{Error, Exit, Result};
use crate::keys;

/// Debian's packages of emulators, by how the names of their programs begin.
const PACKAGES: &[(&str, &str)] = &[
    ("qemu-system-arm", "qemu-system-arm"),
    ("qemu-system-riscv", "qemu-system-riscv`, on Debian 12 `qemu-system-misc"),
    ("qemu-system-xtensa", "qemu-system-misc"),
];

/// Bytes that an emulated chip programs in one operation at most: the buffer of QEMU's parallel flash, a
/// page of its SPI flash, or a word of flash inside the chip.
pub(crate) fn page(device: &Device) -> u32 {
    match &device.emulator {
        _ if is_wired(device) => device.flash.write.value.0,
        Some(command) if command.value.contains("if=pflash") => 2048,
        _ => 256,
    }
}

/// The flash of one emulated board.
pub(crate) struct Flash(PathBuf);

impl Flash {
    /// The file, made as the factory leaves the flash where it is not there yet; and whether it was made.
    pub(crate) fn open(path: &Path, device: &Device, factory: &Path) -> Result<(Self, bool)> {
        let size = u64::from(device.flash.size.value.0);
        let flash = Flash(path.to_owned());
        if let Ok(found) = fs::metadata(path) {
            return match found.len() == size {
                true => Ok((flash, false)),
                false => Err(Error::file("use", path, format!("it has {} bytes", found.len()))
                    .fix(format!(
                        "the flash has {size}; name another file, or start anew with --fresh"
                    ))),
            };
        }
        let image = fs::read(factory).map_err(|error| Error::file("read", factory, error))?;
        let mut bytes = vec![0xff; size as usize];
        bytes[..image.len()].copy_from_slice(&image);
        // What a device is told may have a private key in it.
        keys::write(path, &bytes, true)?;
        Ok((flash, true))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Puts these bytes at the start of a partition, the rest of which is erased.
    pub(crate) fn program(&self, partition: Region, bytes: &[u8]) -> Result<()> {
        let write = || {
            let mut file = File::options().write(true).open(&self.0)?;
            let mut all = vec![0xff; partition.len as usize];
            all[..bytes.len()].copy_from_slice(bytes);
            file.seek(SeekFrom::Start(partition.start.into()))?;
            file.write_all(&all)
        };
        write().map_err(|error| Error::file("write", &self.0, error))
    }
}

/// The sockets that an emulator's wires lead to; `None` where it has none.
pub(crate) struct Sockets {
    pub(crate) serial: PathBuf,
    pub(crate) debugger: PathBuf,
}

/// Whether this process is at the other end of the board's serial line, and of a debugger's.
pub(crate) fn is_wired(device: &Device) -> bool {
    let template = device.emulator.as_ref().map(|command| command.value.as_str());
    let has = |wire: &str| template.is_some_and(|template| template.contains(wire));
    has("{serial}") && has("{debugger}")
}

/// The command that boots a board.
pub(crate) fn command(
    device: &Device,
    built: &Folder,
    flash: &str,
    sockets: Option<&Sockets>,
) -> Result<Command> {
    let name = &device.name.value;
    let Some(template) = &device.emulator else {
        return Err(Error::new(Exit::File, format!("no emulator is known for board `{name}`"))
            .fix(format!("give its command: `emulator = \"…\"` in [board.{name}]")));
    };
    let elf = |program| built.elf(program).display().to_string();
    let socket = |socket: fn(&Sockets) -> &PathBuf| {
        sockets.map(|sockets| socket(sockets).display().to_string()).unwrap_or_default()
    };
    let words = [
        ("flash", flash),
        ("serial", &socket(|sockets| &sockets.serial)),
        ("debugger", &socket(|sockets| &sockets.debugger)),
        ("firmware", &elf(Program::Firmware)),
        ("bootloader", &elf(Program::Bootloader)),
    ];
    let command = coreota_emulator::command(&template.value, &words);
    match is_there(command.get_program()) {
        true => Ok(command),
        false => Err(missing(&command, &std::io::ErrorKind::NotFound.into())),
    }
}

/// Whether there is such a program; a path counts where it leads.
fn is_there(program: &std::ffi::OsStr) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Says how to come by an emulator that does not start.
pub(crate) fn missing(command: &Command, why: &std::io::Error) -> Error {
    let program = command.get_program().to_string_lossy();
    let package = PACKAGES.iter().find(|(start, _)| program.starts_with(start));
    let what = format!("the emulator does not start: {program}: {why}");
    Error::new(Exit::File, what).fix(match package {
        Some((_, package)) => {
            format!("install it: `apt-get install {package}`, or as your system calls it")
        }
        None => "install it, or correct `emulator` in ota.toml".to_owned(),
    })
}
