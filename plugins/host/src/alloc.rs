//! The global allocator of a firmware with plugins: what runs inside a plugin is served from its
//! arena, everything else by whatever the firmware has.
#![allow(unsafe_code)] // a global allocator

use core::{
    alloc::{GlobalAlloc, Layout},
    ptr::{self, NonNull},
};

use crate::contain;

/// Serves plugins from their arenas, and everything else from `A`.
///
/// ```
/// use coreota_plugins::{NoHeap, PluginAlloc};
///
/// // #[global_allocator]: of a firmware whose only heap is that of its plugins.
/// static ALLOCATOR: PluginAlloc<NoHeap> = PluginAlloc(NoHeap);
/// ```
///
/// Without it no plugin is loaded: [`Failure::PluginUnhosted`](coreota::error::Failure).
#[derive(Clone, Copy, Debug, Default)]
pub struct PluginAlloc<A>(pub A);

// SAFETY: each block is served by an arena or by `A`, and given back to where it came from, told by
// its address: an arena belongs to one plugin, whose blocks are freed inside or given up with it.
unsafe impl<A: GlobalAlloc> GlobalAlloc for PluginAlloc<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the heap does not allocate.
        let block =
            unsafe { contain::with_heap(|heap| contain::serves().then(|| heap.allocate(layout))) };
        match block.flatten() {
            Some(Some(at)) => at.as_ptr(),
            Some(None) => {
                contain::exhausted();
                ptr::null_mut()
            }
            // SAFETY: the caller's.
            None => unsafe { self.0.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the heap does not allocate; a block of the arena came from it with this layout.
        let freed = unsafe {
            contain::with_heap(|heap| match NonNull::new(at) {
                Some(block) if heap.contains(at) => {
                    heap.deallocate(block, layout);
                    true
                }
                _ => false,
            })
        };
        if freed != Some(true) {
            // SAFETY: the caller's; and what is not the arena's is `A`'s.
            unsafe { self.0.dealloc(at, layout) }
        }
    }
}

/// No heap at all, for firmware that has none but that of its plugins.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHeap;

// SAFETY: it serves nothing, so nothing can be wrong with it.
unsafe impl GlobalAlloc for NoHeap {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
