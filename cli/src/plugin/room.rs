//! What a board of `ota.toml` has for plugins from over the air, as its device has it: a file is judged by
//! the code of the device.

use coreota::error::Failure;
use coreota::parser::Parser;
use coreota::parser::table::StoredTable;
use coreota::plugin::{Facts, Plug, store::RECORDS_LEN};
use coreota::verify::formats::{OfPlugin, Trailer};
use coreota::verify::{Claim, EcdsaP256, Ed25519, Native, Proven, Rules, prove};
use coreota_config::keys;
use coreota_config::model::{self, Device};
use coreota_plugin_abi::Kind;
use coreota_plugins::Limits;

use super::host::Loaded;

/// The plugins that may come to a board.
pub(crate) struct Room {
    /// Those for plugins.
    pub(crate) rules: Rules,
    /// Longest file, in bytes.
    capacity: usize,
    slots: Vec<Slot>,
}

struct Slot {
    name: String,
    host: Host,
}

/// Who takes what comes.
enum Host {
    Table,
    Module { kind: Kind, limits: Limits, arena: usize },
}

impl Room {
    /// That of a board, by these rules; `None` where no plugin may come to it.
    pub(crate) fn of(device: &Device, rules: Rules) -> Option<Self> {
        let cells = device.layout.plugins.as_ref()?;
        let slots = device
            .over_the_air()
            .map(|plugin| Slot { name: plugin.declared.name().0.clone(), host: Host::of(plugin) });
        let capacity = cells.cell.saturating_sub(RECORDS_LEN) as usize;
        Some(Room { rules, capacity, slots: slots.collect() })
    }

    /// What the device says of a file that comes to it, but for what it asks its store: whether the slot
    /// has one as new.
    pub(crate) fn judge(&self, file: &[u8]) -> Result<(), Failure> {
        if file.len() > self.capacity {
            return Err(Failure::TooLarge);
        }
        let claim = Claim::plugin(u32::try_from(file.len()).map_err(|_| Failure::TooLarge)?);
        let mut verifier = Native::<Trailer<OfPlugin>, (EcdsaP256, Ed25519)>::new();
        let Proven::Plugin(plugin) = prove(&mut verifier, &self.rules, &claim, file)? else {
            return Err(Failure::Format);
        };
        let mut slots = self.slots.iter();
        let slot = slots.find(|slot| slot.name == plugin.name()).ok_or(Failure::NoPlugin)?;
        let facts = plugin.facts();
        let module = file.get(..facts.len as usize).ok_or(Failure::Format)?;
        slot.host.take(facts, module)
    }
}

impl Host {
    fn of(plugin: &model::Plugin) -> Self {
        let (kind, module) = match &plugin.declared.value {
            keys::Plugin::StoredTable(_) => return Host::Table,
            keys::Plugin::ParserModule(module) => (Kind::Parser, module),
            keys::Plugin::ProtocolModule(module) => (Kind::Blocks, module),
            keys::Plugin::JobsModule(module) => (Kind::Jobs, module),
        };
        let largest = module.slot.value.map_or(0, |slot| slot.0);
        let limits = Limits {
            fuel: module.fuel.value.0,
            module: largest.max(plugin.module.as_ref().map_or(0, |module| module.len)),
            memory: module.memory.value.0,
            table: module.table.value.0.try_into().unwrap_or(u16::MAX),
            values: module.stack.value.0.try_into().unwrap_or(u16::MAX),
            ..Limits::DEFAULT
        };
        Host::Module { kind, limits, arena: module.arena.value.0 as usize }
    }

    fn take(&self, facts: &Facts, module: &[u8]) -> Result<(), Failure> {
        match self {
            Host::Table => {
                let mut table = StoredTable::new(0, "table");
                [Plug::Begin(facts), Plug::Bytes(module), Plug::Start]
                    .into_iter()
                    .try_for_each(|step| table.plug(0, step).unwrap_or(Err(Failure::NoPlugin)))
            }
            Host::Module { kind, limits, arena } => {
                limits.admit(facts, *kind, *arena)?;
                Loaded::load(module, *kind, facts.memory, "thing").map(drop)
            }
        }
    }
}
