//! Static RAM for plugins: who has it, and that only one has it at a time.
#![allow(unsafe_code)] // hands out a static's bytes behind a flag

use core::{
    cell::UnsafeCell,
    mem::MaybeUninit,
    ptr::NonNull,
    sync::atomic::{AtomicBool, Ordering},
};

/// What the engine keeps is mostly pointers: where they are 8 bytes wide, it needs up to twice the
/// memory for the same plugin. An [`Arena`] grows along, so that its size means the device's.
const WIDTH: usize = size_of::<usize>() / 4;

/// `N` bytes, `K` times, on a boundary that any value takes.
#[repr(C, align(16))]
pub(crate) struct Ram<const N: usize, const K: usize> {
    bytes: UnsafeCell<[[MaybeUninit<u8>; N]; K]>,
    taken: AtomicBool,
}

// SAFETY: `bytes` is only reached through a `Lease`, of which `taken` allows one at a time.
unsafe impl<const N: usize, const K: usize> Sync for Ram<N, K> {}

impl<const N: usize, const K: usize> Ram<N, K> {
    pub(crate) const fn new() -> Self {
        Ram {
            bytes: UnsafeCell::new([[MaybeUninit::uninit(); N]; K]),
            taken: AtomicBool::new(false),
        }
    }

    pub(crate) const fn place(&'static self) -> Place {
        Place { at: self.bytes.get().cast(), len: N * K, taken: &self.taken }
    }
}

/// Where a static [`Ram`] is, without its size in the type.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    at: *mut u8,
    len: usize,
    taken: &'static AtomicBool,
}

// SAFETY: as for `Ram`; a place is only where it is.
unsafe impl Send for Place {}
// SAFETY: likewise.
unsafe impl Sync for Place {}

impl Place {
    /// The bytes, for as long as the lease lives; `None` while another lease has them.
    pub(crate) fn lease(self) -> Option<Lease> {
        let had = self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        had.ok()?;
        Some(Lease { at: NonNull::new(self.at)?, len: self.len, back: Back::Static(self.taken) })
    }

    /// As [`Place::lease`]; but hosts run many simulated devices in one process, so there what is
    /// taken is taken from the heap.
    pub(crate) fn lease_or_new(self) -> Option<Lease> {
        let lease = self.lease();
        #[cfg(not(target_os = "none"))]
        let lease = lease.or_else(|| Some(Lease::on_heap(self.len)));
        lease
    }
}

enum Back {
    Static(&'static AtomicBool),
    #[cfg(not(target_os = "none"))]
    Heap(std::alloc::Layout),
}

/// Bytes that nobody else has. Reached through raw pointers only.
pub(crate) struct Lease {
    at: NonNull<u8>,
    len: usize,
    back: Back,
}

// SAFETY: a lease is the only way to its bytes, and tied to no thread.
unsafe impl Send for Lease {}

impl Lease {
    #[cfg(not(target_os = "none"))]
    fn on_heap(len: usize) -> Self {
        let layout = std::alloc::Layout::from_size_align(len.max(16), 16)
            .unwrap_or_else(|_| unreachable!("the size of a static"));
        // SAFETY: the layout is not of size 0.
        let at = NonNull::new(unsafe { std::alloc::alloc(layout) })
            .unwrap_or_else(|| std::alloc::handle_alloc_error(layout));
        Lease { at, len, back: Back::Heap(layout) }
    }

    pub(crate) const fn at(&self) -> *mut u8 {
        self.at.as_ptr()
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.back {
            Back::Static(taken) => taken.store(false, Ordering::Release),
            #[cfg(not(target_os = "none"))]
            // SAFETY: it came from there with this layout.
            Back::Heap(layout) => unsafe { std::alloc::dealloc(self.at.as_ptr(), layout) },
        }
    }
}

/// Memory of one plugin: its code, its linear memory, and all that the engine keeps of it.
///
/// `N` bytes where pointers are 4 bytes wide, twice as much where they are 8. It belongs to one
/// plugin at a time, and comes back whole when that one is unloaded, however it ended.
///
/// ```
/// static ARENA: coreota_plugins::Arena<{ 20 * 1024 }> = coreota_plugins::Arena::new();
/// ```
pub struct Arena<const N: usize>(Ram<N, WIDTH>);

impl<const N: usize> Arena<N> {
    /// An arena nobody uses.
    pub const fn new() -> Self {
        Arena(Ram::new())
    }

    /// The arena as a plugin takes it.
    pub const fn handle(&'static self) -> ArenaHandle {
        ArenaHandle(self.0.place())
    }
}

impl<const N: usize> Default for Arena<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// An [`Arena`], without its size in the type.
#[derive(Clone, Copy)]
pub struct ArenaHandle(pub(crate) Place);

impl ArenaHandle {
    /// The same, of which only the first `bytes` are used, as [`size`](Self::size) counts them: to
    /// find out what a plugin needs, or to give it no more than that.
    pub const fn at_most(self, bytes: usize) -> Self {
        let Place { at, len, taken } = self.0;
        let less = bytes.saturating_mul(WIDTH);
        ArenaHandle(Place { at, len: if less < len { less } else { len }, taken })
    }

    /// Its size as given, in bytes of a device whose pointers are 4 bytes wide.
    pub const fn size(self) -> usize {
        self.0.len / WIDTH
    }
}
