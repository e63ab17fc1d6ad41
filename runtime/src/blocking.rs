//! Blocking parts for the one driver: what is ready at once needs no executor.
//!
//! The driver is written once, as `async`, and `#[also_blocking]` adds to each of its functions the one that
//! the same text is without `async` and `.await`: of state machines nothing is left but the calls of flash,
//! link and clock, each polled to its end where it stands. A blocking one in [`Ready`] makes futures that are
//! done at their first poll, so [`block_on`] never waits.
//!
//! A part that waits for one of two things, as a link waits for a packet and for the end of its patience,
//! cannot be ready at once. It needs no executor either, where its [`link::Clock`] sleeps *in* the poll of
//! its pause, until an interrupt, and then is pending: the other thing is asked first, and again after
//! each sleep. `examples/virt-riscv32` does so.

use crate::{
    link::{self, Delivery, LinkFault},
    message::Message,
};
use core::{
    pin::pin,
    task::{Context, Poll, Waker},
};
use embedded_storage::nor_flash::{self as blocking_flash, ErrorType};
use embedded_storage_async::nor_flash as async_flash;

/// [`link::MessageLink`] without `async`.
pub trait MessageLink {
    /// Connects, or connects again.
    ///
    /// # Errors
    /// As [`link::MessageLink::connect`], like those of every method here.
    fn connect(&mut self) -> Result<(), LinkFault>;
    /// Subscribes to one topic.
    ///
    /// # Errors
    /// As above.
    fn subscribe(&mut self, topic: &str) -> Result<(), LinkFault>;
    /// Publishes one message.
    ///
    /// # Errors
    /// As above.
    fn publish(&mut self, message: Message<'_>, how: Delivery) -> Result<(), LinkFault>;
    /// Waits at most `within_ms` for a message.
    ///
    /// # Errors
    /// As above.
    fn receive(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault>;
}

/// [`link::Clock`] without `async`.
pub trait Clock {
    /// Milliseconds since some moment; wraps.
    fn now_ms(&mut self) -> u32;
    /// Waits.
    fn wait_ms(&mut self, ms: u32);
}

/// A blocking part as the driver wants it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ready<T>(pub T);

impl<T: MessageLink> link::MessageLink for Ready<T> {
    async fn connect(&mut self) -> Result<(), LinkFault> {
        self.0.connect()
    }
    async fn subscribe(&mut self, topic: &str) -> Result<(), LinkFault> {
        self.0.subscribe(topic)
    }
    async fn publish(&mut self, message: Message<'_>, how: Delivery) -> Result<(), LinkFault> {
        self.0.publish(message, how)
    }
    async fn receive(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault> {
        self.0.receive(within_ms)
    }
}

impl<T: Clock> link::Clock for Ready<T> {
    fn now_ms(&mut self) -> u32 {
        self.0.now_ms()
    }
    async fn wait_ms(&mut self, ms: u32) {
        self.0.wait_ms(ms);
    }
}

impl<T: ErrorType> ErrorType for Ready<T> {
    type Error = T::Error;
}

impl<T: blocking_flash::ReadNorFlash> async_flash::ReadNorFlash for Ready<T> {
    const READ_SIZE: usize = T::READ_SIZE;
    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.read(offset, bytes)
    }
    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<T: blocking_flash::NorFlash> async_flash::NorFlash for Ready<T> {
    const WRITE_SIZE: usize = T::WRITE_SIZE;
    const ERASE_SIZE: usize = T::ERASE_SIZE;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.0.erase(from, to)
    }
    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.write(offset, bytes)
    }
}

/// A flash, each call polled to its end: what `also_blocking` makes of awaiting it.
pub(crate) trait FlashBlocking: async_flash::NorFlash {
    #[inline]
    fn read_blocking(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        block_on(self.read(offset, bytes))
    }
    #[inline]
    fn erase_blocking(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        block_on(self.erase(from, to))
    }
    #[inline]
    fn write_blocking(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        block_on(self.write(offset, bytes))
    }
}

impl<F: async_flash::NorFlash> FlashBlocking for F {}

/// The same of a link.
pub(crate) trait LinkBlocking: link::MessageLink {
    #[inline]
    fn connect_blocking(&mut self) -> Result<(), LinkFault> {
        block_on(self.connect())
    }
    #[inline]
    fn subscribe_blocking(&mut self, topic: &str) -> Result<(), LinkFault> {
        block_on(self.subscribe(topic))
    }
    #[inline]
    fn publish_blocking(&mut self, message: Message<'_>, how: Delivery) -> Result<(), LinkFault> {
        block_on(self.publish(message, how))
    }
    #[inline]
    fn receive_blocking(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault> {
        block_on(self.receive(within_ms))
    }
}

impl<L: link::MessageLink> LinkBlocking for L {}

/// The same of a clock.
pub(crate) trait ClockBlocking: link::Clock {
    #[inline]
    fn wait_ms_blocking(&mut self, ms: u32) {
        block_on(self.wait_ms(ms));
    }
}

impl<C: link::Clock> ClockBlocking for C {}

/// Polls a future until it is done. Over [`Ready`] parts that is the first poll; a part that
/// really waits is polled again and again, in a busy loop unless it sleeps in its poll.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
