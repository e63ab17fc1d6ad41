//! Two ways between the stack of the caller and that of a plugin: there and back, and back for good.

#[cfg_attr(all(target_os = "none", target_arch = "arm"), path = "switch/cortex_m.rs")]
#[cfg_attr(not(all(target_os = "none", target_arch = "arm")), path = "switch/coroutine.rs")]
mod way;

pub(crate) use way::*;
