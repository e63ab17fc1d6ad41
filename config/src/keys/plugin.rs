//! The keys of plugins.

use crate::define::{choice, kinds, table};
use crate::diagnostic::At;
use crate::values::*;

table! {
    /// Job documents are read by a plugin.
    pub struct PluginParser {
        /// The plugin, by its name: one of `kind = "parser"` or `"table"`.
        plugin: PluginName,
    }

    /// Blocks are fetched by a plugin, where a job names it as its protocol.
    pub struct PluginTransport {
        /// The plugin, by its name: one of `kind = "protocol"`.
        plugin: PluginName,
    }

    /// Jobs are heard of and reported on by a plugin; it must be compiled in.
    pub struct PluginJobs {
        /// The plugin, by its name: one of `kind = "jobs"`.
        plugin: PluginName,
        /// The thing this device is: known to the device since its provisioning, or written out.
        thing: Sourced<super::FromProvisioning, Thing> = { from = "provisioning" },
        /// How often the device asks for a job, besides being told: messages can get lost.
        poll: Millis<1000> = "6 h",
    }

    /// A WebAssembly module, hosted by the device.
    pub struct Module {
        /// The name of the plugin; of a protocol also the one that jobs ask for it by.
        name: PluginName,
        /// The module that is compiled in: `cargo ota plugin build` makes it.
        path: Option<File>,
        /// The largest signed file that may take its place over the air; without it none may.
        slot: Option<Bytes<256, 1_048_576>>,
        /// How many instructions one call may take.
        fuel: Count<1000, 1_000_000_000> = 100_000,
        /// The memory for all that the device keeps of it; `cargo ota plugin check` tells what a module needs.
        arena: Bytes<4096, 1_048_576> = "24 KiB",
        /// The linear memory it may have; part of the arena.
        memory: Bytes<256, 1_048_576> = "16 KiB",
        /// How many values calls within calls may hold, 8 bytes each; part of the arena.
        stack: Count<16, 65_535> = 1024,
        /// How many functions it may call indirectly.
        table: Count<0, 65_535> = 64,
    }

    /// Where the fields of a job document are, as a small file that comes over the air; needs no host for code.
    pub struct StoredTable {
        /// The name of the plugin.
        name: PluginName,
        /// The largest signed file that may come for it.
        slot: Bytes<256, 1_048_576> = "2 KiB",
    }
}

/// A module that reads job documents.
pub type ParserModule = Module;
/// A module that fetches blocks.
pub type ProtocolModule = Module;
/// A module that hears of jobs.
pub type JobsModule = Module;

kinds! {
    /// What teaches a device something.
    pub enum Plugin as "kind of plugin" {
        "parser" => ParserModule,
        "protocol" => ProtocolModule,
        "jobs" => JobsModule,
        "table" => StoredTable,
    }
}

choice! {
    /// What a key may sign.
    pub enum Role {
        /// Images.
        Image = "image",
        /// Plugins.
        Plugin = "plugin",
    }
}

impl Plugin {
    /// Its name, and where that is written.
    pub fn name(&self) -> &At<PluginName> {
        match self {
            Plugin::StoredTable(table) => &table.name,
            Plugin::ParserModule(module)
            | Plugin::ProtocolModule(module)
            | Plugin::JobsModule(module) => &module.name,
        }
    }

    /// The module, where it is one.
    pub fn module(&self) -> Option<&Module> {
        match self {
            Plugin::StoredTable(_) => None,
            Plugin::ParserModule(module)
            | Plugin::ProtocolModule(module)
            | Plugin::JobsModule(module) => Some(module),
        }
    }

    /// The largest file that may come over the air for it, in bytes, and where that is written;
    /// `None`: none may.
    pub fn slot(&self) -> Option<At<u32>> {
        match self {
            Plugin::StoredTable(table) => {
                Some(At::new(table.slot.value.0, table.slot.span.clone()))
            }
            other => {
                let slot = &other.module()?.slot;
                Some(At::new(slot.value?.0, slot.span.clone()))
            }
        }
    }
}
