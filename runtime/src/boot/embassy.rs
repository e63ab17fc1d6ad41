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
use crate::{blocking::FlashBlocking as _, error::Failure, layout::Region, verify::Verified};
use coreota_macros::also_blocking;
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

#[also_blocking]
impl EmbassyBoot {
    /// The partition that the bootloader calls `STATE`.
    pub const fn new(state: Region) -> Self {
        EmbassyBoot { state }
    }

    /// Reads the words that decide.
    async fn look<F: NorFlash>(&self, flash: &mut F) -> Result<Words, Failure> {
        let mut buffer = [0; 3 * WORD_MAX];
        let bytes = buffer.get_mut(..3 * F::WRITE_SIZE).ok_or(Failure::Misconfigured)?;
        let at = self.place(0, bytes.len())?;
        flash.read(at, bytes).await.map_err(|_| Failure::Read)?;
        let mut words = bytes.chunks_exact(F::WRITE_SIZE).map(uniform);
        let mut next = || words.next().flatten();
        Ok(Words { magic: next(), valid: next(), progress: next() })
    }

    async fn write<F: NorFlash>(&self, flash: &mut F, word: u32, value: u8) -> Result<(), Failure> {
        let buffer = [value; WORD_MAX];
        let bytes = buffer.get(..F::WRITE_SIZE).ok_or(Failure::Misconfigured)?;
        let at = self.place(word, bytes.len())?;
        flash.write(at, bytes).await.map_err(|_| Failure::Program)
    }

    /// Where `len` bytes are that begin `words` times as far into the partition.
    fn place(&self, words: u32, len: usize) -> Result<u32, Failure> {
        let len = u32::try_from(len).map_err(|_| Failure::Misconfigured)?;
        let offset = words.checked_mul(len).ok_or(Failure::Misconfigured)?;
        self.state.at(offset, len).ok_or(Failure::Misconfigured)
    }

    /// Replaces the magic, and says whether it then is there.
    async fn set<F: NorFlash>(
        &self,
        flash: &mut F,
        before: Words,
        magic: u8,
    ) -> Result<bool, Failure> {
        if before.magic != Some(magic) {
            // First: an erase that is cut must not leave the old magic with half the progress.
            // Where a word that was torn before refuses, the erase is the cure.
            if before.valid == Some(ERASED) {
                let _refused = self.write(flash, 1, !ERASED).await;
            }
            let end = self.state.end();
            flash.erase(self.state.offset, end).await.map_err(|_| Failure::Erase)?;
            self.write(flash, 0, magic).await?;
        }
        Ok(self.look(flash).await?.magic == Some(magic))
    }
}

/// The first three words of the partition, each by the byte it repeats; `None` if it is torn.
#[derive(Clone, Copy)]
struct Words {
    magic: Option<u8>,
    valid: Option<u8>,
    progress: Option<u8>,
}

impl Words {
    fn state(self) -> BootState {
        let untouched = self.valid == Some(ERASED) && self.progress == Some(ERASED);
        match self.magic {
            Some(SWAP) if untouched => BootState::Staged,
            Some(SWAP) => BootState::Trial,
            Some(REVERT) => BootState::Reverted,
            _ => BootState::Settled,
        }
    }
}

fn uniform(word: &[u8]) -> Option<u8> {
    let first = *word.first()?;
    word.iter().all(|byte| *byte == first).then_some(first)
}

#[also_blocking]
impl Boot for EmbassyBoot {
    async fn state<F: NorFlash>(&mut self, flash: &mut F) -> Result<BootState, Failure> {
        Ok(self.look(flash).await?.state())
    }

    /// Fails with [`Failure::Stage`] during a trial: the bootloader would take it for a swap that
    /// is over, and go back instead.
    async fn stage<F: NorFlash>(&mut self, flash: &mut F, _: Verified) -> Result<(), Failure> {
        let before = self.look(flash).await?;
        let staged = before.state() != BootState::Trial && self.set(flash, before, SWAP).await?;
        if staged { Ok(()) } else { Err(Failure::Stage) }
    }

    async fn confirm<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure> {
        let before = self.look(flash).await?;
        // `Reverted` too, as embassy-boot's own `mark_booted`; but a staged image stays staged.
        let confirmed = match before.state() {
            BootState::Trial | BootState::Reverted => self.set(flash, before, BOOT).await?,
            BootState::Settled | BootState::Staged => true,
        };
        if confirmed { Ok(()) } else { Err(Failure::Confirm) }
    }
}
