//! What changes the store: committing a file, and saying what becomes of one.

use super::{Entry, File, PLACES, RECORD_LEN, State, Store, is_blank};
use crate::{error::Failure, flash, layout::Region};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

/// Bytes copied at once: whole write units of any size.
const CHUNK: usize = 128;

#[also_blocking]
impl<const SLOTS: usize> Store<SLOTS> {
    /// Makes the spare cell ready for a download: no record in it holds any more. It does nothing
    /// where that is so already. A download that is resumed needs it not, and is not harmed by it.
    ///
    /// # Errors
    /// What the flash said.
    pub async fn prepare<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure> {
        let spare = self.spare_cell();
        for place in 0..PLACES {
            let bytes = self.record(flash, spare, place).await?;
            if self.entry_of(&bytes, spare, place).is_some() {
                let records = self.units_from(spare, self.capacity());
                return flash::erase(flash, records, self.spec.erase).await;
            }
        }
        Ok(())
    }

    /// Makes the file in the spare cell that of `slot`, active. Its old cell is spare then. Where
    /// the slot's active file is this one already, nothing is done: so it can be said again by who
    /// does not know whether it was.
    ///
    /// # Errors
    /// [`Failure::NoPlugin`] where there is no such slot; [`Failure::SizeZero`] and
    /// [`Failure::PluginTooLarge`] where there cannot be such a file; [`Failure::JournalFull`]
    /// where power cuts have torn so many records that none can be written without erasing the end
    /// of the file: it is to be downloaded anew. What the flash said. The old file is then still
    /// the slot's.
    pub async fn commit<F: NorFlash>(
        &mut self,
        flash: &mut F,
        slot: u8,
        file: &File,
    ) -> Result<(), Failure> {
        let before = self.entries.get(usize::from(slot)).ok_or(Failure::NoPlugin)?;
        if before.is_some_and(|own| own.state == State::Active && own.file == *file) {
            return Ok(());
        }
        if file.size == 0 {
            return Err(Failure::SizeZero);
        }
        if file.size > self.capacity() {
            return Err(Failure::PluginTooLarge);
        }
        let spare = self.spare_cell();
        flash::erase(flash, self.units_behind(spare, file.size), self.spec.erase).await?;
        self.append(flash, spare, slot, State::Active, file).await
    }

    /// Says what becomes of the file in `slot`. What is removed stays so until another file is
    /// committed.
    ///
    /// The spare cell may be another one afterwards, and what was downloaded to it gone: compare
    /// [`spare`](Self::spare) before and after.
    ///
    /// # Errors
    /// [`Failure::NoPlugin`] where the slot holds no file, unless it is to be removed and was; what
    /// the flash said. The old state is then still the truth.
    pub async fn set_state<F: NorFlash>(
        &mut self,
        flash: &mut F,
        slot: u8,
        state: State,
    ) -> Result<(), Failure> {
        let entry = *self.entry(slot).ok_or(Failure::NoPlugin)?;
        if entry.state == state {
            return Ok(());
        }
        if entry.state == State::Removed {
            return Err(Failure::NoPlugin);
        }
        match self.append(flash, entry.cell.into(), slot, state, &entry.file).await {
            // No place is left, or none that takes it.
            Err(Failure::JournalFull | Failure::Program) => {}
            done => return done,
        }
        let spare = self.spare_cell();
        flash::erase(flash, self.cell(spare), self.spec.erase).await?;
        if state != State::Removed {
            self.copy(flash, entry.cell.into(), spare, entry.file.size).await?;
        }
        self.append(flash, spare, slot, state, &entry.file).await
    }

    /// The erase units of a cell from the one with byte `from` in it to its end.
    fn units_from(&self, cell: u32, from: u32) -> Region {
        let from = from - from.checked_rem(self.spec.erase).unwrap_or(0);
        let cell = self.cell(cell);
        Region::new(cell.offset.saturating_add(from), cell.len.saturating_sub(from))
    }

    /// The erase units of a cell with records, but for the one in which a file of `size` bytes ends.
    fn units_behind(&self, cell: u32, size: u32) -> Region {
        let end = size.checked_next_multiple_of(self.spec.erase.max(1)).unwrap_or(u32::MAX);
        self.units_from(cell, end.max(self.capacity()).min(self.spec.cell))
    }

    /// Writes a record at the first place of a cell behind all that are used, and believes it.
    async fn append<F: NorFlash>(
        &mut self,
        flash: &mut F,
        cell: u32,
        slot: u8,
        state: State,
        file: &File,
    ) -> Result<(), Failure> {
        let sequence = self.entry(slot).map_or(1, |entry| entry.sequence.wrapping_add(1));
        let number = u8::try_from(cell).map_err(|_| Failure::Misconfigured)?;
        let entry = Entry { cell: number, sequence, state, file: *file };
        let mut next = 0;
        for place in 0..PLACES {
            let bytes = self.record(flash, cell, place).await?;
            if !is_blank(&bytes) {
                next = place + 1;
            }
        }
        let mut failed = Failure::JournalFull;
        for place in next..PLACES {
            let region = self.cell(cell);
            let at = region.at(self.place(place), RECORD_LEN as u32).ok_or(Failure::Bounds)?;
            let bytes = entry.to_bytes(slot, at, self.spec.cell);
            // A cut can leave a word that reads as erased and yet cannot be programmed again, on
            // flash with error correction: the next place will do. And what reads as written is,
            // whatever the flash said.
            let said = flash::program(flash, region, self.place(place), &bytes).await;
            if self.record(flash, cell, place).await? == bytes {
                if let Some(own) = self.entries.get_mut(usize::from(slot)) {
                    *own = Some(entry);
                }
                return Ok(());
            }
            failed = said.err().unwrap_or(Failure::Program);
        }
        Err(failed)
    }

    /// Copies the first `size` bytes of a cell to another, which is erased.
    async fn copy<F: NorFlash>(
        &self,
        flash: &mut F,
        from: u32,
        to: u32,
        size: u32,
    ) -> Result<(), Failure> {
        let write = self.spec.write.max(1);
        let mut at = 0;
        while at < size {
            let mut bytes = [0; CHUNK];
            let len = (size - at).min(CHUNK as u32).next_multiple_of(write);
            let bytes = bytes.get_mut(..len as usize).ok_or(Failure::Bounds)?;
            flash::read(flash, self.cell(from), at, bytes).await?;
            flash::program(flash, self.cell(to), at, bytes).await?;
            at = at.saturating_add(len);
        }
        Ok(())
    }
}
