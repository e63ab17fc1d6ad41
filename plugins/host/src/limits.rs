//! What a plugin may use.

use coreota::plugin::Facts;

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
