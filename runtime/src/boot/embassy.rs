//! embassy-boot: its state partition.
//!
//! The application's half of embassy-boot's protocol: one magic word asks for the swap, another
//! confirms. The bytes, and the order in which they are written, are those of embassy-boot's
//! `FirmwareState`. One "word" is the flash's write size:
//!
//! ```text
//!   word     0           1              2 …                      2 + 2N …
//!          ┌───────────┬──────────────┬────────────────────────┬───────────────────────┐
//!          │ magic     │ progress is  │ swap: a word of 00 for │ the same for the way  │
//!          │ d0 f0 c0  │ valid (ff)   │ each page copied       │ back                  │
//!          └───────────┴──────────────┴────────────────────────┴───────────────────────┘
//! ```
//!
//! | magic | first progress word | is |
//! |---|---|---|
//! | `f0` | erased | [`Staged`](BootState::Staged) |
//! | `f0` | written, or progress not valid | [`Trial`](BootState::Trial) |
//! | `c0` | | [`Reverted`](BootState::Reverted) |
//! | other, or torn | | [`Settled`](BootState::Settled) |
//!
//! A cut in `confirm`, after "not valid" and before the erase, makes the bootloader say `c0` at
//! the next reset though the new image keeps running: the copies it would undo look done. So
//! `Reverted` is what the bootloader believes; what runs is for the journal's digest to say.

use super::{Boot, BootState};
use crate::{error::Failure, layout::Region, verify::Verified};
use embedded_storage_async::nor_flash::NorFlash;

const ERASED: u8 = 0xff;
const BOOT: u8 = 0xd0;
const SWAP: u8 = 0xf0;
const REVERT: u8 = 0xc0;

/// Largest write size.
const WORD_MAX: usize = 32;

/// The adapter for one state partition, which starts and ends at erase units. It is for
/// embassy-boot as it is by default, on flash that erases to ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbassyBoot {
    state: Region,
}

impl EmbassyBoot {
    /// The partition that the bootloader calls `STATE`.
    pub const fn new(state: Region) -> Self {
        EmbassyBoot { state }
    }

    /// Whether every byte of the word of that number is `value`.
    async fn is<F: NorFlash>(&self, flash: &mut F, word: u32, value: u8) -> Result<bool, Failure> {
        let mut buffer = [0; WORD_MAX];
        let (at, bytes) = self.word::<F>(word, &mut buffer)?;
        flash.read(at, bytes).await.map_err(|_| Failure::Read)?;
        Ok(bytes.iter().all(|byte| *byte == value))
    }

    async fn write<F: NorFlash>(&self, flash: &mut F, word: u32, value: u8) -> Result<(), Failure> {
        let mut buffer = [value; WORD_MAX];
        let (at, bytes) = self.word::<F>(word, &mut buffer)?;
        flash.write(at, bytes).await.map_err(|_| Failure::Program)
    }

    /// Where a word is on the flash, and as much of `buffer` as it is long.
    fn word<'b, F: NorFlash>(
        &self,
        word: u32,
        buffer: &'b mut [u8; WORD_MAX],
    ) -> Result<(u32, &'b mut [u8]), Failure> {
        let size = u32::try_from(F::WRITE_SIZE).ok();
        let at = size.and_then(|size| self.state.at(word.checked_mul(size)?, size));
        at.zip(buffer.get_mut(..F::WRITE_SIZE)).ok_or(Failure::Misconfigured)
    }

    /// Whether the bootloader's progress words say that nothing was swapped yet.
    async fn is_untouched<F: NorFlash>(&self, flash: &mut F) -> Result<bool, Failure> {
        Ok(self.is(flash, 1, ERASED).await? && self.is(flash, 2, ERASED).await?)
    }

    async fn set<F: NorFlash>(&self, flash: &mut F, magic: u8) -> Result<(), Failure> {
        if self.is(flash, 0, magic).await? {
            return Ok(());
        }
        // First: an erase that is cut must not leave the old magic with half the progress.
        // Where a word that was torn before refuses, the erase is the cure.
        if self.is(flash, 1, ERASED).await? {
            let _refused = self.write(flash, 1, !ERASED).await;
        }
        let end = self.state.end();
        flash.erase(self.state.offset, end).await.map_err(|_| Failure::Erase)?;
        self.write(flash, 0, magic).await
    }
}

impl Boot for EmbassyBoot {
    async fn state<F: NorFlash>(&mut self, flash: &mut F) -> Result<BootState, Failure> {
        Ok(if self.is(flash, 0, SWAP).await? {
            if self.is_untouched(flash).await? { BootState::Staged } else { BootState::Trial }
        } else if self.is(flash, 0, REVERT).await? {
            BootState::Reverted
        } else {
            BootState::Settled
        })
    }

    /// Fails with [`Failure::Stage`] during a trial: the bootloader would take it for a swap that
    /// is over, and go back instead.
    async fn stage<F: NorFlash>(&mut self, flash: &mut F, _: Verified) -> Result<(), Failure> {
        if self.state(flash).await? == BootState::Trial {
            return Err(Failure::Stage);
        }
        self.set(flash, SWAP).await?;
        let staged = self.is(flash, 0, SWAP).await?;
        if staged { Ok(()) } else { Err(Failure::Stage) }
    }

    async fn confirm<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure> {
        // `Reverted` too, as embassy-boot's own `mark_booted`; but a staged image stays staged.
        if !matches!(self.state(flash).await?, BootState::Trial | BootState::Reverted) {
            return Ok(());
        }
        self.set(flash, BOOT).await?;
        let confirmed = self.is(flash, 0, BOOT).await?;
        if confirmed { Ok(()) } else { Err(Failure::Confirm) }
    }
}
