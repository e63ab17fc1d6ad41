//! The Ethernet MAC as a driver of embassy-net: a ring of descriptors for what is received, one for
//! what is sent, and an interrupt that wakes who waits for either.
//!
//! A descriptor is three words: where the frame is, its length with a bit that says whose it is, and
//! the next descriptor. While the bit is set the frame is the MAC's to receive into, or it has none
//! to send.
#![allow(unsafe_code)]

use crate::register::Block::{Emac as Registers, System};
use core::cell::UnsafeCell;
use core::sync::atomic::{Ordering, fence};
use core::task::Context;
use cortex_m_rt::exception;
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;

const CONFIG: u16 = 0x000;
const LONGEST: u16 = 0x010;
const STATION_HIGH: u16 = 0x040;
const STATION_LOW: u16 = 0x044;
const FIFO: u16 = 0x048;
const SEND_CONTROL: u16 = 0x180;
const SEND_FROM: u16 = 0x184;
const SEND_STATUS: u16 = 0x188;
const RECEIVE_CONTROL: u16 = 0x18c;
const RECEIVE_TO: u16 = 0x190;
const RECEIVE_STATUS: u16 = 0x194;
const INTERRUPTS: u16 = 0x198;

const RESET: u32 = 1 << 31;
const RECEIVE_ON: u32 = 1 << 2;
const SEND_ON: u32 = 1 << 0;
/// All five parts of the FIFO.
const FIFO_ON: u32 = 0x1f << 8;
/// DMA runs.
const RUN: u32 = 1;
/// In a status: a frame is done. Written back, it takes one off the count.
const DONE: u32 = 1 << 0;
const SEND_UNDERRUN: u32 = 1 << 1;
const RECEIVE_OVERFLOW: u32 = 1 << 2;
/// Which statuses interrupt.
const ON_SENT: u32 = DONE;
const ON_RECEIVED: u32 = (DONE | RECEIVE_OVERFLOW) << 4;

/// The interrupt, and where it is enabled.
const IRQ: i16 = 12;
const INTERRUPT_ENABLE: u16 = 0x100;

const FRAME: usize = 1536;
const MTU: usize = 1514;
const RECEIVE_RING: usize = 4;
/// In a descriptor's second word.
const EMPTY: u32 = 1 << 31;
const LENGTH: u32 = 0x7ff;

static WAITING: AtomicWaker = AtomicWaker::new();

/// What the MAC reads and writes as well.
#[repr(C, align(4))]
struct Shared {
    /// The last is for sending.
    descriptors: UnsafeCell<[[u32; 3]; RECEIVE_RING + 1]>,
    frames: UnsafeCell<[[u8; FRAME]; RECEIVE_RING + 1]>,
}

// SAFETY: only the one `Emac` there is touches it.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared {
    descriptors: UnsafeCell::new([[0; 3]; RECEIVE_RING + 1]),
    frames: UnsafeCell::new([[0; FRAME]; RECEIVE_RING + 1]),
};

/// The descriptor for sending.
const SEND: usize = RECEIVE_RING;

fn descriptor(index: usize) -> *mut [u32; 3] {
    SHARED.descriptors.get().cast::<[u32; 3]>().wrapping_add(index)
}

/// The length and the bit of a descriptor.
fn state(index: usize) -> u32 {
    let word = descriptor(index).cast::<u32>().wrapping_add(1);
    // SAFETY: within `SHARED`, by the indices below; volatile, for the MAC writes it too.
    let state = unsafe { word.read_volatile() };
    fence(Ordering::Acquire);
    state
}

/// Hands a descriptor over, and its frame with it.
fn set_state(index: usize, state: u32) {
    fence(Ordering::Release);
    let word = descriptor(index).cast::<u32>().wrapping_add(1);
    // SAFETY: as above.
    unsafe { word.write_volatile(state) }
}

/// The frame of a descriptor.
///
/// # Safety
/// The descriptor is ours, and its frame is not lent out.
unsafe fn frame(index: usize) -> &'static mut [u8; FRAME] {
    let frame = SHARED.frames.get().cast::<[u8; FRAME]>().wrapping_add(index);
    // SAFETY: as promised by the caller.
    unsafe { &mut *frame }
}

/// The MAC, with its address.
pub struct Emac {
    address: [u8; 6],
    /// The descriptor that is received into next.
    next: usize,
}

impl Emac {
    /// Starts the MAC. To be called once.
    pub fn new(address: [u8; 6]) -> Self {
        for index in 0..=SEND {
            let at = SHARED.frames.get().cast::<[u8; FRAME]>().wrapping_add(index);
            let next = if index < SEND { (index + 1) % RECEIVE_RING } else { SEND };
            let words = [at.expose_provenance() as u32, EMPTY, descriptor(next).addr() as u32];
            // SAFETY: within `SHARED`, and the MAC is not told of it yet.
            unsafe { descriptor(index).write_volatile(words) };
        }
        fence(Ordering::Release);
        let [a0, a1, a2, a3, a4, a5] = address;
        Registers.write(CONFIG, RESET);
        Registers.write(CONFIG, 0);
        Registers.write(FIFO, FIFO_ON);
        Registers.write(LONGEST, FRAME as u32);
        Registers.write(STATION_HIGH, u32::from_be_bytes([a0, a1, a2, a3]));
        Registers.write(STATION_LOW, u32::from_be_bytes([a4, a5, 0, 0]));
        Registers.write(CONFIG, RECEIVE_ON | SEND_ON);
        let emac = Emac { address, next: 0 };
        emac.receive_on();
        System.write(INTERRUPT_ENABLE, 1 << IRQ);
        emac
    }

    fn receive_on(&self) {
        Registers.write(RECEIVE_TO, descriptor(self.next).expose_provenance() as u32);
        Registers.write(RECEIVE_CONTROL, RUN);
    }

    /// Gives the frame last received back, and goes on to the next.
    fn received(&mut self) {
        set_state(self.next, EMPTY);
        self.next = (self.next + 1) % RECEIVE_RING;
        Registers.write(RECEIVE_STATUS, DONE);
        if Registers.read(RECEIVE_STATUS) & RECEIVE_OVERFLOW != 0 {
            // It stopped when it found no descriptor free.
            Registers.write(RECEIVE_STATUS, RECEIVE_OVERFLOW);
            self.receive_on();
        }
    }

    fn may_send(&self) -> bool {
        state(SEND) & EMPTY != 0
    }
}

/// Wakes the network stack, which enables the interrupt again when it has nothing to do.
#[exception]
unsafe fn DefaultHandler(number: i16) {
    if number != IRQ {
        crate::reset();
    }
    Registers.write(INTERRUPTS, 0);
    WAITING.wake();
}

impl Driver for Emac {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Send;

    fn receive(&mut self, context: &mut Context<'_>) -> Option<(Received<'_>, Send)> {
        WAITING.register(context.waker());
        if state(self.next) & EMPTY == 0 && self.may_send() {
            return Some((Received(self), Send));
        }
        Registers.write(INTERRUPTS, ON_RECEIVED | if self.may_send() { 0 } else { ON_SENT });
        None
    }

    fn transmit(&mut self, context: &mut Context<'_>) -> Option<Send> {
        WAITING.register(context.waker());
        if self.may_send() {
            return Some(Send);
        }
        Registers.write(INTERRUPTS, ON_RECEIVED | ON_SENT);
        None
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = MTU;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.address)
    }
}

/// A frame that came.
pub struct Received<'a>(&'a mut Emac);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, with: F) -> R {
        let len = (state(self.0.next) & LENGTH) as usize;
        // SAFETY: the bit is clear, as `receive` has seen, so the frame is ours until `received`;
        // the token is the only one for it.
        let frame = unsafe { frame(self.0.next) };
        let result = with(frame.get_mut(..len).unwrap_or_default());
        self.0.received();
        result
    }
}

/// Room for a frame to send.
pub struct Send;

impl TxToken for Send {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, with: F) -> R {
        // SAFETY: the bit is set, as who made the token has seen: the MAC has nothing to send. It
        // is asked for no second frame before it has this one.
        let frame = unsafe { frame(SEND) };
        let len = len.min(MTU);
        let result = with(frame.get_mut(..len).unwrap_or_default());
        set_state(SEND, len as u32);
        // It stopped after the frame before, and is told where to go on.
        let sent = Registers.read(SEND_STATUS) & (DONE | SEND_UNDERRUN);
        Registers.write(SEND_STATUS, sent);
        Registers.write(SEND_FROM, descriptor(SEND).expose_provenance() as u32);
        Registers.write(SEND_CONTROL, RUN);
        result
    }
}
