//! The engine: wasmi 1.1.0, an interpreter of translated code in safe Rust.
//!
//! **Why 1.1.0 and not 2.0.0.** Measured on a Cortex-M4 (opt-level z, fuel, a parser of 2.8 KB):
//!
//! | | flash | heap at most | to load | to parse 585 B |
//! |---|---|---|---|---|
//! | 1.1.0, validates | 292.5 KB | 19.0 KB | 0.95 M instructions | 296 k |
//! | 2.0.0, portable dispatch, validates | 355.3 KB | 29.7 KB | 1.84 M | 315 k |
//! | 2.0.0, portable dispatch, does not | 239.1 KB | 28.6 KB | 1.55 M | 316 k |
//!
//! The default dispatch of 2.0.0 is by tail calls, which leak 112 bytes of native stack on Cortex-M
//! at every `memory.grow`, and crash on RISC-V at opt-level z. What 2.0.0 would save needs modules
//! that are never validated on the device, and that is not wanted here.
//!
//! How it is set up and why:
//!
//! - it dispatches by a loop: native stack does not grow with what is executed;
//! - it validates, always, and translates at once: what is wrong with a module shows when it is
//!   loaded, not in the middle of a job;
//! - its stack begins at 64 values and grows, instead of 1,000 at once;
//! - floats, 64-bit memories, further memories and tail calls are off: plugins have no use for them;
//! - pages of one byte are on, so that a plugin's memory is a few KiB, not 64;
//! - `EnforcedLimits::strict` is not used: a count of 0 makes it divide by zero. The bounds are
//!   those of the [prescan](crate::prescan).

use coreota::error::Failure;
use coreota_plugin_abi::MEMORY;
use wasmi::{
    CompilationMode, Config, Error, Instance, Memory, Module, Store, StoreLimits,
    StoreLimitsBuilder, TrapCode, TypedFunc,
    errors::{ErrorKind, InstantiationError, MemoryError, TableError},
};

use super::Engine;
use crate::limits::Limits;

type Entry = TypedFunc<(u32, u32), i32>;

/// A module that wasmi translated, and its one instance.
pub(crate) struct Wasmi {
    module: Module,
    limits: Limits,
    entry: &'static str,
    burned: u32,
    /// Always there but while it is made anew.
    live: Option<Live>,
}

struct Live {
    store: Store<StoreLimits>,
    instance: Instance,
    memory: Memory,
    entry: Option<Entry>,
}

impl Engine for Wasmi {
    fn load(module: &[u8], limits: &Limits) -> Result<Self, Failure> {
        let engine = wasmi::Engine::new(&config(limits));
        let module = Module::new(&engine, module).map_err(refused)?;
        let live = Some(Live::new(&module, limits)?);
        Ok(Wasmi { module, limits: *limits, entry: "", burned: 0, live })
    }

    fn ask(&mut self, name: &str) -> Result<i32, Failure> {
        self.timed(|live| {
            let function = live.instance.get_typed_func::<(), i32>(&live.store, name);
            let function = function.map_err(|_| Failure::PluginExport)?;
            function.call(&mut live.store, ()).map_err(ended)
        })
    }

    fn enter(&mut self, name: &'static str) -> Result<(), Failure> {
        self.entry = name;
        self.live.as_mut().ok_or(Failure::NoPlugin)?.enter(name)
    }

    fn call(&mut self, a: u32, b: u32) -> Result<i32, Failure> {
        self.timed(|live| {
            let entry = live.entry.ok_or(Failure::PluginExport)?;
            entry.call(&mut live.store, (a, b)).map_err(ended)
        })
    }

    fn restart(&mut self) -> Result<(), Failure> {
        // First the old one goes: there is memory for one.
        self.live = None;
        let live = self.live.insert(Live::new(&self.module, &self.limits)?);
        live.enter(self.entry)
    }

    fn burned(&self) -> u32 {
        self.burned
    }

    fn memory(&self) -> &[u8] {
        self.live.as_ref().map_or(&[], |live| live.memory.data(&live.store))
    }

    fn memory_mut(&mut self) -> &mut [u8] {
        self.live.as_mut().map_or(&mut [], |live| live.memory.data_mut(&mut live.store))
    }
}

impl Wasmi {
    /// Calls with all the fuel of a call, and counts what it burned.
    fn timed(
        &mut self,
        call: impl FnOnce(&mut Live) -> Result<i32, Failure>,
    ) -> Result<i32, Failure> {
        let live = self.live.as_mut().ok_or(Failure::NoPlugin)?;
        live.store.set_fuel(self.limits.fuel.into()).map_err(ended)?;
        let result = call(live);
        let left = live.store.get_fuel().unwrap_or(0);
        self.burned = u64::from(self.limits.fuel).saturating_sub(left) as u32;
        result
    }
}

impl Live {
    fn new(module: &Module, limits: &Limits) -> Result<Self, Failure> {
        let bounds = StoreLimitsBuilder::new()
            .instances(1)
            .memories(1)
            .memory_size(limits.memory as usize)
            .tables(1)
            .table_elements(limits.table.into())
            .build();
        let mut store = Store::new(module.engine(), bounds);
        store.limiter(|bounds| bounds);
        store.set_fuel(limits.fuel.into()).map_err(ended)?;
        let instance = Instance::new(&mut store, module, &[]).map_err(refused)?;
        let memory = instance.get_memory(&store, MEMORY).ok_or(Failure::PluginExport)?;
        Ok(Live { store, instance, memory, entry: None })
    }

    fn enter(&mut self, name: &str) -> Result<(), Failure> {
        let entry = self.instance.get_typed_func(&self.store, name);
        self.entry = Some(entry.map_err(|_| Failure::PluginExport)?);
        Ok(())
    }
}

fn config(limits: &Limits) -> Config {
    let mut config = Config::default();
    config
        .compilation_mode(CompilationMode::Eager)
        .consume_fuel(true)
        .floats(false)
        .ignore_custom_sections(true)
        .set_max_cached_stacks(1)
        .set_max_recursion_depth(limits.recursion.into())
        .set_min_stack_height(STACK_FIRST.min(limits.values.into()))
        .set_max_stack_height(limits.values.into())
        .wasm_custom_page_sizes(true)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(false);
    config
}

/// Values the engine's stack begins with.
const STACK_FIRST: usize = 64;

/// Why a module is not loaded.
fn refused(why: Error) -> Failure {
    match why.kind() {
        // Segments are copied when it is instantiated, and may lie outside.
        ErrorKind::TrapCode(_) => ended(why),
        ErrorKind::Memory(MemoryError::OutOfBoundsAccess)
        | ErrorKind::Table(TableError::InitOutOfBounds)
        | ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) => {
            Failure::PluginTrap
        }
        ErrorKind::Memory(_) | ErrorKind::Table(_) | ErrorKind::Instantiation(_) => {
            Failure::PluginTooLarge
        }
        _ => Failure::PluginMalformed,
    }
}

/// How a call ended that did not return.
fn ended(why: Error) -> Failure {
    match why.as_trap_code() {
        Some(TrapCode::OutOfFuel) => Failure::PluginFuel,
        Some(TrapCode::StackOverflow) => Failure::PluginStack,
        Some(TrapCode::GrowthOperationLimited) => Failure::PluginMemory,
        _ => Failure::PluginTrap,
    }
}
