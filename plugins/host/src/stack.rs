//! The native stack that plugins run on: one for all of them, since one runs at a time.
//!
//! On devices it is a static. It is painted once, so that `used` of its handle can tell how much of it
//! was ever needed, and its lowest bytes must still be painted after each run: otherwise it
//! overflowed, the plugin is ended, and what lies below the static may be damaged. That is found,
//! not prevented; what prevents it is that the engine's use of native stack does not depend on the
//! module (it keeps its own stacks in the arena, and none of its functions recurses with the input).
//! Where interrupts are taken on the stack that runs (Cortex-M without an operating system), theirs
//! comes on top.
//!
//! On hosts, where an unoptimised engine takes far more, each run gets a mapping of its own that
//! ends in a guard page, and `N` is not used.
#![allow(unsafe_code)] // paints and reads memory through raw pointers

#[cfg(target_os = "none")]
use crate::ram::{Lease, Place, Ram};

/// Room for the stack on hosts, in bytes.
#[cfg(not(target_os = "none"))]
const HOST: usize = 1024 * 1024;

/// What an unused byte holds.
#[cfg(target_os = "none")]
const PAINT: u32 = 0x5afe_57ac;

/// Lowest bytes that must stay painted.
#[cfg(target_os = "none")]
const RED: usize = 64;

/// The native stack of plugins, `N` bytes. Loading a module takes about 8 KB of it on a Cortex-M4, a
/// call 1 KB; twice the first, 16 KiB, is what `ota.toml` gives.
///
/// ```
/// static STACK: coreota_plugins::Stack<{ 16 * 1024 }> = coreota_plugins::Stack::new();
/// ```
pub struct Stack<const N: usize> {
    #[cfg(target_os = "none")]
    ram: Ram<N, 1>,
}

impl<const N: usize> Stack<N> {
    /// A stack nobody uses.
    pub const fn new() -> Self {
        Stack {
            #[cfg(target_os = "none")]
            ram: Ram::new(),
        }
    }

    /// The stack as a plugin takes it.
    pub const fn handle(&'static self) -> StackHandle {
        StackHandle {
            #[cfg(target_os = "none")]
            place: self.ram.place(),
        }
    }
}

impl<const N: usize> Default for Stack<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// A [`Stack`], without its size in the type.
#[derive(Clone, Copy)]
pub struct StackHandle {
    #[cfg(target_os = "none")]
    place: Place,
}

impl StackHandle {
    /// The stack for one run; `None` while another has it.
    #[cfg(target_os = "none")]
    pub(crate) fn lease(self) -> Option<Memory> {
        let memory = Memory(self.place.lease()?);
        // SAFETY: the lease has the bytes to itself, and this is the first of them, aligned to 16.
        // A static begins as zeros or as whatever RAM held; in either case it gets painted.
        if unsafe { memory.0.at().cast::<u32>().read_volatile() } != PAINT {
            memory.paint();
        }
        Some(memory)
    }

    /// The stack for one run.
    #[cfg(not(target_os = "none"))]
    pub(crate) fn lease(self) -> Option<Memory> {
        corosensei::stack::DefaultStack::new(HOST).ok().map(Memory)
    }

    /// Most bytes in use at any time since the stack was painted, 0 while it is in use; not what
    /// hosts use.
    #[cfg(target_os = "none")]
    pub fn used(self) -> usize {
        self.lease().map_or(0, |memory| memory.used())
    }

    /// Forgets what was used so far.
    #[cfg(target_os = "none")]
    pub fn repaint(self) {
        if let Some(memory) = self.lease() {
            memory.paint();
        }
    }
}

/// A stack, during one run.
#[cfg(target_os = "none")]
pub(crate) struct Memory(Lease);

/// A stack, during one run.
#[cfg(not(target_os = "none"))]
pub(crate) struct Memory(pub(crate) corosensei::stack::DefaultStack);

#[cfg(target_os = "none")]
impl Memory {
    /// Lowest address, and the first one above.
    pub(crate) fn bounds(&self) -> (usize, usize) {
        let from = self.0.at() as usize;
        (from, from + self.0.len() / 16 * 16)
    }

    fn words(&self) -> (*mut u32, usize) {
        (self.0.at().cast(), self.0.len() / 4)
    }

    fn paint(&self) {
        let (at, words) = self.words();
        for word in 0..words {
            // SAFETY: within the lease, which is aligned to 16 and nobody runs on.
            unsafe { at.add(word).write_volatile(PAINT) };
        }
    }

    fn used(&self) -> usize {
        let (at, words) = self.words();
        // SAFETY: within the lease, all of which was painted.
        let unused =
            (0..words).take_while(|word| unsafe { at.add(*word).read_volatile() } == PAINT);
        4 * (words - unused.count())
    }

    /// Whether the run stayed within it.
    pub(crate) fn held(&self) -> bool {
        let (at, words) = self.words();
        // SAFETY: within the lease, all of which was painted.
        (0..words.min(RED / 4)).all(|word| unsafe { at.add(word).read_volatile() } == PAINT)
    }
}

#[cfg(not(target_os = "none"))]
impl Memory {
    /// Whether the run stayed within it: otherwise the guard page ended the process.
    pub(crate) fn held(&self) -> bool {
        true
    }
}
