//! The executor's loop: polls what was woken, sleeps until the next interrupt when nothing was.
//!
//! embassy-executor's own for Cortex-M sleeps by `wfe`, which emulators take for a pause of no length:
//! they would run at full speed, and keep the thread waiting that moves packets.
#![allow(unsafe_code)]

use core::sync::atomic::{AtomicBool, Ordering};
use embassy_executor::{Spawner, raw};
use static_cell::StaticCell;

static WOKEN: AtomicBool = AtomicBool::new(false);

/// What the executor calls when a task is woken.
#[unsafe(export_name = "__pender")]
fn pender(_: *mut ()) {
    WOKEN.store(true, Ordering::SeqCst);
}

/// Runs the tasks that `start` spawns, for good.
pub fn run(start: impl FnOnce(Spawner)) -> ! {
    static EXECUTOR: StaticCell<raw::Executor> = StaticCell::new();
    let executor = EXECUTOR.init(raw::Executor::new(core::ptr::null_mut()));
    start(executor.spawner());
    loop {
        // SAFETY: on this executor, from its one thread, never from within itself.
        unsafe { executor.poll() };
        // With interrupts masked none is missed between the look and the sleep: it ends the sleep.
        cortex_m::interrupt::free(|_| {
            if !WOKEN.swap(false, Ordering::SeqCst) {
                cortex_m::asm::wfi();
            }
        });
    }
}
