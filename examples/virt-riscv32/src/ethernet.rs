//! Ethernet: the virtio network device on its registers in memory (virtio 1.2, sections 2.7, 4.2 and 5.1),
//! as a device of smoltcp.
//!
//! A queue is three things in memory: descriptors, which say where the frames are; a ring in which we
//! make descriptors available; a ring in which the device tells of those it has used. Here frame `n`
//! is always that of descriptor `n`.
#![allow(unsafe_code)]

use crate::interrupts;
use crate::register::Block::Virtio;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;
use smoltcp::wire::EthernetAddress;

/// Of the places for devices: their size, how many there are, the interrupt of the first.
const PLACE: u32 = 0x1000;
const PLACES: u32 = 8;
const FIRST_INTERRUPT: u32 = 1;

const MAGIC: u32 = 0x000;
const VERSION: u32 = 0x004;
const DEVICE: u32 = 0x008;
const OFFERED: u32 = 0x010;
const OFFERED_WORD: u32 = 0x014;
const TAKEN: u32 = 0x020;
const TAKEN_WORD: u32 = 0x024;
const QUEUE: u32 = 0x030;
const QUEUE_LENGTH_MAX: u32 = 0x034;
const QUEUE_LENGTH: u32 = 0x038;
const QUEUE_READY: u32 = 0x044;
const NOTIFY: u32 = 0x050;
const INTERRUPT: u32 = 0x060;
const INTERRUPT_ANSWER: u32 = 0x064;
const STATUS: u32 = 0x070;
const DESCRIPTORS: u32 = 0x080;
const AVAILABLE: u32 = 0x090;
const USED: u32 = 0x0a0;
/// The address of the card, where the device has one.
const ADDRESS: u32 = 0x100;

const IS_VIRTIO: u32 = u32::from_le_bytes(*b"virt");
const IS_NETWORK: u32 = 1;
/// Bits of the status.
const ACKNOWLEDGED: u32 = 1;
const DRIVER: u32 = 2;
const RUNS: u32 = 4;
const AGREED: u32 = 8;
/// Features, of the first and the second word.
const HAS_ADDRESS: u32 = 1 << 5;
const VERSION_1: u32 = 1 << 0;

const RECEIVE: u32 = 0;
const SEND: u32 = 1;
/// In a descriptor: the device writes to it.
const WRITABLE: u16 = 2;

/// Frames of each queue.
const LENGTH: usize = 4;
/// In front of each frame; all zero where checksums and segmentation are ours.
const HEADER: usize = 12;
const MTU: usize = 1514;
const FRAME: usize = HEADER + MTU + 2;

/// What the device reads and writes as well.
#[repr(C, align(16))]
struct Shared {
    descriptors: [Descriptor; LENGTH],
    available: Ring<u16>,
    used: Ring<Used>,
    frames: [[u8; FRAME]; LENGTH],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Descriptor {
    address: u64,
    len: u32,
    flags: u16,
    next: u16,
}

#[repr(C, align(4))]
struct Ring<T> {
    flags: u16,
    /// How many were put in so far; wraps.
    count: u16,
    ring: [T; LENGTH],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Used {
    descriptor: u32,
    len: u32,
}

struct Memory(UnsafeCell<[Shared; 2]>);

// SAFETY: only the one `Ethernet` there is touches it.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new(
    [const {
        Shared {
            descriptors: [Descriptor { address: 0, len: 0, flags: 0, next: 0 }; LENGTH],
            available: Ring { flags: 0, count: 0, ring: [0; LENGTH] },
            used: Ring { flags: 0, count: 0, ring: [Used { descriptor: 0, len: 0 }; LENGTH] },
            frames: [[0; FRAME]; LENGTH],
        }
    }; 2],
));

/// One of the queues: its memory, and how many descriptors we made available and have seen used.
struct Queue {
    number: u32,
    shared: *mut Shared,
    made: u16,
    seen: u16,
}

/// The network card.
pub struct Ethernet {
    /// Where its registers are.
    place: u32,
    address: [u8; 6],
    receive: Queue,
    send: Queue,
    /// A bit for each frame that may be sent from.
    free: u8,
}

impl Queue {
    /// Tells the device of the queue; `None` where it has none or only a shorter one.
    fn start(place: u32, number: u32, flags: u16) -> Option<Self> {
        let shared = MEMORY.0.get().cast::<Shared>().wrapping_add(number as usize);
        let queue = Queue { number, shared, made: 0, seen: 0 };
        for n in 0..LENGTH {
            let address = queue.frame(n).expose_provenance() as u64;
            let descriptor = Descriptor { address, len: FRAME as u32, flags, next: 0 };
            // SAFETY: within `MEMORY`, and the device is not told of it yet.
            unsafe { (&raw mut (*shared).descriptors[n]).write_volatile(descriptor) };
        }
        Virtio.write(place + QUEUE, number);
        if (Virtio.read(place + QUEUE_LENGTH_MAX) as usize) < LENGTH {
            return None;
        }
        Virtio.write(place + QUEUE_LENGTH, LENGTH as u32);
        // SAFETY: only addresses are taken.
        let parts = unsafe {
            [
                (DESCRIPTORS, (&raw mut (*shared).descriptors).expose_provenance()),
                (AVAILABLE, (&raw mut (*shared).available).expose_provenance()),
                (USED, (&raw mut (*shared).used).expose_provenance()),
            ]
        };
        for (register, address) in parts {
            Virtio.write(place + register, address as u32);
            Virtio.write(place + register + 4, 0);
        }
        Virtio.write(place + QUEUE_READY, 1);
        Some(queue)
    }

    fn frame(&self, n: usize) -> *mut [u8; FRAME] {
        // SAFETY: only an address is taken, within `MEMORY` for n < LENGTH.
        unsafe { (&raw mut (*self.shared).frames).cast::<[u8; FRAME]>().wrapping_add(n % LENGTH) }
    }

    /// Makes a descriptor available to the device, with so many bytes.
    fn make(&mut self, place: u32, n: usize, len: u32) {
        let at = usize::from(self.made) % LENGTH;
        self.made = self.made.wrapping_add(1);
        // SAFETY: within `MEMORY`; the descriptor is ours until the count is written.
        unsafe {
            (&raw mut (*self.shared).descriptors[n % LENGTH].len).write_volatile(len);
            (&raw mut (*self.shared).available.ring[at]).write_volatile((n % LENGTH) as u16);
            riscv::asm::fence();
            (&raw mut (*self.shared).available.count).write_volatile(self.made);
        }
        riscv::asm::fence();
        Virtio.write(place + NOTIFY, self.number);
    }

    /// The next descriptor that the device has used, and how many bytes it wrote.
    fn used(&self) -> Option<(usize, usize)> {
        // SAFETY: within `MEMORY`; volatile, for the device writes it too.
        let count = unsafe { (&raw const (*self.shared).used.count).read_volatile() };
        if count == self.seen {
            return None;
        }
        riscv::asm::fence();
        let at = usize::from(self.seen) % LENGTH;
        // SAFETY: as above; the device is done with this one.
        let used = unsafe { (&raw const (*self.shared).used.ring[at]).read_volatile() };
        Some((used.descriptor as usize % LENGTH, used.len as usize))
    }

    fn take(&mut self) {
        self.seen = self.seen.wrapping_add(1);
    }
}

impl Ethernet {
    /// Starts the first network card there is; `None` where there is none, or it is not what it should be.
    ///
    /// # Panics
    /// When called twice.
    pub fn start() -> Option<Self> {
        static STARTED: AtomicBool = AtomicBool::new(false);
        assert!(!STARTED.swap(true, Ordering::Relaxed));
        let is_network = |place: &u32| {
            let identity = [MAGIC, VERSION, DEVICE].map(|register| Virtio.read(place + register));
            identity == [IS_VIRTIO, 2, IS_NETWORK]
        };
        let number = (0..PLACES).find(|number| is_network(&(number * PLACE)))?;
        let place = number * PLACE;
        Virtio.write(place + STATUS, 0);
        Virtio.write(place + STATUS, ACKNOWLEDGED | DRIVER);
        for (word, wanted) in [(0, HAS_ADDRESS), (1, VERSION_1)] {
            Virtio.write(place + OFFERED_WORD, word);
            if Virtio.read(place + OFFERED) & wanted != wanted {
                return None;
            }
            Virtio.write(place + TAKEN_WORD, word);
            Virtio.write(place + TAKEN, wanted);
        }
        Virtio.write(place + STATUS, ACKNOWLEDGED | DRIVER | AGREED);
        if Virtio.read(place + STATUS) & AGREED == 0 {
            return None;
        }
        let mut receive = Queue::start(place, RECEIVE, WRITABLE)?;
        let send = Queue::start(place, SEND, 0)?;
        Virtio.write(place + STATUS, ACKNOWLEDGED | DRIVER | AGREED | RUNS);
        (0..LENGTH).for_each(|n| receive.make(place, n, FRAME as u32));
        interrupts::enable(FIRST_INTERRUPT + number);
        let address = core::array::from_fn(|n| Virtio.read_byte(place + ADDRESS + n as u32));
        Some(Ethernet { place, address, receive, send, free: (1 << LENGTH) - 1 })
    }

    /// The address of the card.
    pub fn address(&self) -> EthernetAddress {
        EthernetAddress(self.address)
    }

    /// Answers the card's interrupt: to be called before it is looked whether something came.
    pub fn answer(&mut self) {
        interrupts::answer(|_| {
            Virtio.write(self.place + INTERRUPT_ANSWER, Virtio.read(self.place + INTERRUPT));
        });
    }

    /// A frame that may be sent from.
    fn free(&mut self) -> Option<usize> {
        while let Some((sent, _)) = self.send.used() {
            self.free |= 1 << sent;
            self.send.take();
        }
        let first = self.free.trailing_zeros() as usize;
        (first < LENGTH).then_some(first)
    }
}

impl Device for Ethernet {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Send<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Send<'_>)> {
        let (frame, len) = self.receive.used()?;
        let free = self.free()?;
        let Ethernet { place, receive, send, free: all, .. } = self;
        let send = Send { place: *place, queue: send, all, frame: free };
        Some((Received { place: *place, queue: receive, frame, len }, send))
    }

    fn transmit(&mut self, _: Instant) -> Option<Send<'_>> {
        let frame = self.free()?;
        Some(Send { place: self.place, queue: &mut self.send, all: &mut self.free, frame })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MTU;
        capabilities.max_burst_size = Some(LENGTH);
        capabilities
    }
}

/// A frame that came.
pub struct Received<'a> {
    place: u32,
    queue: &'a mut Queue,
    frame: usize,
    len: usize,
}

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, with: F) -> R {
        // SAFETY: the device has used the descriptor, so that the frame is ours until it is made
        // available again; the token is the only one for it.
        let frame: &[u8; FRAME] = unsafe { &*self.queue.frame(self.frame) };
        let result = with(frame.get(HEADER..self.len).unwrap_or_default());
        self.queue.take();
        self.queue.make(self.place, self.frame, FRAME as u32);
        result
    }
}

/// Room for a frame to send.
pub struct Send<'a> {
    place: u32,
    queue: &'a mut Queue,
    /// The bits of those that are free.
    all: &'a mut u8,
    frame: usize,
}

impl TxToken for Send<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, with: F) -> R {
        // SAFETY: the frame is free: the device has sent what was in it, or was never told of it. Its
        // header was never anything but zero.
        let frame = unsafe { &mut *self.queue.frame(self.frame) };
        let len = len.min(MTU);
        let result = with(frame.get_mut(HEADER..HEADER + len).unwrap_or_default());
        *self.all &= !(1 << self.frame);
        self.queue.make(self.place, self.frame, (HEADER + len) as u32);
        result
    }
}
