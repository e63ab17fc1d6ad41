//! The flash: an S25FL128S, 16 MiB in erase units of 64 KiB, programmed in pages of 256 bytes.
//! Any byte can be programmed, again and again: bits only go from one to zero.
//!
//! An erase takes the chip up to 0.65 s, a page 0.75 ms; meanwhile its status says that it is busy.
//! The async half lets everything else run until the next look, the blocking half sleeps.

use crate::spi::{COMMAND_MAX, Spi};
use crate::time;
use embassy_time::Timer;
use embedded_storage::nor_flash::{self as blocking, NorFlashError, NorFlashErrorKind};
use embedded_storage_async::nor_flash as asynch;

const READ_STATUS: u8 = 0x05;
const WRITE_ENABLE: u8 = 0x06;
const CLEAR_STATUS: u8 = 0x30;
const READ: u8 = 0x03;
const PROGRAM: u8 = 0x02;
const ERASE: u8 = 0xd8;

/// Bits of the status: an erase or a program is under way, or has failed.
const BUSY: u8 = 1 << 0;
const ERASE_FAILED: u8 = 1 << 5;
const PROGRAM_FAILED: u8 = 1 << 6;

const SIZE: u32 = 16 << 20;
const UNIT: u32 = 64 << 10;
const PAGE: u32 = 256;
/// Between two looks at the status, and how many looks are enough.
const LOOK_MS: u32 = 1;
const LOOKS: u32 = 3000;

/// The flash chip.
pub struct Nor {
    spi: Spi,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NorError {
    /// Not whole erase units, or outside of the chip.
    Range(NorFlashErrorKind),
    /// The chip says that it could not.
    Failed,
    /// The chip stayed busy for longer than it may.
    Late,
}

impl NorFlashError for NorError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            NorError::Range(kind) => *kind,
            NorError::Failed | NorError::Late => NorFlashErrorKind::Other,
        }
    }
}

impl Nor {
    pub(crate) fn new(spi: Spi) -> Self {
        Nor { spi }
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        inside(offset, bytes.len())?;
        let mut at = offset;
        for part in bytes.chunks_mut(COMMAND_MAX - 4) {
            self.spi.transfer(&command(READ, at), &[], part);
            at += part.len() as u32;
        }
        Ok(())
    }

    /// Starts to change the chip; it is then busy.
    fn begin(&mut self, what: u8, at: u32, data: &[u8]) {
        self.spi.transfer(&[WRITE_ENABLE], &[], &mut []);
        self.spi.transfer(&command(what, at), data, &mut []);
    }

    /// Whether the change is done.
    fn look(&mut self) -> Result<bool, NorError> {
        let mut status = [0];
        self.spi.transfer(&[READ_STATUS], &[], &mut status);
        let [status] = status;
        if status & (ERASE_FAILED | PROGRAM_FAILED) != 0 {
            self.spi.transfer(&[CLEAR_STATUS], &[], &mut []);
            return Err(NorError::Failed);
        }
        Ok(status & BUSY == 0)
    }

    fn wait(&mut self) -> Result<(), NorError> {
        for _ in 0..LOOKS {
            if self.look()? {
                return Ok(());
            }
            time::sleep_ms(LOOK_MS);
        }
        Err(NorError::Late)
    }

    async fn wait_async(&mut self) -> Result<(), NorError> {
        for _ in 0..LOOKS {
            if self.look()? {
                return Ok(());
            }
            Timer::after_millis(LOOK_MS.into()).await;
        }
        Err(NorError::Late)
    }
}

fn command(what: u8, at: u32) -> [u8; 4] {
    let [_, a2, a1, a0] = at.to_be_bytes();
    [what, a2, a1, a0]
}

fn inside(offset: u32, len: usize) -> Result<(), NorError> {
    let fits = u32::try_from(len).is_ok_and(|len| offset <= SIZE && len <= SIZE - offset);
    if fits { Ok(()) } else { Err(NorError::Range(NorFlashErrorKind::OutOfBounds)) }
}

/// The erase units from one address to another.
fn units(from: u32, to: u32) -> Result<impl Iterator<Item = u32>, NorError> {
    if !from.is_multiple_of(UNIT) || !to.is_multiple_of(UNIT) || from > to {
        return Err(NorError::Range(NorFlashErrorKind::NotAligned));
    }
    inside(from, (to - from) as usize)?;
    Ok((from..to).step_by(UNIT as usize))
}

/// The parts of `bytes` that lie in one page each, with their addresses.
fn pages(offset: u32, bytes: &[u8]) -> Result<impl Iterator<Item = (u32, &[u8])>, NorError> {
    inside(offset, bytes.len())?;
    let (mut at, mut rest) = (offset, bytes);
    Ok(core::iter::from_fn(move || {
        let room = (PAGE - at % PAGE) as usize;
        let (part, behind) = rest.split_at_checked(room).unwrap_or((rest, &[]));
        let from = at;
        at += part.len() as u32;
        rest = behind;
        (!part.is_empty()).then_some((from, part))
    }))
}

impl blocking::ErrorType for Nor {
    type Error = NorError;
}

impl blocking::ReadNorFlash for Nor {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        Nor::read(self, offset, bytes)
    }
    fn capacity(&self) -> usize {
        SIZE as usize
    }
}

impl blocking::NorFlash for Nor {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = UNIT as usize;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        for unit in units(from, to)? {
            self.begin(ERASE, unit, &[]);
            self.wait()?;
        }
        Ok(())
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        for (at, part) in pages(offset, bytes)? {
            self.begin(PROGRAM, at, part);
            self.wait()?;
        }
        Ok(())
    }
}

impl asynch::ReadNorFlash for Nor {
    const READ_SIZE: usize = 1;
    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        Nor::read(self, offset, bytes)
    }
    fn capacity(&self) -> usize {
        SIZE as usize
    }
}

impl asynch::NorFlash for Nor {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = UNIT as usize;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        for unit in units(from, to)? {
            self.begin(ERASE, unit, &[]);
            self.wait_async().await?;
        }
        Ok(())
    }
    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        for (at, part) in pages(offset, bytes)? {
            self.begin(PROGRAM, at, part);
            self.wait_async().await?;
        }
        Ok(())
    }
}
