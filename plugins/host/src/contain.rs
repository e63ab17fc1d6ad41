//! Containment: what runs inside cannot outlive its arena, and cannot take the rest along.
//!
//! The engine is a library that allocates, and that ends the program where an allocation fails or
//! where it finds a bug in itself. A plugin can cause the first and would love to cause the second.
//! So everything the engine does for a plugin is one *run*: a closure called on a native stack of its
//! own, whose allocations are served from the arena of this plugin. A run ends in one of two ways:
//!
//! - the closure returns, and its `Copy` result is the run's;
//! - it *leaves*: an allocation that does not fit, or a panic, switches back to the stack of the
//!   caller for good. Neither that stack nor that arena is ever run on or read again before it is
//!   made anew, just as those of a thread that sleeps for ever.
//!
//! # Why this is sound
//!
//! To leave is to suspend a coroutine and never resume it, which is safe Rust's own notion: a value
//! on a suspended stack is as forgotten as by `mem::forget`. What is not safe is to *use the memory
//! again*, and so nothing may refer to it:
//!
//! 1. **What lives inside.** On the stack: frames of this crate's closures, of wasmi and wasmparser,
//!    and of the allocator. In the arena: all that these allocated, since an allocation is served by
//!    where the code runs (see [`alloc`](crate::alloc)). Both crates are built without `std`, register
//!    nothing outside and start no threads; their only statics are counters. Their locks are in the
//!    arena, and given up along with what they guard.
//! 2. **What refers to it from outside.** One raw pointer, to the engine's state in the arena, in
//!    [`Plugin`](crate::plugin). It is dropped with the arena's content: every `Err` from
//!    [`Containment::run`] that says so makes the plugin dead. No reference leaves a run: results are
//!    `Copy` numbers (`R: Copy + 'static`), and errors become [`Failure`]s before the run ends.
//!    Results *in* linear memory are read later, through that pointer, under a borrow of the plugin.
//! 3. **What was lent in.** Documents and messages, as `&[u8]`, and buffers to write to, as
//!    `&mut [u8]`. Those borrows end when the run ends; the frames that still hold them never run
//!    again. A buffer is left as it was or with bytes nobody counts.
//! 4. **Drops that do not happen.** Forgetting is safe except for guards that keep others out: those
//!    of this crate are outside (leases, `INSIDE`), those of the engine are in the arena.
//! 5. **The allocator itself.** It leaves after the heap has refused, with no reference to the heap
//!    alive, and holding no lock. A global allocator must not unwind; it does not: it does not return.
//! 6. **`std` on hosts.** A panic inside is caught inside. While a thread panics, what `std` allocates
//!    (messages, the caches of its backtraces) is served from outside and may live for ever; what is
//!    freed goes back to where it came from, told by its address. On devices the panic handler of the firmware calls [`abandon`].
//!
//! What ends a run ends the plugin, not the core: the arena is made anew for the next one.
#![allow(unsafe_code)] // switches stacks, and finds the run from inside the allocator

use core::{
    cell::{Cell, UnsafeCell},
    ptr,
};

use coreota::error::Failure;

use crate::{
    heap::{ArenaHeap, Usage},
    ram::ArenaHandle,
    stack::StackHandle,
    switch::{self, Door},
};

/// Why a run left.
#[derive(Clone, Copy)]
enum Why {
    Memory,
    Panic,
}

/// A run, as what happens inside can find it. Lives on the stack of the caller.
pub(crate) struct Inside {
    heap: *const UnsafeCell<ArenaHeap>,
    /// Stack of the run, where that must be told from others.
    #[cfg(target_os = "none")]
    stack: (usize, usize),
    #[cfg(target_os = "none")]
    level: usize,
    door: Door,
    why: Cell<Why>,
}

/// The run of this thread.
#[cfg(not(target_os = "none"))]
mod current {
    use super::{Cell, Inside, ptr};

    std::thread_local! {
        // Without a destructor: an allocator may ask at any time.
        static INSIDE: Cell<*const Inside> = const { Cell::new(ptr::null()) };
    }

    pub(super) fn set(inside: *const Inside) {
        INSIDE.set(inside);
    }

    pub(super) fn get() -> *const Inside {
        INSIDE.get()
    }

    /// What `std` allocates for a panic outlives the run.
    pub(super) fn serves() -> bool {
        !std::thread::panicking()
    }
}

/// The run of this device: there is one stack to run on.
#[cfg(target_os = "none")]
mod current {
    use core::sync::atomic::{AtomicPtr, Ordering};

    use super::{Inside, ptr, switch};

    static INSIDE: AtomicPtr<Inside> = AtomicPtr::new(ptr::null_mut());

    pub(super) fn set(inside: *const Inside) {
        INSIDE.store(inside.cast_mut(), Ordering::Release);
    }

    /// The run, unless something else runs now: another thread, on another stack, or an interrupt,
    /// which may have come while this one ran and be on the same stack.
    pub(super) fn get() -> *const Inside {
        let inside = INSIDE.load(Ordering::Acquire);
        // SAFETY: it is set by `Containment::run` for as long as the run lives.
        let Some(run) = (unsafe { inside.as_ref() }) else { return ptr::null() };
        let here = 0u8;
        let here = core::hint::black_box(&raw const here) as usize;
        let (from, to) = run.stack;
        if (from..to).contains(&here) && run.level == switch::level() {
            inside
        } else {
            ptr::null()
        }
    }

    pub(super) fn serves() -> bool {
        true
    }
}

/// Whether what is allocated in a run is its own, now.
pub(crate) fn serves() -> bool {
    current::serves()
}

/// Calls `f` with the heap of the run this is called from; `None` outside of any.
///
/// # Safety
/// `f` must not call back here.
pub(crate) unsafe fn with_heap<R>(f: impl FnOnce(&mut ArenaHeap) -> R) -> Option<R> {
    // SAFETY: set for as long as the run lives, on this very stack or thread.
    let inside = unsafe { current::get().as_ref() }?;
    // SAFETY: the heap outlives the run; one thing runs at a time on this stack, and the caller
    // keeps `f` from coming here again.
    Some(f(unsafe { &mut *(*inside.heap).get() }))
}

/// Leaves the run this is called from, for good, because memory ran out; returns outside of any.
pub(crate) fn exhausted() {
    leave(Why::Memory);
}

/// Ends the plugin that runs, if one does: for the firmware's panic handler.
///
/// Where the engine panics because of a plugin, this does not return, and the call of the plugin
/// fails with [`Failure::PluginPanic`]. Anywhere else it returns, and the handler goes on.
///
/// ```ignore
/// #[panic_handler]
/// fn panic(info: &core::panic::PanicInfo) -> ! {
///     coreota_plugins::abandon();
///     // nothing to do with plugins: what the firmware does about a panic
/// }
/// ```
pub fn abandon() {
    leave(Why::Panic);
}

fn leave(why: Why) {
    // SAFETY: set for as long as the run lives, on this very stack or thread.
    if let Some(inside) = unsafe { current::get().as_ref() } {
        inside.why.set(why);
        // SAFETY: this is inside that run. Its stack is not used again before it is made anew.
        unsafe { switch::leave(&inside.door) }
    }
}

/// An arena, and the stack to run on.
pub(crate) struct Containment {
    heap: UnsafeCell<ArenaHeap>,
    stack: StackHandle,
}

impl Containment {
    /// Takes the arena.
    pub(crate) fn new(arena: ArenaHandle, stack: StackHandle) -> Result<Self, Failure> {
        let lease = arena.0.lease_or_new().ok_or(Failure::PluginBusy)?;
        Ok(Containment { heap: UnsafeCell::new(ArenaHeap::new(lease)), stack })
    }

    pub(crate) fn heap(&mut self) -> &mut ArenaHeap {
        self.heap.get_mut()
    }

    pub(crate) fn usage(&mut self) -> Usage {
        self.heap().usage()
    }

    /// Runs `f` inside.
    ///
    /// # Errors
    /// [`Failure::PluginBusy`] where the stack is in use: nothing ran. Any other failure means that
    /// whatever lived in the arena must never be used again: [`Failure::PluginMemory`] and
    /// [`Failure::PluginPanic`] where the run left, [`Failure::PluginStack`] where it overflowed.
    pub(crate) fn run<R: Copy + 'static>(&mut self, f: impl FnOnce() -> R) -> Result<R, Failure> {
        let mut stack = self.stack.lease().ok_or(Failure::PluginBusy)?;
        let inside = Inside {
            heap: &raw const self.heap,
            #[cfg(target_os = "none")]
            stack: stack.bounds(),
            #[cfg(target_os = "none")]
            level: switch::level(),
            door: Door::default(),
            why: Cell::new(Why::Panic),
        };
        let mut result = None;
        let mut f = Some(f);
        let mut run = || {
            if let Some(f) = f.take() {
                result = catch(f);
            }
        };
        current::set(&raw const inside);
        // SAFETY: the stack is leased for this run. If it leaves, what is on it is never run again.
        let returned = unsafe { switch::run(&mut stack, &inside.door, &mut run) };
        current::set(ptr::null());
        match (returned, stack.held()) {
            (_, false) => Err(Failure::PluginStack),
            (true, true) => result.ok_or(Failure::PluginPanic),
            (false, true) => Err(match inside.why.get() {
                Why::Memory => Failure::PluginMemory,
                Why::Panic => Failure::PluginPanic,
            }),
        }
    }
}

/// Calls `f`; `None` where it panics.
#[cfg(not(target_os = "none"))]
fn catch<R>(f: impl FnOnce() -> R) -> Option<R> {
    // What was borrowed is not looked at again after a panic, see the module.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).ok()
}

/// Calls `f`: where it panics, the firmware's handler calls [`abandon`].
#[cfg(target_os = "none")]
fn catch<R>(f: impl FnOnce() -> R) -> Option<R> {
    Some(f())
}

#[cfg(test)]
mod tests {
    use std::{boxed::Box, hint::black_box, string::String, vec, vec::Vec};

    use super::*;
    use crate::{Arena, PluginAlloc, Stack};

    #[global_allocator]
    static ALLOCATOR: PluginAlloc<std::alloc::System> = PluginAlloc(std::alloc::System);

    fn containment() -> Containment {
        static ARENA: Arena<2048> = Arena::new();
        static STACK: Stack<4096> = Stack::new();
        Containment::new(ARENA.handle(), STACK.handle()).expect("memory")
    }

    #[test]
    fn what_a_run_allocates_is_in_the_arena_and_what_others_allocate_is_not() {
        let mut inside = containment();
        let (from, to) = inside.heap().bounds();
        let before = Box::new(1u8);
        let at = inside.run(|| &raw const *Box::leak(Box::new(2u8)) as usize);
        let after = Box::new(3u8);
        assert!((from..to).contains(&at.expect("room")));
        for other in [&before, &after] {
            assert!(!(from..to).contains(&(&raw const **other as usize)));
        }
        assert!(inside.usage().used > 0);
    }

    #[test]
    fn what_was_allocated_outside_can_be_freed_inside() {
        let outside = vec![7u8; 5000];
        let mut inside = containment();
        assert_eq!(inside.run(move || outside.into_iter().map(u32::from).sum::<u32>()), Ok(35_000));
        assert_eq!(inside.usage().used, 0);
    }

    #[test]
    fn running_out_of_memory_ends_the_run_wherever_it_is() {
        let mut inside = containment();
        let mut deepest = 0;
        fn dig(depth: &mut u32) -> u8 {
            *depth += 1;
            let more = black_box(Box::new([0u8; 100]));
            if *depth < 1000 { dig(depth) + more[0] } else { 0 }
        }
        assert_eq!(inside.run(|| dig(&mut deepest)), Err(Failure::PluginMemory));
        assert!((20..50).contains(&deepest), "{deepest}");
        // The whole arena is there again.
        assert!(inside.heap().reset(0));
        assert_eq!(inside.run(|| black_box(vec![1u8; 3000]).len()), Ok(3000));
    }

    #[test]
    fn one_piece_larger_than_the_arena_ends_the_run() {
        let run = containment().run(|| black_box(Vec::<u64>::with_capacity(1 << 40)).capacity());
        assert_eq!(run, Err(Failure::PluginMemory));
    }

    #[test]
    fn a_panic_ends_the_run_again_and_again() {
        for round in 0..3 {
            let mut inside = containment();
            let kept = black_box(String::from("lives on the stack, in the arena"));
            let run = inside.run(|| {
                let local = kept.clone();
                assert!(local.is_empty(), "round {round}: part of the test");
                local.len()
            });
            assert_eq!(run, Err(Failure::PluginPanic));
            assert_eq!(kept.len(), 32);
        }
    }

    #[test]
    fn the_panic_handler_of_a_firmware_abandons_what_runs_and_nothing_else() {
        abandon();
        let mut inside = containment();
        let mut after = false;
        let run = inside.run(|| {
            let _lock = black_box(Box::new(1));
            abandon();
            after = true;
        });
        assert_eq!((run, after), (Err(Failure::PluginPanic), false));
        abandon();
    }

    #[test]
    fn what_was_lent_in_is_back_when_the_run_left() {
        let mut inside = containment();
        let mut buffer = [0u8; 4];
        let run = inside.run(|| {
            buffer[0] = 1;
            abandon();
            buffer[1] = 1;
        });
        assert_eq!(run, Err(Failure::PluginPanic));
        buffer[2] = 2;
        assert_eq!(buffer, [1, 0, 2, 0]);
    }

    #[test]
    fn many_threads_each_have_their_own() {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                std::thread::spawn(move || {
                    for round in 0..50 {
                        let mut inside = containment();
                        let sum =
                            |bytes: Vec<u8>| bytes.into_iter().map(usize::from).sum::<usize>();
                        assert_eq!(
                            inside.run(|| sum(black_box(vec![thread; 500]))),
                            Ok(500 * usize::from(thread))
                        );
                        let none = inside.run(|| black_box(vec![0u8; 1 << 20]).len());
                        assert_eq!(none, Err(Failure::PluginMemory), "{round}");
                        drop(black_box(vec![0u8; 1 << 20]));
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
    }
}
