//! What runs modules: one file an engine, so that another can stand beside it.

pub(crate) mod wasmi;

use coreota::error::Failure;

use crate::limits::Limits;

/// A loaded module, as an engine keeps it: all of it on the heap, which is the plugin's arena.
///
/// Every method is called inside a [run](crate::contain), where an allocation that fails does not
/// return. Errors are numbers: nothing an engine allocated leaves the run.
pub(crate) trait Engine: Sized + Send + 'static {
    /// Validates, translates and instantiates `module`, which passed
    /// the [prescan](crate::prescan).
    ///
    /// Validation is not optional: the engine must never run bytes it did not validate.
    ///
    /// # Errors
    /// Of blame plugin: what about the module is wrong, or more than `limits` allow.
    fn load(module: &[u8], limits: &Limits) -> Result<Self, Failure>;

    /// Calls the function `name: () -> i32`, with all the fuel of a call.
    ///
    /// # Errors
    /// [`Failure::PluginExport`] where there is none of this type, or how the call ended.
    fn ask(&mut self, name: &str) -> Result<i32, Failure>;

    /// Finds `name: (i32, i32) -> i32`, which [`call`](Self::call) then calls.
    ///
    /// # Errors
    /// [`Failure::PluginExport`] where there is none of this type.
    fn enter(&mut self, name: &'static str) -> Result<(), Failure>;

    /// Calls what was found by [`enter`](Self::enter), with all the fuel of a call.
    ///
    /// # Errors
    /// How the call ended: [`Failure::PluginTrap`], [`Failure::PluginFuel`],
    /// [`Failure::PluginStack`], [`Failure::PluginMemory`].
    fn call(&mut self, a: u32, b: u32) -> Result<i32, Failure>;

    /// Makes the instance anew, as after [`load`](Self::load): a call that ended early leaves the
    /// module's own stack and state where they were.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn restart(&mut self) -> Result<(), Failure>;

    /// Fuel that the last call burned.
    fn burned(&self) -> u32;

    /// The linear memory; it moves when the module grows it.
    fn memory(&self) -> &[u8];

    /// The linear memory, to write input to.
    fn memory_mut(&mut self) -> &mut [u8];
}
