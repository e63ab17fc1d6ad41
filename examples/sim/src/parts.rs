//! The parts of the board, as far as they are not coreota's: flash with a mains switch and a meter,
//! the clock of the host.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::time::Instant;

use coreota::Region;
use coreota::link::Clock;
use coreota::sim::nor::{NorError, SimNor};
use embedded_storage::nor_flash::ErrorType;
use embedded_storage_async::nor_flash::{NorFlash, ReadNorFlash};
use tokio::sync::Notify;

/// Ends the world when its flash does. Firmware must not see that its power went: it is just no
/// more.
#[derive(Debug, Default)]
pub(crate) struct Mains {
    gone: Notify,
    why: RefCell<Option<NorError>>,
}

impl Mains {
    /// Waits for the end.
    pub(crate) async fn end(&self) -> NorError {
        loop {
            self.gone.notified().await;
            if let Some(why) = self.why.take() {
                return why;
            }
        }
    }

    /// What never comes back to whoever asked.
    async fn cut<T>(&self, why: NorError) -> T {
        self.why.replace(Some(why));
        self.gone.notify_one();
        pending().await
    }
}

/// A flash on the mains: an operation that fails, because the power or the disk under the flash
/// file is at its end, never returns.
#[derive(Debug)]
pub(crate) struct Flash<const W: usize, const E: usize> {
    pub(crate) nor: SimNor<W, E>,
    pub(crate) mains: Rc<Mains>,
    /// Where blocks are written, one program each.
    pub(crate) slot: Region,
    pub(crate) meter: Meter,
}

/// Blocks that were fetched and written since power on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Rc<Cell<u32>>);

impl Meter {
    pub(crate) fn blocks(&self) -> u32 {
        self.0.get()
    }
}

impl<const W: usize, const E: usize> ErrorType for Flash<W, E> {
    type Error = NorError;
}

impl<const W: usize, const E: usize> ReadNorFlash for Flash<W, E> {
    const READ_SIZE: usize = <SimNor<W, E> as ReadNorFlash>::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        match self.nor.read(offset, bytes).await {
            Err(why) => self.mains.cut(why).await,
            done => done,
        }
    }

    fn capacity(&self) -> usize {
        ReadNorFlash::capacity(&self.nor)
    }
}

impl<const W: usize, const E: usize> NorFlash for Flash<W, E> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        match self.nor.erase(from, to).await {
            Err(why) => self.mains.cut(why).await,
            done => done,
        }
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        if let Err(why) = self.nor.write(offset, bytes).await {
            return self.mains.cut(why).await;
        }
        if (self.slot.offset..self.slot.end()).contains(&offset) {
            self.meter.0.set(self.meter.0.get() + 1);
        }
        Ok(())
    }
}

/// The host's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock(Instant);

impl WallClock {
    /// At 0.
    pub(crate) fn start() -> Self {
        WallClock(Instant::now())
    }
}

impl Clock for WallClock {
    fn now_ms(&mut self) -> u32 {
        // A device's counter wraps, after 49.7 days.
        self.0.elapsed().as_millis() as u32
    }

    async fn wait_ms(&mut self, ms: u32) {
        tokio::time::sleep(std::time::Duration::from_millis(ms.into())).await;
    }
}
