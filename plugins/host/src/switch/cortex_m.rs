//! By hand, on Cortex-M: `corosensei` finds out about registers by compiling for the target in its
//! build script, and cannot where `core` is built along with the firmware. Here nothing has to be
//! found out, and nothing is unwound: all a run needs is to be called on a stack, and left.
//!
//! ```text
//! stack of the caller, while a run is inside        r0..r3, r12, flags: the callee may change them
//! │ frames of the caller          │                 r4..r11, lr, d8..d15: saved here, since whoever
//! ├───────────────────────────────┤                 leaves has changed them
//! │ r3..r11, lr         (40 bytes)│                 r3 only keeps the stack on a multiple of 8
//! │ d8..d15 (64, with an FPU only)│
//! └───────────────────────────────┘ ◄ kept in the door
//! ```
#![allow(unsafe_code)] // changes the stack pointer

use core::{
    arch::{asm, naked_asm},
    cell::Cell,
};

use crate::stack::Memory;

/// Where a run can be left: the stack pointer of its caller.
#[derive(Default)]
pub(crate) struct Door(Cell<usize>);

/// Calls `f` on `stack`; `false` where it left by `door`.
///
/// # Safety
/// Where it left, nothing may refer to what was on the stack: see [`contain`](crate::contain).
pub(crate) unsafe fn run(stack: &mut Memory, door: &Door, mut f: &mut dyn FnMut()) -> bool {
    let (_, top) = stack.bounds();
    // SAFETY: the stack is leased, its top aligned to 16; `begin` takes what is passed to it.
    unsafe { switch(begin, (&raw mut f).cast(), top, door.0.as_ptr()) == 0 }
}

/// Calls the closure behind a pointer to a reference to it.
unsafe extern "C" fn begin(f: *mut u8) {
    // SAFETY: `run` passes it, and waits.
    let f = unsafe { &mut *f.cast::<&mut dyn FnMut()>() };
    f();
}

/// Switches back to the caller of [`run`], which returns `false`.
///
/// # Safety
/// Called from within that run.
pub(crate) unsafe fn leave(door: &Door) -> ! {
    // SAFETY: the door was set by `switch` when the run began, and its frame waits there.
    unsafe { back(door.0.get()) }
}

/// What runs now, besides threads: the number of the exception, 0 for none.
pub(crate) fn level() -> usize {
    let level: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, IPSR", out(reg) level, options(nomem, nostack, preserves_flags)) };
    level
}

/// Calls `f(argument)` on the stack that ends at `top`, with the caller's stack pointer at `door`.
/// Returns 0, or 1 where [`back`] was called instead of returning.
#[cfg(target_abi = "eabihf")]
#[unsafe(naked)]
unsafe extern "C" fn switch(
    f: unsafe extern "C" fn(*mut u8),
    argument: *mut u8,
    top: usize,
    door: *mut usize,
) -> usize {
    naked_asm!(
        "push {{r3-r11, lr}}",
        "vpush {{d8-d15}}",
        "str sp, [r3]",
        "mov r4, r3",
        "mov r5, r0",
        "mov r0, r1",
        "mov sp, r2",
        "blx r5",
        "ldr sp, [r4]",
        "movs r0, #0",
        "vpop {{d8-d15}}",
        "pop {{r3-r11, pc}}",
    )
}

/// Returns 1 from the [`switch`] that left this stack pointer at its door.
#[cfg(target_abi = "eabihf")]
#[unsafe(naked)]
unsafe extern "C" fn back(sp: usize) -> ! {
    naked_asm!("mov sp, r0", "movs r0, #1", "vpop {{d8-d15}}", "pop {{r3-r11, pc}}")
}

/// Calls `f(argument)` on the stack that ends at `top`, with the caller's stack pointer at `door`.
/// Returns 0, or 1 where [`back`] was called instead of returning.
#[cfg(not(target_abi = "eabihf"))]
#[unsafe(naked)]
unsafe extern "C" fn switch(
    f: unsafe extern "C" fn(*mut u8),
    argument: *mut u8,
    top: usize,
    door: *mut usize,
) -> usize {
    naked_asm!(
        "push {{r3-r11, lr}}",
        "str sp, [r3]",
        "mov r4, r3",
        "mov r5, r0",
        "mov r0, r1",
        "mov sp, r2",
        "blx r5",
        "ldr sp, [r4]",
        "movs r0, #0",
        "pop {{r3-r11, pc}}",
    )
}

/// Returns 1 from the [`switch`] that left this stack pointer at its door.
#[cfg(not(target_abi = "eabihf"))]
#[unsafe(naked)]
unsafe extern "C" fn back(sp: usize) -> ! {
    naked_asm!("mov sp, r0", "movs r0, #1", "pop {{r3-r11, pc}}")
}
