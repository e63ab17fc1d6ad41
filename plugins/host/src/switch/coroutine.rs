//! By `corosensei`: on hosts, and on every bare processor it builds for.
#![allow(unsafe_code)] // gives up a suspended coroutine

use core::{cell::Cell, ptr};

use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::stack::Memory;

/// Where a run can be left: set by the run itself.
pub(crate) struct Door(Cell<*const Yielder<(), ()>>);

impl Default for Door {
    fn default() -> Self {
        Door(Cell::new(ptr::null()))
    }
}

/// Calls `f` on `stack`; `false` where it left by `door`.
///
/// # Safety
/// Where it left, nothing may refer to what was on the stack: see [`contain`](crate::contain).
pub(crate) unsafe fn run(stack: &mut Memory, door: &Door, f: &mut dyn FnMut()) -> bool {
    // SAFETY: what `f` borrows outlives the coroutine, which ends in this function.
    let mut coroutine = unsafe {
        Coroutine::with_stack_unchecked(on(stack), |yielder: &Yielder<(), ()>, ()| {
            door.0.set(yielder);
            f();
        })
    };
    let returned = matches!(coroutine.resume(()), CoroutineResult::Return(()));
    door.0.set(ptr::null());
    // SAFETY: the caller's. It does nothing where the coroutine has returned.
    unsafe { coroutine.force_reset() };
    returned
}

/// Switches back to the caller of [`run`], which returns `false`.
///
/// # Safety
/// Called from within that run.
pub(crate) unsafe fn leave(door: &Door) -> ! {
    loop {
        // SAFETY: the yielder lives as long as the run does.
        if let Some(yielder) = unsafe { door.0.get().as_ref() } {
            yielder.suspend(());
        }
    }
}

#[cfg(not(target_os = "none"))]
fn on(stack: &mut Memory) -> &mut corosensei::stack::DefaultStack {
    &mut stack.0
}

#[cfg(target_os = "none")]
fn on(stack: &mut Memory) -> Bare {
    Bare(stack.bounds())
}

/// A static as a stack.
#[cfg(target_os = "none")]
struct Bare((usize, usize));

// SAFETY: the bounds are those of a lease, aligned to 16. There is no guard page; see
// `crate::stack` for what stands in its place.
#[cfg(target_os = "none")]
unsafe impl corosensei::stack::Stack for Bare {
    fn base(&self) -> corosensei::stack::StackPointer {
        self.0.1.try_into().unwrap_or(corosensei::stack::StackPointer::MIN)
    }

    fn limit(&self) -> corosensei::stack::StackPointer {
        self.0.0.try_into().unwrap_or(corosensei::stack::StackPointer::MIN)
    }
}

/// What runs now, besides threads: cannot be told here, so interrupt handlers must not allocate.
#[cfg(target_os = "none")]
pub(crate) fn level() -> usize {
    0
}
