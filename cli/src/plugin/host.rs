//! A module in the host that devices have, with room for any plugin, and what it took of it.

use coreota::error::Failure;
use coreota::job::{Ask, JobProtocol};
use coreota::message::Draft;
use coreota::parser::{Parse, Parser};
use coreota::plugin::{Content, Facts, Plug, Plugged};
use coreota::transport::{BlockProtocol, Geometry, Wanted};
use coreota::version::Version;
use coreota_plugin_abi::Kind;
use coreota_plugin_pack::events::Events;
use coreota_plugins::{Arena, Home, Hosted, Limits, PluginBlocks, PluginJobs, PluginParser, Stack};

/// Far more than any device gives.
const ROOM: usize = 1 << 20;

static ARENA: Arena<ROOM> = Arena::new();
static STACK: Stack<{ 16 * 1024 }> = Stack::new();

/// As much as is ever sensible: what a plugin needs is measured, then compared with a board.
pub(crate) const GENEROUS: Limits = Limits {
    fuel: 100_000_000,
    module: ROOM as u32,
    memory: ROOM as u32 / 2,
    functions: 1024,
    table: 1024,
    recursion: 1024,
    values: 16 * 1024,
};

/// What a module takes of a device, in its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Bytes of its arena: those where pointers are 4 bytes wide.
    pub(crate) arena: u32,
    /// Fuel of its most expensive call so far.
    pub(crate) fuel: u32,
}

impl Needs {
    /// Enough for both.
    pub(crate) fn and(self, other: Needs) -> Needs {
        Needs { arena: self.arena.max(other.arena), fuel: self.fuel.max(other.fuel) }
    }
}

/// The slot that modules are tried in.
struct Bench;

impl Hosted for Bench {
    const HOME: Home = Home {
        name: "plugin",
        slot: Some(0),
        module: None,
        limits: GENEROUS,
        arena: || ARENA.handle(),
        stack: || STACK.handle(),
    };
}

/// A module in its host: come in pieces, as over the air.
pub(crate) enum Loaded {
    Parser(ParserHost),
    Blocks(BlocksHost),
    Jobs(JobsHost),
}

/// A parser in its host.
pub(crate) struct ParserHost {
    parser: PluginParser,
    fuel: u32,
}

/// A job protocol in its host.
pub(crate) struct JobsHost {
    jobs: PluginJobs<Bench>,
    fuel: u32,
}

/// A block protocol in its host.
pub(crate) struct BlocksHost {
    blocks: PluginBlocks<Bench>,
    fuel: u32,
}

impl Loaded {
    /// Loads a module of that kind, which declares so much linear memory, for the device `thing`.
    ///
    /// # Errors
    /// Why a device would not.
    pub(crate) fn load(
        module: &[u8],
        kind: Kind,
        memory: u32,
        thing: &str,
    ) -> Result<Self, Failure> {
        let facts = Facts {
            content: Content::Plugin,
            abi: coreota_plugin_abi::VERSION.into(),
            kind: kind.number().into(),
            arena: 0,
            fuel: GENEROUS.fuel,
            memory,
            len: module.len().try_into().map_err(|_| Failure::PluginTooLarge)?,
            version: Version::default(),
        };
        let steps = [Plug::Begin(&facts), Plug::Bytes(module), Plug::Start];
        match kind {
            Kind::Parser => {
                let mut parser = PluginParser::new(Bench::HOME);
                steps.into_iter().try_for_each(|step| hosted(parser.plug(0, step)))?;
                Ok(Loaded::Parser(ParserHost { parser, fuel: 0 }))
            }
            Kind::Blocks => {
                let mut blocks = PluginBlocks::new(thing)?;
                steps.into_iter().try_for_each(|step| hosted(blocks.plug(0, step)))?;
                Ok(Loaded::Blocks(BlocksHost { blocks, fuel: 0 }))
            }
            Kind::Jobs => {
                let mut jobs = PluginJobs::new(thing)?;
                steps.into_iter().try_for_each(|step| hosted(jobs.plug(0, step)))?;
                Ok(Loaded::Jobs(JobsHost { jobs, fuel: 0 }))
            }
        }
    }

    /// What it took until now.
    pub(crate) fn needs(&mut self) -> Needs {
        let (usage, fuel) = match self {
            Loaded::Parser(host) => (host.parser.usage(), host.fuel),
            Loaded::Blocks(host) => (host.blocks.usage(), host.fuel),
            Loaded::Jobs(host) => (host.jobs.usage(), host.fuel),
        };
        // What the engine keeps is mostly pointers; an arena here is larger by as much.
        let wider = size_of::<usize>() / 4;
        let arena = usage.need.div_ceil(wider);
        Needs { arena: arena.try_into().unwrap_or(u32::MAX), fuel }
    }
}

/// What a host made of a step; that it hosts the slot is up to [`Bench`].
fn hosted(plugged: Plugged) -> Result<(), Failure> {
    plugged.unwrap_or(Err(Failure::NoPlugin))
}

impl BlocksHost {
    /// Lets events happen to it.
    ///
    /// # Errors
    /// What differs from what is expected, a line each.
    pub(crate) fn live(&mut self, events: &Events) -> Result<(), String> {
        let fuel = &mut self.fuel;
        events.happen_to_blocks(&mut self.blocks, |blocks| *fuel = blocks.burned().max(*fuel))
    }

    /// Opens a file and asks for its first blocks: what every download begins with.
    ///
    /// # Errors
    /// What the protocol refuses.
    pub(crate) fn begin(&mut self, block: u32) -> Result<(), Failure> {
        let geometry = Geometry { size: 64 * block, block, file: 0 };
        self.blocks.open("stream", geometry)?;
        self.fuel = self.fuel.max(self.blocks.burned());
        let (mut topic, mut payload) = ([0; 256], [0; 384]);
        let mut draft = Draft::new(&mut topic, &mut payload);
        self.blocks.request(Wanted { first: 0, bits: u64::MAX }, &mut draft)?;
        self.fuel = self.fuel.max(self.blocks.burned());
        Ok(())
    }
}

impl JobsHost {
    /// Lets events happen to it.
    ///
    /// # Errors
    /// What differs from what is expected, a line each.
    pub(crate) fn live(&mut self, events: &Events) -> Result<(), String> {
        let fuel = &mut self.fuel;
        events.happen_to_jobs(&mut self.jobs, |jobs| *fuel = jobs.burned().max(*fuel))
    }

    /// Asks for the next job: what every life of a device begins with.
    ///
    /// # Errors
    /// What the protocol refuses.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        let (mut topic, mut payload) = ([0; 256], [0; 384]);
        let mut draft = Draft::new(&mut topic, &mut payload);
        self.jobs.ask(Ask::Start, &mut draft)?;
        self.fuel = self.fuel.max(self.jobs.burned());
        Ok(())
    }
}

/// Reads documents as [`Parser`] does, and keeps what the most expensive one took.
impl Parser for ParserHost {
    fn name(&self) -> &'static str {
        self.parser.name()
    }

    fn parse<'a>(&'a mut self, document: &'a [u8], index: u8) -> Parse<'a> {
        // An answer borrows the parser, and what it burned is known behind it: so it is asked twice.
        self.parser.parse(document, index);
        self.fuel = self.fuel.max(self.parser.burned());
        self.parser.parse(document, index)
    }
}
