//! By hand, on Cortex-M: `corosensei` finds out about registers by compiling for the target in its
//! build script, and cannot where `core` is built along with the firmware. Here nothing has to be
//! found out, and nothing is unwound: all a run needs is to be called on a stack, and left.
//!
//! ```text
//! stack of the caller, while a run is inside
//! │ frames of the caller                   │
//! ├────────────────────────────────────────┤
//! │ r11 .. r4: whoever leaves changed them │ 32 bytes
//! │ nothing, for the multiple of 8         │  4
//! │ where to go on                         │  4
//! └────────────────────────────────────────┘ ◄ kept in the door
//! ```
//! Floating point registers, where there are some, are the compiler's to save: they are named as
//! changed. Interrupts may come at any moment: the stack pointer is always one of a stack with room.
#![allow(unsafe_code)] // changes the stack pointer

use core::{arch::asm, cell::Cell};

use crate::stack::Memory;

/// Where a run can be left: the stack pointer of its caller.
#[derive(Default)]
pub(crate) struct Door(Cell<usize>);

/// Calls `f` on `stack`; `false` where it left by `door`.
///
/// # Safety
/// Where it left, nothing may refer to what was on the stack: see [`contain`](crate::contain).
#[inline(never)]
pub(crate) unsafe fn run(stack: &mut Memory, door: &Door, mut f: &mut dyn FnMut()) -> bool {
    let (_, top) = stack.bounds();
    let left: usize;
    // SAFETY: the stack is leased, and its top a multiple of 16. `begin` is called as the procedure
    // call standard wants it. Both ways come to label 3 with the stack pointer as it was after the
    // pushes: by `begin` returning, or from `back`, once.
    unsafe {
        asm!(
            "push {{r4-r11}}",
            "adr.w r4, 2f",
            "push {{r4, r5}}",
            "str sp, [r3]",
            "mov r5, r3",
            "mov sp, r2",
            "blx r1",
            "ldr sp, [r5]",
            "movs r0, #0",
            "b 3f",
            "2:",
            "movs r0, #1",
            "3:",
            "add sp, #8",
            "pop {{r4-r11}}",
            inlateout("r0") (&raw mut f) => left,
            inlateout("r1") begin as *const () => _,
            inlateout("r2") top => _,
            inlateout("r3") door.0.as_ptr() => _,
            lateout("r12") _, lateout("lr") _,
            // Not `clobber_abi`: it names d16 to d31 too, which no Cortex-M has.
            lateout("d0") _, lateout("d1") _, lateout("d2") _, lateout("d3") _,
            lateout("d4") _, lateout("d5") _, lateout("d6") _, lateout("d7") _,
            lateout("d8") _, lateout("d9") _, lateout("d10") _, lateout("d11") _,
            lateout("d12") _, lateout("d13") _, lateout("d14") _, lateout("d15") _,
        );
    }
    left == 0
}

/// Calls the closure behind a pointer to a reference to it.
unsafe extern "C" fn begin(f: *mut &mut dyn FnMut()) {
    // SAFETY: `run` passes it, and waits.
    unsafe { (*f)() }
}

/// Switches back to the caller of [`run`], which returns `false`.
///
/// # Safety
/// Called from within that run.
pub(crate) unsafe fn leave(door: &Door) -> ! {
    // SAFETY: the door was set when the run began, and its caller waits at label 2. A branch by
    // register wants the lowest bit set.
    unsafe {
        asm!(
            "mov sp, {0}",
            "ldr {0}, [sp]",
            "orr {0}, {0}, #1",
            "bx {0}",
            in(reg) door.0.get(),
            options(noreturn),
        )
    }
}

/// What runs now, besides threads: the number of the exception, 0 for none.
pub(crate) fn level() -> usize {
    let level: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, IPSR", out(reg) level, options(nomem, nostack, preserves_flags)) };
    level
}
