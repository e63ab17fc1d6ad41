//! What a plugin may use.

use coreota::{
    error::Failure,
    plugin::{Content, Facts},
};
use coreota_plugin_abi::{Kind, VERSION};

/// What a plugin may use, whatever its module says. Memory as a whole is bounded by its arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fuel per call: about one for each wasm instruction.
    pub fuel: u32,
    /// Length of the module, in bytes.
    pub module: u32,
    /// Linear memory, in bytes: what it declares, and what it may grow to.
    pub memory: u32,
    /// Functions; and as many types, exports, globals, and segments each.
    pub functions: u16,
    /// Elements of its table, for indirect calls.
    pub table: u16,
    /// Calls within calls.
    pub recursion: u16,
    /// Values (parameters, locals, operands) of all calls within calls, 8 bytes each.
    pub values: u16,
}

impl Limits {
    /// What plugins of a few KiB need, with room to spare.
    pub const DEFAULT: Limits = Limits {
        fuel: 100_000,
        module: 16 * 1024,
        memory: 16 * 1024,
        functions: 256,
        table: 64,
        recursion: 64,
        values: 1024,
    };

    /// Whether a plugin of which the signed bytes say this is taken as one of `kind` into an arena of
    /// `arena` bytes: what a host asks before a byte of it comes.
    ///
    /// # Errors
    /// [`Failure::PluginKind`] where it is something else, [`Failure::PluginAbi`] where it is for another
    /// version of the interface, [`Failure::PluginTooLarge`] and [`Failure::PluginMemory`] where it
    /// says that it needs more.
    pub fn admit(&self, facts: &Facts, kind: Kind, arena: usize) -> Result<(), Failure> {
        if facts.content != Content::Plugin || facts.kind != u16::from(kind.number()) {
            return Err(Failure::PluginKind);
        }
        if facts.abi != u16::from(VERSION) {
            return Err(Failure::PluginAbi);
        }
        if facts.len > self.module || facts.memory > self.memory || facts.fuel > self.fuel {
            return Err(Failure::PluginTooLarge);
        }
        if facts.arena as usize > arena {
            return Err(Failure::PluginMemory);
        }
        Ok(())
    }

    /// These, where the signed bytes of a plugin allow it less fuel or memory.
    pub(crate) fn within(self, facts: &Facts) -> Limits {
        Limits { fuel: self.fuel.min(facts.fuel), memory: self.memory.min(facts.memory), ..self }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}
