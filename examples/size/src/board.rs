//! A board of which the compiler knows nothing.
//!
//! Flash, link, clock and hooks are [`black_box`]es: whatever they are given is used, whatever they
//! answer is possible. So the linker keeps all of the device path and no driver.

use core::hint::black_box;

use coreota::{
    Decision, Hooks, SelfTest, Version,
    blocking::{Clock, MessageLink},
    descriptor::Descriptor,
    link::{Delivery, LinkFault},
    message::Message,
};
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

/// One or the other, as far as the compiler knows.
fn either<T>(one: T, other: T) -> T {
    if black_box(true) { one } else { other }
}

/// Any bytes.
pub fn bytes() -> &'static [u8] {
    black_box(&[])
}

/// Any text.
pub fn text() -> &'static str {
    black_box("")
}

/// A flash device of any contents.
pub struct Flash;

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 4;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        black_box((offset, bytes));
        either(Ok(()), Err(NorFlashErrorKind::Other))
    }
    fn capacity(&self) -> usize {
        1 << 20
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        black_box((from, to));
        either(Ok(()), Err(NorFlashErrorKind::Other))
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        black_box((offset, bytes));
        either(Ok(()), Err(NorFlashErrorKind::Other))
    }
}

/// A link on which any message comes.
pub struct Link;

/// All that a call of the link can end with.
fn any_fault() -> Result<(), LinkFault> {
    let refused = either(Err(LinkFault::TooLong), Err(LinkFault::Refused));
    either(Ok(()), either(Err(LinkFault::Down), refused))
}

impl MessageLink for Link {
    fn connect(&mut self) -> Result<(), LinkFault> {
        any_fault()
    }
    fn subscribe(&mut self, topic: &str) -> Result<(), LinkFault> {
        black_box(topic);
        any_fault()
    }
    fn publish(&mut self, message: Message<'_>, how: Delivery) -> Result<(), LinkFault> {
        black_box((message, how));
        any_fault()
    }
    fn receive(&mut self, within_ms: u32) -> Result<Option<Message<'_>>, LinkFault> {
        black_box(within_ms);
        any_fault()?;
        Ok(either(Some(Message { topic: text(), payload: bytes() }), None))
    }
}

/// Some time.
pub struct Time;

impl Clock for Time {
    fn now_ms(&mut self) -> u32 {
        black_box(0)
    }
    fn wait_ms(&mut self, ms: u32) {
        black_box(ms);
    }
}

/// An application that may answer anything.
pub struct App;

impl Hooks for App {
    fn decide(&mut self, job: &str, descriptor: &Descriptor<'_>) -> Decision {
        black_box((job, descriptor));
        let yes = either(Decision::Accept, Decision::Defer { ms: black_box(1) });
        either(yes, Decision::Reject)
    }
    fn self_test(&mut self, online: bool) -> SelfTest {
        black_box(online);
        let over = either(SelfTest::Passed, SelfTest::Failed);
        either(over, SelfTest::Running { ms: black_box(1) })
    }
    fn reset(&mut self) {
        black_box(());
    }
}

/// A version that is known at run time only, as the running image's is.
pub fn running() -> Version {
    black_box(Version::new(1, 0, 0))
}
