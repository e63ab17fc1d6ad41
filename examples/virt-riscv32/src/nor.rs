//! The NOR flash: two 16-bit chips side by side as one of 32 bits, with Intel's command set (CFI 0001).
//! Erased in units of 256 KiB, 128 KiB in each chip; programmed in words of 4 bytes.
//!
//! The processor runs the code in it. While the chips are told something or are busy they give
//! their status in place of what they hold, so [`change`] runs from RAM, and calls nothing.
#![allow(unsafe_code)]

use crate::register::Block::Clint;
use crate::time::{COMPARE, COUNT, PER_MS};
use core::arch::naked_asm;
use core::ops::Range;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use riscv::register::mie;

/// Where it is, from ota.toml.
use crate::ota::{FLASH_ADDRESS, FLASH_SIZE};

/// The same for both chips.
const fn both(word: u32) -> u32 {
    word << 16 | word
}

const ERASE: u32 = both(0x20);
const PROGRAM_WORD: u32 = both(0x40);
const PROGRAM_BUFFER: u32 = both(0xe8);
const CONFIRM: u32 = both(0xd0);
const CLEAR_STATUS: u32 = both(0x50);
const READ_ARRAY: u32 = both(0xff);
/// Bits of the status.
const READY: u32 = both(1 << 7);
const ERASE_FAILED: u32 = both(1 << 5);
const PROGRAM_FAILED: u32 = both(1 << 4);

const UNIT: u32 = 256 << 10;
const WORD: u32 = 4;
/// Words that are programmed at once: the chips' buffers hold twice as many.
const BUFFER: usize = 256;
/// Milliseconds that an erase may take.
const PATIENCE_MS: u32 = 5000;

/// The flash chips.
pub struct Nor(());

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NorError {
    /// Not whole erase units or words, or outside of the chips.
    Range(NorFlashErrorKind),
    /// A chip says that it could not.
    Failed,
    /// A chip stayed busy for longer than it may.
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
    pub(crate) fn new() -> Self {
        Nor(())
    }

    /// Has the chips do something at an address inside of them.
    fn run(
        &mut self,
        at: u32,
        what: u32,
        count: u32,
        data: &[u32],
        confirm: u32,
    ) -> Result<(), NorError> {
        let chips = with_exposed_provenance_mut((FLASH_ADDRESS + at) as usize);
        // SAFETY: masked as they are, interrupts only end a `wfi`; those of devices would end it in vain.
        unsafe { mie::clear_mext() };
        // SAFETY: the address is in the chips, as the callers have seen, and `data` in RAM, for it
        // is on their stacks. Nobody holds a reference into the chips: they are lent out by copy.
        let status =
            unsafe { change(chips, what, count, data.as_ptr(), data.len(), confirm, PATIENCE_MS) };
        // SAFETY: as above.
        unsafe { mie::set_mext() };
        match status {
            _ if status & (ERASE_FAILED | PROGRAM_FAILED) != 0 => Err(NorError::Failed),
            _ if status & READY != READY => Err(NorError::Late),
            _ => Ok(()),
        }
    }
}

/// Tells the chips `what` (and `count`, unless it is 0), gives them the words of `data` from `at` on, tells
/// them `confirm`, unless it is 0, and waits until both are ready, a millisecond's sleep at a time.
/// Gives their status, and makes them readable again.
///
/// In assembly, so that it calls nothing and reads no constant: both would be in the flash.
///
/// # Safety
/// `at` is a word of the chips, `data` that many words in RAM: what is in the chips cannot be read meanwhile.
#[unsafe(naked)]
#[unsafe(link_section = ".data.nor")]
unsafe extern "C" fn change(
    at: *mut u32,
    what: u32,
    count: u32,
    data: *const u32,
    words: usize,
    confirm: u32,
    patience_ms: u32,
) -> u32 {
    naked_asm!(
        "   sw   a1, 0(a0)
            beqz a2, 1f
            sw   a2, 0(a0)
        1:  mv   t0, a0
        2:  beqz a4, 3f
            lw   t1, 0(a3)
            sw   t1, 0(t0)
            addi a3, a3, 4
            addi t0, t0, 4
            addi a4, a4, -1
            j    2b
        3:  beqz a5, 4f
            sw   a5, 0(a0)
        4:  li   t3, {ready}
            lw   t0, 0(a0)
            and  t1, t0, t3
            beq  t1, t3, 5f
            beqz a6, 5f
            addi a6, a6, -1
            li   t1, {count}
            lw   t2, 4(t1)
            lw   t3, 0(t1)
            li   t1, {per_ms}
            add  t3, t3, t1
            li   t1, {compare}
            li   t4, -1
            sw   t4, 4(t1)
            sw   t3, 0(t1)
            sw   t2, 4(t1)
            wfi
            j    4b
        5:  li   t1, {clear}
            sw   t1, 0(a0)
            li   t1, {array}
            sw   t1, 0(a0)
            fence
            mv   a0, t0
            ret",
        ready = const READY,
        count = const Clint as u32 + COUNT,
        compare = const Clint as u32 + COMPARE,
        per_ms = const PER_MS,
        clear = const CLEAR_STATUS,
        array = const READ_ARRAY,
    )
}

/// The bytes in the chips that these are.
fn inside(offset: u32, len: usize) -> Result<Range<u32>, NorError> {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    match offset <= FLASH_SIZE && len <= FLASH_SIZE - offset {
        true => Ok(offset..offset + len),
        false => Err(NorError::Range(NorFlashErrorKind::OutOfBounds)),
    }
}

fn aligned(range: &Range<u32>, unit: u32) -> Result<(), NorError> {
    match range.start.is_multiple_of(unit) && range.end.is_multiple_of(unit) {
        true => Ok(()),
        false => Err(NorError::Range(NorFlashErrorKind::NotAligned)),
    }
}

impl ErrorType for Nor {
    type Error = NorError;
}

impl ReadNorFlash for Nor {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        let range = inside(offset, bytes.len())?;
        let chips = with_exposed_provenance::<u8>((FLASH_ADDRESS + range.start) as usize);
        // SAFETY: inside the chips, which are readable whenever code in them runs; `bytes` is RAM.
        unsafe { chips.copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    fn capacity(&self) -> usize {
        FLASH_SIZE as usize
    }
}

impl NorFlash for Nor {
    const WRITE_SIZE: usize = WORD as usize;
    const ERASE_SIZE: usize = UNIT as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        let range = inside(from, to.wrapping_sub(from) as usize)?;
        aligned(&range, UNIT)?;
        range.step_by(UNIT as usize).try_for_each(|unit| self.run(unit, ERASE, 0, &[], CONFIRM))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        let range = inside(offset, bytes.len())?;
        aligned(&range, WORD)?;
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            // No further than the chips' buffers reach.
            let room = BUFFER - (at / WORD) as usize % BUFFER;
            let (part, behind) = rest.split_at_checked(room * WORD as usize).unwrap_or((rest, &[]));
            // In RAM: what is to be written could be a constant, and so in the flash.
            let mut buffer = [0; BUFFER];
            let words = part.as_chunks::<{ WORD as usize }>().0;
            buffer
                .iter_mut()
                .zip(words)
                .for_each(|(word, bytes)| *word = u32::from_le_bytes(*bytes));
            let words = buffer.get(..words.len()).unwrap_or_default();
            match words.len() {
                // Some chips abort when their buffer is to program one word.
                1 => self.run(at, PROGRAM_WORD, 0, words, 0)?,
                count => self.run(at, PROGRAM_BUFFER, both(count as u32 - 1), words, CONFIRM)?,
            }
            at += part.len() as u32;
            rest = behind;
        }
        Ok(())
    }
}
