//! The board that is tried: its images, and its emulator.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use coreota_config::memory::Program;
use coreota_config::model::Device;
use coreota_emulator::{
    Chip, Held, Line, Machine, Server, command, follow, serve, traced, writes_back_later,
};

use super::provider::{DEVICE, Way};
use crate::run::{cargo, output, target_dir};

/// The image that the factory programs, and the one that replaces it.
pub(super) const OLD: &str = "1.0.0";
pub(super) const NEW: &str = "2.0.0";

/// With nothing written for so long, a board with no job has nothing more to write.
const QUIET: Duration = Duration::from_millis(500);
const LOOK: Duration = Duration::from_millis(20);

/// A board with its images built.
pub(super) struct Subject {
    pub(super) name: String,
    device: Device,
    /// The folder with the folders of the two builds in it.
    folder: PathBuf,
    factory: Vec<u8>,
    pub(super) old: Vec<u8>,
    pub(super) new: Vec<u8>,
}

impl Subject {
    /// Builds both versions of that board, where they are not `built` yet.
    pub(super) fn of(name: &str, built: bool) -> Result<Self, String> {
        let device = device(name)?;
        let top = std::path::absolute(target_dir()).map_err(|why| format!("target: {why}"))?;
        let folder = top.join("xtask/cuts").join(name);
        if !built {
            build(name, &folder)?;
        }
        let read = |version: &str, file: &str| {
            let path = folder.join(version).join(name).join(file);
            std::fs::read(&path).map_err(|why| format!("{}: {why}", path.display()))
        };
        let (factory, old, new) =
            (read(OLD, "factory.bin")?, read(OLD, "update.img")?, read(NEW, "update.img")?);
        Ok(Subject { name: name.to_owned(), device, folder, factory, old, new })
    }

    /// Whether it speaks TLS.
    pub(super) fn tls(&self) -> bool {
        self.device.tls
    }

    /// The image that is published.
    pub(super) fn update_path(&self) -> PathBuf {
        self.folder.join(NEW).join(&self.name).join("update.img")
    }

    /// The flash as it leaves the factory, for a thing and its broker.
    pub(super) fn factory(&self, thing: &str, way: &Way) -> Result<Chip, String> {
        let flash = &self.device.flash;
        let mut bytes = vec![0xff; flash.size.value.0 as usize];
        bytes[..self.factory.len()].copy_from_slice(&self.factory);
        self.provision(&mut bytes, thing, way)?;
        Ok(Chip::holding(bytes, flash.erase.value.0 as usize))
    }

    /// The same flash, for another thing.
    pub(super) fn renamed(&self, chip: &Chip, thing: &str, way: &Way) -> Result<Chip, String> {
        let mut bytes = chip.bytes().to_vec();
        self.provision(&mut bytes, thing, way)?;
        Ok(Chip::holding(bytes, self.device.flash.erase.value.0 as usize))
    }

    fn provision(&self, flash: &mut [u8], thing: &str, way: &Way) -> Result<(), String> {
        let partition = self.device.layout.provisioning;
        let partition =
            partition.ok_or_else(|| format!("{} has no partition `provisioning`", self.name))?;
        let path = scratch("told.bin");
        let broker = format!("10.0.2.2:{}", way.port);
        let mut provision = tool()?;
        provision.args(["--json", "provision", "--board", &self.name, "--thing", thing]);
        if let Some(pki) = &way.pki {
            // All things are one device to the broker.
            let file = |name: &str| pki.join(name);
            provision.arg("--ca").arg(file("ca.pem"));
            provision.arg("--device-cert").arg(file(&format!("{DEVICE}.pem")));
            provision.arg("--device-key").arg(file(&format!("{DEVICE}.key.pem")));
        }
        output(provision.args(["--broker", &broker]).arg(&path))?;
        let told = std::fs::read(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        // It was read.
        let _ = std::fs::remove_file(&path);
        let (start, len) = (partition.start as usize, partition.len as usize);
        flash[start..start + len].fill(0xff);
        flash[start..start + told.len()].copy_from_slice(&told);
        Ok(())
    }

    /// The version of the image that is in the slot that runs, where it is one of the two, whole.
    pub(super) fn runs(&self, flash: &[u8]) -> Option<&'static str> {
        let slot = flash.get(self.device.layout.primary.start as usize..).unwrap_or_default();
        let images = [(OLD, &self.old), (NEW, &self.new)];
        images.into_iter().find(|(_, image)| slot.starts_with(image)).map(|(version, _)| version)
    }

    /// Whether an operation there changes the slot that runs.
    pub(super) fn is_primary(&self, at: u64) -> bool {
        let primary = self.device.layout.primary;
        (u64::from(primary.start)..primary.end()).contains(&at)
    }

    /// A board that was given power, on this flash. It is `exact` where the order of its operations counts.
    pub(super) fn boot(&self, chip: Chip, exact: bool) -> Result<Powered, String> {
        let socket = scratch("nbd");
        let server = serve(chip.clone(), &socket);
        let server = server.map_err(|why| format!("{}: {why}", socket.display()))?;
        let mut command = self.command(&socket)?;
        let boot = |command, stderr| {
            Machine::boot(command, stderr)
                .map_err(|why| format!("the emulator does not start: {why}"))
        };
        let in_order = !writes_back_later(&command);
        let (machine, traced) = match exact && !in_order {
            false => (boot(command, Stdio::null())?, None),
            true => {
                traced(&mut command);
                let mut machine = boot(command, Stdio::piped())?;
                let told = machine.told().ok_or("the emulator traces nothing")?;
                (machine, Some(follow(told, chip)))
            }
        };
        Ok(Powered { machine, server, socket, in_order, traced })
    }

    fn command(&self, socket: &Path) -> Result<Command, String> {
        let template = self.device.emulator.as_ref();
        let template =
            template.ok_or_else(|| format!("{} has no `emulator` in ota.toml", self.name))?;
        let built = self.folder.join(OLD).join(&self.name);
        let elf =
            |program: Program| built.join(format!("{}.elf", program.word())).display().to_string();
        let words = [
            ("flash", format!("nbd+unix:///?socket={}", socket.display())),
            ("firmware", elf(Program::Firmware)),
            ("bootloader", elf(Program::Bootloader)),
        ];
        let words: Vec<_> = words.iter().map(|(name, word)| (*name, word.as_str())).collect();
        Ok(command(&template.value, &words))
    }
}

/// A board in its emulator, until it is dropped: then it has no power.
pub(super) struct Powered {
    machine: Machine,
    server: Server,
    socket: PathBuf,
    /// Whether the emulator writes what the firmware wrote, at once.
    in_order: bool,
    /// The flash as the firmware changed it, where the emulator writes back later.
    traced: Option<Held>,
}

impl Powered {
    /// The flash, as exact as was asked for.
    pub(super) fn flash(&self) -> &Held {
        self.traced.as_ref().unwrap_or(self.server.held())
    }

    /// Whether the operations on [`Powered::flash`] are in the order of the firmware.
    pub(super) fn is_exact(&self) -> bool {
        self.in_order || self.traced.is_some()
    }

    /// The next line of the console.
    pub(super) fn line(&mut self, within: Duration) -> Result<Line, String> {
        self.machine.line(within).map_err(|why| format!("the emulator cannot be waited for: {why}"))
    }

    /// The operations since it was recorded, once no more come.
    pub(super) fn settled(&self) -> usize {
        let mut last = (Instant::now(), 0);
        loop {
            let count = self.flash().chip().operations().count() as usize;
            if count != last.1 {
                last = (Instant::now(), count);
            }
            if last.0.elapsed() > QUIET {
                return count;
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Powered {
    fn drop(&mut self) {
        // It is no more than a name.
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Builds both versions into folders of their own, with the tool as it is here.
fn build(name: &str, folder: &Path) -> Result<(), String> {
    output(&mut cargo(["build", "--quiet", "--package", "coreota-cli"]))?;
    let target = std::path::absolute(target_dir()).map_err(|why| format!("target: {why}"))?;
    for version in [OLD, NEW] {
        let mut build = tool()?;
        build.args(["--json", "build", "--board", name, "--version", version, "--out"]);
        build.arg(folder.join(version)).arg("--target-dir").arg(target.join("ota/.cargo"));
        output(&mut build)?;
    }
    Ok(())
}

/// The names of the boards in `ota.toml` that can be tried.
pub(super) fn names() -> Result<Vec<String>, String> {
    // What it does to its flash is the same with and without TLS, but for the count of starts, which has tests.
    let plain = emulated()?.into_iter().filter(|device| !device.tls);
    Ok(plain.map(|device| device.name.value).collect())
}

/// The board of that name in `ota.toml`.
fn device(name: &str) -> Result<Device, String> {
    let boards = emulated()?;
    let names: Vec<&str> = boards.iter().map(|device| device.name.value.as_str()).collect();
    let names = names.join(", ");
    let found = boards.iter().find(|device| device.name.value == name);
    found.cloned().ok_or_else(|| {
        format!("ota.toml has no board `{name}` whose emulator takes its flash as `{{flash}}`, only: {names}")
    })
}

/// The boards whose flash can be served to their emulator.
fn emulated() -> Result<Vec<Device>, String> {
    let file = Path::new("ota.toml");
    let document = coreota_config::load(file, "ota.toml").map_err(|report| report.to_string())?;
    let model = coreota_config::check(&document).map_err(|report| report.to_string())?;
    let served = |device: &Device| {
        let command = device.emulator.as_ref().map(|command| command.value.as_str());
        device.firmware.is_some() && command.is_some_and(|command| command.contains("{flash}"))
    };
    Ok(model.boards.into_iter().filter(served).collect())
}

/// `cargo ota`, as it was built here.
pub(super) fn tool() -> Result<Command, String> {
    let top = std::path::absolute(target_dir()).map_err(|why| format!("target: {why}"))?;
    let mut tool = Command::new(top.join("debug/cargo-ota"));
    tool.arg("ota");
    Ok(tool)
}

/// The path of a file that nobody else has.
fn scratch(what: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("xtask-cuts-{}-{n}.{what}", std::process::id()))
}
