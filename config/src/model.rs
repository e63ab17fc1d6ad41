//! What a checked file means: every default filled in, every override laid in, every number worked out.
//! Only [`check`](fn@crate::check::check) makes one.

use crate::diagnostic::{At, Errors, Report, did_you_mean, listed, position};
use crate::keys::{
    self, Algorithm, Bootloader, Budget, Flash, JobSource, MqttStream, Parser, Partitions, Policy,
    Product, Role, Verify,
};
use crate::values::{Every, Region};
use std::path::PathBuf;

/// A file that holds together.
#[derive(Clone, Debug)]
pub struct Model {
    /// The file, as the caller named it.
    pub path: String,
    /// `[product]`
    pub product: Product,
    /// The boards, in the order of the file; at least one.
    pub boards: Vec<Device>,
    pub(crate) text: String,
}

/// A board with the whole pipeline it runs.
#[derive(Clone, Debug)]
pub struct Device {
    /// The name of the board.
    pub name: At<String>,
    /// What rustc builds for, or `host`.
    pub target: String,
    /// What the pipeline may take of it.
    pub budget: Option<Budget>,
    /// Its job source.
    pub jobs: At<JobSource>,
    /// Its parsers, in order; at least one.
    pub parsers: Vec<At<Parser>>,
    /// Its transport.
    pub stream: At<MqttStream>,
    /// The plugins it hosts: number `n` in slot `n`, those that may come over the air first, else in the
    /// order of the file.
    pub plugins: Vec<Plugin>,
    /// Its policy.
    pub policy: At<Policy>,
    /// Its rules for images.
    pub verify: At<Verify>,
    /// The keys it trusts.
    pub keys: Vec<Key>,
    /// Its flash.
    pub flash: Flash,
    /// Its partitions as written.
    pub partitions: At<Partitions>,
    /// Whether its firmware speaks TLS.
    pub tls: bool,
    /// Its bootloader.
    pub bootloader: At<Bootloader>,
    /// Where everything is in the flash.
    pub layout: Layout,
    /// The RAM its pipeline needs.
    pub memory: Memory,
    /// What its programs are linked for, where its `memory` says.
    pub link: Option<Link>,
    /// The folder of its firmware's package, as the file names it.
    pub firmware: Option<At<String>>,
    /// The command that boots it in an emulator.
    pub emulator: Option<At<String>>,
}

/// What the programs of a board are linked for, by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// What variables and the stack are in.
    pub ram: Region,
    /// What the firmware's code is in while it runs: its vector table comes first.
    pub firmware: Region,
    /// Where the bootloader copies the image to, where it does: header and all.
    pub run: Option<Region>,
    /// What the bootloader is in, where it has a place of its own.
    pub bootloader: Option<Region>,
}

/// A plugin of a board.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// As declared.
    pub declared: At<keys::Plugin>,
    /// What is compiled in.
    pub module: Option<Module>,
}

/// A module that is compiled in.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its file, from the folder of the one that names it.
    pub file: PathBuf,
    /// Its length in bytes.
    pub len: u32,
}

/// A key that is trusted, read from its file.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name, and where it is declared.
    pub id: At<String>,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// P-256: the point, uncompressed, 65 bytes. Ed25519: 32 bytes.
    pub bytes: Vec<u8>,
    /// The file it was read from, from the folder of the one that names it.
    pub file: PathBuf,
    /// What it may sign; at least one.
    pub roles: Vec<Role>,
}

/// Where an update's parts are in the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The slot of the running image.
    pub primary: Region,
    /// The slot partition of the new image.
    pub secondary: Region,
    /// Where a new image can be, in the secondary slot: behind what the bootloader wants in front
    /// of it, before what it keeps at the end.
    pub image: Region,
    /// The secondary slot from the image on, to its end.
    pub slot: Region,
    /// The partition embassy-boot keeps its state in.
    pub state: Option<Region>,
    /// What the device was told when it was made.
    pub provisioning: Option<Region>,
    /// Where starts are counted.
    pub starts: Option<Region>,
    /// The journal.
    pub journal: Region,
    /// What a half of the journal must hold, in bytes.
    pub journal_half: u32,
    /// Blocks of the largest image.
    pub blocks: u32,
    /// Where plugins from over the air are, where the board takes any.
    pub plugins: Option<Cells>,
}

/// The partition of plugins: equal cells, one for each plugin and a spare one that the next is
/// written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells {
    /// The partition.
    pub region: Region,
    /// Bytes of a cell: whole erase units.
    pub cell: u32,
    /// How many cells are used.
    pub count: u32,
}

/// The RAM a pipeline needs, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// The buffer for a block, or for a request or report and its topic.
    pub buffer: u32,
    /// The state of the update, its job source and its parsers.
    pub state: u32,
    /// What the link must be able to receive: the largest message with a block in it.
    pub receive: u32,
    /// The arenas of plugins.
    pub arenas: u32,
    /// The stack that plugins run on.
    pub plugin_stack: u32,
}

impl Device {
    /// The number of the slot in the store that is for the plugin of that name.
    pub fn slot(&self, name: &str) -> Option<usize> {
        self.over_the_air().position(|plugin| plugin.declared.name().0 == name)
    }

    /// The plugin of that name, and its number.
    pub fn plugin(&self, name: &str) -> Option<(usize, &Plugin)> {
        self.plugins.iter().enumerate().find(|(_, plugin)| plugin.declared.name().0 == name)
    }

    /// The plugins that may come over the air.
    pub fn over_the_air(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.iter().filter(|plugin| plugin.declared.slot().is_some())
    }

    /// The plugin that fetches blocks, where there is one.
    pub fn block_plugin(&self) -> Option<(usize, &Plugin)> {
        let protocol =
            |plugin: &Plugin| matches!(plugin.declared.value, keys::Plugin::ProtocolModule(_));
        self.plugins.iter().enumerate().find(|(_, plugin)| protocol(plugin))
    }

    /// The flash for code that the board's budget allows, in bytes.
    pub fn flash_budget(&self) -> Option<u32> {
        self.budget.as_ref()?.flash.value.map(|flash| flash.0)
    }

    /// After how many blocks progress is reported, besides the first.
    pub fn report_every(&self) -> u32 {
        match self.policy.report_every.value {
            Every::Blocks(blocks) => blocks,
            Every::Percent(percent) => (self.layout.blocks * u32::from(percent) / 100).max(1),
        }
    }

    /// The RAM the board's budget allows, in bytes.
    pub fn ram_budget(&self) -> Option<u32> {
        self.budget.as_ref()?.ram.value.map(|ram| ram.0)
    }
}

impl Memory {
    /// What it is made of, by name, in bytes; what is not needed is left out.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let always = [("buffer", self.buffer), ("state", self.state), ("receive", self.receive)];
        let plugins = [("arenas", self.arenas), ("plugin stack", self.plugin_stack)];
        always.into_iter().chain(plugins.into_iter().filter(|(_, len)| *len > 0))
    }

    /// All of it.
    pub fn total(&self) -> u32 {
        let plugins = self.arenas.saturating_add(self.plugin_stack);
        (self.buffer + self.state + self.receive).saturating_add(plugins)
    }
}

impl Model {
    /// The board of that name.
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.boards.iter().find(|device| device.name.value == name)
    }

    /// The board to build for: the one named, or the only one there is.
    ///
    /// # Errors
    /// It is not in the file, or none is named and there are several.
    pub fn choose(&self, name: Option<&str>) -> Result<&Device, Report> {
        let known: Vec<&str> =
            self.boards.iter().map(|device| device.name.value.as_str()).collect();
        // A variable that is set to nothing names nothing.
        let name = name.filter(|name| !name.is_empty());
        let (wrong, right) = match (name, self.boards.as_slice()) {
            (None, [only]) => return Ok(only),
            (None, _) => {
                let right = format!(
                    "name one of {}: `orchestrator!(\"…\", board = \"…\")` or the environment's {}",
                    listed(&known),
                    crate::emit::BOARD
                );
                ("there are several boards and none is named".to_owned(), right)
            }
            (Some(name), _) => match self.device(name) {
                Some(device) => return Ok(device),
                None => (format!("unknown board `{name}`"), did_you_mean(name, &known, "")),
            },
        };
        let mut errors = Errors::default();
        let place = self.boards.first().map_or(0..0, |device| device.name.span.clone());
        errors.add(place, wrong, right);
        Err(errors.report(&self.path, &self.text))
    }

    /// `ota.toml:12`: the line a value was written at.
    pub fn origin<T>(&self, at: &At<T>) -> String {
        let name = self.path.rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{name}:{}", position(&self.text, &at.span).0)
    }
}
