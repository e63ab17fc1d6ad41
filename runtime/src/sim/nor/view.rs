//! A [`SimNor`] seen as something narrower: as multiwrite flash, or as one partition.

use super::{NorError, Rewrite, SimNor};
use core::cell::RefCell;
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

/// A flash whose words may be programmed again: having one is the proof that they may.
#[derive(Debug)]
pub struct Multiwrite<'a, const W: usize, const E: usize, const R: usize = 1>(
    &'a mut SimNor<W, E, R>,
);

impl<const W: usize, const E: usize, const R: usize> SimNor<W, E, R> {
    /// This flash as one that takes several programs of a word, if its rule is [`Rewrite::Free`].
    pub fn multiwrite(&mut self) -> Option<Multiwrite<'_, W, E, R>> {
        (self.rewrite == Rewrite::Free).then_some(Multiwrite(self))
    }
}

impl<const W: usize, const E: usize, const R: usize> ErrorType for Multiwrite<'_, W, E, R> {
    type Error = NorError;
}

impl<const W: usize, const E: usize, const R: usize> ReadNorFlash for Multiwrite<'_, W, E, R> {
    const READ_SIZE: usize = R;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        self.0.read_into(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.size()
    }
}

impl<const W: usize, const E: usize, const R: usize> NorFlash for Multiwrite<'_, W, E, R> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        self.0.erase_range(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        self.0.program(offset, bytes)
    }
}

impl<const W: usize, const E: usize, const R: usize> MultiwriteNorFlash
    for Multiwrite<'_, W, E, R>
{
}

/// A range of a shared flash as a flash of its own, for code that wants one per partition.
#[derive(Debug)]
pub struct Part<'a, N> {
    flash: &'a RefCell<&'a mut N>,
    start: u32,
    len: u32,
}

impl<'a, N> Part<'a, N> {
    /// `len` bytes from `start` on. Where the range leaves the flash, using it fails.
    pub const fn new(flash: &'a RefCell<&'a mut N>, start: u32, len: u32) -> Self {
        Self { flash, start, len }
    }

    /// Where byte `at` of the partition is on the flash, if `len` bytes from there are inside.
    fn place(&self, at: u32, len: usize) -> Result<u32, NorError> {
        let end = (at as usize).checked_add(len);
        match self.start.checked_add(at) {
            Some(place) if end.is_some_and(|end| end <= self.len as usize) => Ok(place),
            _ => Err(NorError::OutOfBounds { at, len, size: self.len as usize }),
        }
    }
}

impl<N: ErrorType<Error = NorError>> ErrorType for Part<'_, N> {
    type Error = NorError;
}

impl<N: ReadNorFlash<Error = NorError>> ReadNorFlash for Part<'_, N> {
    const READ_SIZE: usize = N::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        let at = self.place(offset, bytes.len())?;
        self.flash.borrow_mut().read(at, bytes)
    }

    fn capacity(&self) -> usize {
        self.len as usize
    }
}

impl<N: NorFlash<Error = NorError>> NorFlash for Part<'_, N> {
    const WRITE_SIZE: usize = N::WRITE_SIZE;
    const ERASE_SIZE: usize = N::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        let len = to.saturating_sub(from);
        let at = self.place(from, len as usize)?;
        self.flash.borrow_mut().erase(at, at + len)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        let at = self.place(offset, bytes.len())?;
        self.flash.borrow_mut().write(at, bytes)
    }
}
