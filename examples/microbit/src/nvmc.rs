//! The flash: 256 KiB in pages of 1 KiB, programmed by words of four bytes, each once. The
//! processor stands still meanwhile: 22 ms for a page, 46 µs for a word.
#![allow(unsafe_code)]

use crate::ota::FLASH_SIZE;
use crate::register::Block::Nvmc;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

const READY: u16 = 0x400;
const MODE: u16 = 0x504;
const ERASE_PAGE: u16 = 0x508;

const READ: u32 = 0;
const PROGRAM: u32 = 1;
const ERASE: u32 = 2;

const PAGE: u32 = 1024;
const WORD: usize = 4;

/// The flash, from address 0 on.
pub struct Flash;

fn inside(offset: u32, len: usize) -> Result<(), NorFlashErrorKind> {
    let fits = u32::try_from(len)
        .is_ok_and(|len| offset.checked_add(len).is_some_and(|end| end <= FLASH_SIZE));
    if fits { Ok(()) } else { Err(NorFlashErrorKind::OutOfBounds) }
}

fn wait() {
    // The bus waits for the controller: this is done at the first look.
    while Nvmc.read(READY) == 0 {}
}

fn in_mode(mode: u32, change: impl FnOnce()) {
    Nvmc.write(MODE, mode);
    wait();
    change();
    wait();
    Nvmc.write(MODE, READ);
    wait();
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        inside(offset, bytes.len())?;
        let start = with_exposed_provenance::<u8>(offset as usize);
        for (index, byte) in bytes.iter_mut().enumerate() {
            // SAFETY: within the flash, which is memory of nobody's. Volatile: it changes.
            *byte = unsafe { start.wrapping_add(index).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        FLASH_SIZE as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        if !from.is_multiple_of(PAGE) || !to.is_multiple_of(PAGE) || from > to {
            return Err(NorFlashErrorKind::NotAligned);
        }
        inside(from, (to - from) as usize)?;
        for page in (from..to).step_by(PAGE as usize) {
            in_mode(ERASE, || Nvmc.write(ERASE_PAGE, page));
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        inside(offset, bytes.len())?;
        let (words, rest) = bytes.as_chunks::<WORD>();
        if !offset.is_multiple_of(WORD as u32) || !rest.is_empty() {
            return Err(NorFlashErrorKind::NotAligned);
        }
        let start = with_exposed_provenance_mut::<u32>(offset as usize);
        in_mode(PROGRAM, || {
            for (index, word) in words.iter().enumerate() {
                // SAFETY: within the flash, aligned; the controller makes it a program of that
                // word. The caller says that nothing is there that runs.
                unsafe { start.wrapping_add(index).write_volatile(u32::from_le_bytes(*word)) };
                wait();
            }
        });
        Ok(())
    }
}
