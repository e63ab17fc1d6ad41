//! The `embedded_storage` traits, blocking and async, over one set of rules.

use super::{NorError, SimNor};
use crate::sim::wait_once;
use embedded_storage::nor_flash as blocking;
use embedded_storage_async::nor_flash as asynch;

impl<const W: usize, const E: usize, const R: usize> blocking::ErrorType for SimNor<W, E, R> {
    type Error = NorError;
}

impl<const W: usize, const E: usize, const R: usize> blocking::ReadNorFlash for SimNor<W, E, R> {
    const READ_SIZE: usize = R;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        self.read_into(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.size()
    }
}

impl<const W: usize, const E: usize, const R: usize> blocking::NorFlash for SimNor<W, E, R> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        self.erase_range(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        self.program(offset, bytes)
    }
}

impl<const W: usize, const E: usize, const R: usize> asynch::ReadNorFlash for SimNor<W, E, R> {
    const READ_SIZE: usize = R;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        wait_once(self.pends).await;
        self.read_into(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.size()
    }
}

impl<const W: usize, const E: usize, const R: usize> asynch::NorFlash for SimNor<W, E, R> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        wait_once(self.pends).await;
        self.erase_range(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        wait_once(self.pends).await;
        self.program(offset, bytes)
    }
}
