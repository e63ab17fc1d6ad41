//! The heap inside an arena, and how much of it was needed.
//!
//! First fit in the order of addresses: a smaller arena leads to the very same choices until one
//! does not fit. So the highest byte ever handed out *is* the smallest arena that would have done,
//! and one run measures what a plugin needs.
#![allow(unsafe_code)] // a heap over raw memory

use core::{alloc::Layout, ptr::NonNull};

use linked_list_allocator::Heap;

use crate::ram::Lease;

/// What a plugin has taken of its arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of the arena.
    pub size: usize,
    /// Bytes in use now.
    pub used: usize,
    /// Most bytes in use at a time.
    pub peak: usize,
    /// The smallest arena that would have done so far, in bytes of this machine: the peak, and what
    /// lay unusable between its pieces.
    pub need: usize,
}

/// Bytes for bookkeeping below which a heap cannot be made.
const LEAST: usize = 64;

pub(crate) struct ArenaHeap {
    lease: Lease,
    heap: Heap,
    peak: usize,
    need: usize,
    /// Bytes at the end that are not the heap's, yet.
    kept: usize,
}

impl ArenaHeap {
    pub(crate) fn new(lease: Lease) -> Self {
        let mut this = ArenaHeap { lease, heap: Heap::empty(), peak: 0, need: 0, kept: 0 };
        this.reset(0);
        this
    }

    /// Forgets everything in the arena, and keeps the last `kept` bytes for a module.
    ///
    /// Returns whether so many fit. Whatever lived in the arena must never be used again.
    pub(crate) fn reset(&mut self, kept: usize) -> bool {
        (self.peak, self.need, self.heap) = (0, 0, Heap::empty());
        // Whole words, so that the heap can take them over without a gap.
        let kept = kept.next_multiple_of(16);
        let Some(len) = self.lease.len().checked_sub(kept) else { return false };
        if len < LEAST {
            return false;
        }
        self.kept = kept;
        let len = len / 16 * 16;
        // SAFETY: the heap is empty, and the lease has these bytes to itself for as long as the
        // heap lives, in the same struct.
        unsafe { self.heap.init(self.lease.at(), len) };
        true
    }

    /// Where the kept bytes begin, and how many they are.
    pub(crate) fn kept(&self) -> (*mut u8, usize) {
        let from = self.lease.len() / 16 * 16 - self.kept;
        // SAFETY: within the lease.
        (unsafe { self.lease.at().add(from) }, self.kept)
    }

    /// Makes the kept bytes the heap's: the module in them has been read.
    pub(crate) fn release(&mut self) {
        // SAFETY: they lie directly behind the heap's, and nobody uses them any more.
        unsafe { self.heap.extend(self.kept) };
        self.kept = 0;
    }

    /// Lowest address, and the first one above.
    pub(crate) fn bounds(&self) -> (usize, usize) {
        let from = self.lease.at() as usize;
        (from, from + self.lease.len())
    }

    pub(crate) fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        let at = self.heap.allocate_first_fit(layout).ok()?;
        self.peak = self.peak.max(self.heap.used() + self.kept);
        self.need = self.need.max(self.least_for(at, layout) + self.kept);
        Some(at)
    }

    /// Bytes of the smallest arena in which this piece could be where it is.
    fn least_for(&self, at: NonNull<u8>, layout: Layout) -> usize {
        // A node of the list of holes: two words. Pieces are whole words, and not smaller, so that
        // each can become one; and behind the last there is nothing, or room for one.
        let (word, node) = (size_of::<usize>(), 2 * size_of::<usize>());
        let len = layout.size().max(node).next_multiple_of(word);
        let end = at.as_ptr() as usize + len - self.lease.at() as usize;
        let least = end.next_multiple_of(16);
        if (1..node).contains(&(least - end)) { least + 16 } else { least }
    }

    /// # Safety
    /// `at` came from [`ArenaHeap::allocate`] with this layout, since the last reset.
    pub(crate) unsafe fn deallocate(&mut self, at: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { self.heap.deallocate(at, layout) };
    }

    pub(crate) fn contains(&self, at: *const u8) -> bool {
        let (from, to) = self.bounds();
        (from..to).contains(&(at as usize))
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            size: self.lease.len(),
            used: self.heap.used() + self.kept,
            peak: self.peak,
            need: self.need,
        }
    }
}
