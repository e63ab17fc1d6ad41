//! The store: plugin files in flash, one for each slot, exchanged whole.
//!
//! # What it promises
//! After a power cut at any flash operation, torn or clean, [`Store::open`] finds for each slot what
//! it held before, or what it was to hold: never nothing, never half of it. What a slot held last,
//! it remembers for ever, removed or not: the version floor against rollbacks.
//!
//! # Definitions
//! `N + 1` equal cells of whole erase units, for `N` slots. A cell that holds the newest record of a
//! slot belongs to it; the first that belongs to none is **spare**: the next file is written there.
//! ```text
//! cell   0                                       len - 480                              len
//!        ├───────────────────────────┬───────────┼──────────┬──────────┬─────┬──────────┤
//!        │ file, from its first byte │ ff        │ record 0 │ record 1 │  …  │ record 4 │
//!        └───────────────────────────┴───────────┴──────────┴──────────┴─────┴──────────┘
//!
//! record 0  sequence u32              12 slot       16 version (8)         88 seal (8)
//!        4  length of the file u32    13 state      24 fingerprint (32)
//!        8  length of the cell u32    14 ff (2)     56 digest (32)
//!
//! state  1 active   2 disabled   3 removed
//! ```
//! Numbers are little-endian. A record is 96 bytes, which is whole write units of 1 to 32 bytes. Its
//! seal is the first 8 bytes of the SHA-256 of `'S'`, the offset of the record in flash as a u32,
//! and the 88 bytes before it; so a record counts only where it was written.
//!
//! # Implementation
//! - Of a slot's sealed records the one with the highest sequence is the truth. Sequences of a slot
//!   are counted up by one and compared as they wrap; flash wears out long before two of them are
//!   2^31 apart.
//! - [`Store::prepare`], before a file is downloaded to the spare cell, erases the units with
//!   records, where a sealed one is left there. The download erases each unit that it writes to,
//!   before it does.
//! - [`Store::commit`] erases the units behind the file, then programs a record at the first place
//!   that is blank, with no programmed one behind it. That makes the cell the slot's; its old cell
//!   is spare.
//! - [`Store::set_state`] appends a record to the slot's own cell. When all five places are used, it
//!   copies the file to the spare cell and commits it there.
//! - A record is read back before it counts. One that was torn is passed over.
//!
//! # Why it holds
//! No word is programmed twice between erases, so flash with error correction will do. The cell with
//! a slot's newest record is never erased: only the spare one is, and it belongs to no slot. So a
//! cut before a record is sealed leaves the old truth untouched, and after it the new record is the
//! truth, whose file was whole before its first byte was programmed. What is left of older
//! records, in the spare cell or half erased there, is outdone by a higher sequence elsewhere, and is
//! gone before a file of another slot is written beside it.
//!
//! A record never stands on words of which an erase was interrupted, though they may read as blank:
//! units behind the file are erased in `commit` itself, and one that holds file and records was
//! erased by the download, which calls no block received before (see [`journal`](crate::journal)).

mod edit;
mod record;

pub use record::{Entry, File, State};

use crate::{error::Failure, flash, layout::Region, version::Version};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;
use record::RECORD_LEN;

/// Records that a cell has room for.
const PLACES: u32 = 5;
/// Bytes at the end of a cell that are not for the file.
pub const RECORDS_LEN: u32 = PLACES * RECORD_LEN as u32;

/// Where a store is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Spec {
    /// Where its cells are, one for each slot and a spare one.
    pub region: Region,
    /// Length of a cell: whole erase units.
    pub cell: u32,
    /// Smallest unit of programming: 1, 2, 4, 8, 16 or 32.
    pub write: u32,
    /// Unit of erasing: a multiple of 32.
    pub erase: u32,
}

impl Spec {
    /// Whether that many slots fit.
    const fn is_sound(&self, slots: usize) -> bool {
        // The largest write unit: what holds for it holds for those that divide it.
        const ALIGNED: u32 = 32;
        let Spec { region, cell, write, erase } = *self;
        // Slots are numbered in a byte.
        if slots > 255 {
            return false;
        }
        let Some(cells) = (slots as u32 + 1).checked_mul(cell) else { return false };
        write.is_power_of_two()
            && write <= ALIGNED
            && erase > 0
            && erase.is_multiple_of(ALIGNED)
            && cell.is_multiple_of(erase)
            && cell > RECORDS_LEN
            && region.offset.is_multiple_of(erase)
            && region.offset.checked_add(region.len).is_some()
            && cells <= region.len
    }
}

/// The files of `SLOTS` plugins.
#[derive(Clone, Debug)]
pub struct Store<const SLOTS: usize> {
    spec: Spec,
    entries: [Option<Entry>; SLOTS],
}

#[also_blocking]
impl<const SLOTS: usize> Store<SLOTS> {
    /// The store of that place, not opened yet.
    pub const fn new(spec: Spec) -> Self {
        Store { spec, entries: [None; SLOTS] }
    }

    /// Finds what each slot holds.
    ///
    /// # Errors
    /// [`Failure::Misconfigured`] where the cells do not fit or are not aligned;
    /// [`Failure::Read`] where flash cannot be read.
    pub async fn open<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure> {
        self.entries = [None; SLOTS];
        if !self.spec.is_sound(SLOTS) {
            return Err(Failure::Misconfigured);
        }
        let mut entries = [None; SLOTS];
        for cell in 0..=SLOTS as u32 {
            for place in 0..PLACES {
                let bytes = self.record(flash, cell, place).await?;
                let Some((slot, entry)) = self.entry_of(&bytes, cell, place) else { continue };
                let Some(newest) = entries.get_mut(usize::from(slot)) else { continue };
                if newest.is_none_or(|newest: Entry| entry.is_newer_than(&newest)) {
                    *newest = Some(entry);
                }
            }
        }
        self.entries = entries;
        Ok(())
    }

    /// What `slot` holds, or held until it was removed; `None`: nothing ever.
    pub fn entry(&self, slot: u8) -> Option<&Entry> {
        self.entries.get(usize::from(slot))?.as_ref()
    }

    /// The slot that holds the file of that fingerprint, active or disabled.
    pub fn find(&self, fingerprint: &[u8; 32]) -> Option<u8> {
        (0..).zip(&self.entries).find_map(|(slot, entry)| {
            let entry = entry.as_ref()?;
            let held = entry.state != State::Removed && entry.file.fingerprint == *fingerprint;
            held.then_some(slot)
        })
    }

    /// The version that a file for `slot` must be newer than: that of the last file it was given,
    /// whatever became of it.
    pub fn floor(&self, slot: u8) -> Option<Version> {
        self.entry(slot).map(|entry| entry.file.version)
    }

    /// The bytes of the file in `slot`, active or disabled.
    pub fn file_region(&self, slot: u8) -> Option<Region> {
        let entry = self.entry(slot)?;
        let cell = self.cell(u32::from(entry.cell));
        (entry.state != State::Removed).then_some(Region { len: entry.file.size, ..cell })
    }

    /// Where the next file is to be written, from the first byte on: a cell, of which
    /// [`capacity`](Self::capacity) bytes are for the file. It is another one after each `commit`,
    /// and may be after `set_state`; what was written to it is then lost.
    pub fn spare(&self) -> Region {
        self.cell(self.spare_cell())
    }

    /// The longest file in bytes.
    pub const fn capacity(&self) -> u32 {
        self.spec.cell.saturating_sub(RECORDS_LEN)
    }

    fn cell(&self, cell: u32) -> Region {
        let at = self.spec.region.offset.saturating_add(cell.saturating_mul(self.spec.cell));
        Region::new(at, self.spec.cell)
    }

    /// There are more cells than slots, so one belongs to none.
    fn spare_cell(&self) -> u32 {
        let held = |cell: u32| self.entries.iter().flatten().any(|own| u32::from(own.cell) == cell);
        (0..SLOTS as u32).find(|cell| !held(*cell)).unwrap_or(SLOTS as u32)
    }

    /// Offset in a cell of the record at `place`.
    const fn place(&self, place: u32) -> u32 {
        self.capacity().saturating_add(place * RECORD_LEN as u32)
    }

    async fn record<F: NorFlash>(
        &self,
        flash: &mut F,
        cell: u32,
        place: u32,
    ) -> Result<[u8; RECORD_LEN], Failure> {
        let mut bytes = [0; RECORD_LEN];
        flash::read(flash, self.cell(cell), self.place(place), &mut bytes).await?;
        Ok(bytes)
    }

    /// The slot and what it holds, where a sealed record of this cell says so.
    fn entry_of(&self, bytes: &[u8; RECORD_LEN], cell: u32, place: u32) -> Option<(u8, Entry)> {
        if is_blank(bytes) {
            return None; // as most are: no hash is needed for that
        }
        let at = self.cell(cell).at(self.place(place), RECORD_LEN as u32)?;
        let (slot, len, entry) = Entry::from_bytes(bytes, at, u8::try_from(cell).ok()?)?;
        let fits = len == self.spec.cell && (1..=self.capacity()).contains(&entry.file.size);
        fits.then_some((slot, entry))
    }
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0xff)
}
