//! The journal in flash: opening, beginning, appending, taking back.

use super::{
    EVENTS, Event, HEADER_LEN, LOG, PROOF_LEN, Proof, Record, event_stride, marks,
    record::EVENT_LEN,
};
use crate::{
    error::Failure,
    flash,
    layout::{Layout, Region},
};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

/// The journal of a device.
#[derive(Debug)]
pub struct Journal {
    layout: Layout,
    /// Which half is active, and its record.
    active: Option<Active>,
}

#[derive(Debug)]
struct Active {
    half: u32,
    sequence: u32,
    record: Record,
    proof: Option<Proof>,
    /// The last event, and the place of the next.
    last: Option<Event>,
    next: u32,
}

#[also_blocking]
impl Journal {
    /// The journal of that layout, not opened yet.
    pub const fn new(layout: Layout) -> Self {
        Journal { layout, active: None }
    }

    /// What was being installed last.
    pub fn record(&self) -> Option<&Record> {
        self.active.as_ref().map(|active| &active.record)
    }

    /// What was proved of it.
    pub fn proof(&self) -> Option<Proof> {
        self.active.as_ref().and_then(|active| active.proof)
    }

    /// The last thing that happened to it.
    pub fn last(&self) -> Option<Event> {
        self.active.as_ref().and_then(|active| active.last)
    }

    /// Where the marks of the active half are.
    pub fn marks(&self) -> Option<Region> {
        let active = self.active.as_ref()?;
        let half = self.half(active.half);
        let at = marks(self.layout.write);
        Some(Region::new(half.offset.checked_add(at)?, half.len.checked_sub(at)?))
    }

    #[inline(never)] // wherever flash is touched
    fn half(&self, half: u32) -> Region {
        let len = self.layout.journal.len / 2;
        Region::new(self.layout.journal.offset.saturating_add(half * len), len)
    }

    /// Finds the active half and reads it.
    ///
    /// # Errors
    /// [`Failure::Read`] where flash cannot be read.
    pub async fn open<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure> {
        self.active = None;
        for half in 0..2 {
            let mut bytes = [0; HEADER_LEN];
            flash::read(flash, self.half(half), 0, &mut bytes).await?;
            self.take_up(half, &bytes);
        }
        let Some(active) = &self.active else { return Ok(()) };
        let (region, sequence) = (self.half(active.half), active.sequence);
        let Some(active) = &mut self.active else { return Ok(()) };

        let mut bytes = [0; PROOF_LEN];
        flash::read(flash, region, HEADER_LEN as u32, &mut bytes).await?;
        active.proof = Proof::from_bytes(&bytes, sequence);
        let (mut last, mut next) = (None, 0);
        for place in 0..EVENTS {
            let mut bytes = [0; EVENT_LEN];
            flash::read(flash, region, LOG + place * event_stride(self.layout.write), &mut bytes)
                .await?;
            if let Some(event) = Event::from_bytes(&bytes, sequence, place) {
                last = Some(event);
            }
            if bytes.iter().any(|&byte| byte != 0xff) {
                next = place + 1;
            }
        }
        (active.last, active.next) = (last, next);
        Ok(())
    }

    /// Begins a new record: from here on, no block is received and nothing has happened.
    ///
    /// # Errors
    /// What the flash said; the old record is then still the truth.
    pub async fn begin<F: NorFlash>(
        &mut self,
        flash: &mut F,
        record: &Record,
    ) -> Result<(), Failure> {
        let (half, sequence) = self.spare();
        flash::erase(flash, self.half(half), self.layout.erase).await?;
        let header = record.to_bytes(sequence);
        flash::program(flash, self.half(half), 0, &header).await?;
        self.take_up(half, &header);
        Ok(())
    }

    /// Makes a half the active one, where its header is whole and none newer is known.
    fn take_up(&mut self, half: u32, header: &[u8; HEADER_LEN]) {
        let Some((sequence, record)) = Record::from_bytes(header) else { return };
        // Sequences differ by one; the comparison wraps with them.
        if let Some(other) = &self.active
            && (sequence.wrapping_sub(other.sequence) as i32) < 0
        {
            return;
        }
        self.active = Some(Active { half, sequence, record, proof: None, last: None, next: 0 });
    }

    fn spare(&self) -> (u32, u32) {
        match &self.active {
            Some(active) => (1 - active.half, active.sequence.wrapping_add(1)),
            None => (0, 1),
        }
    }

    /// Appends an event.
    ///
    /// # Errors
    /// [`Failure::JournalFull`] where there is no room (a device cannot get there but by power
    /// cuts, one place each), or what the flash said.
    pub async fn append<F: NorFlash>(
        &mut self,
        flash: &mut F,
        event: Event,
    ) -> Result<(), Failure> {
        let mut tries = 2;
        loop {
            let Some(active) = &self.active else { return Err(Failure::JournalFull) };
            if active.next >= EVENTS {
                self.renew(flash, 0, 0).await?;
            }
            let Some(active) = &mut self.active else { return Err(Failure::JournalFull) };
            let (half, place, sequence) = (active.half, active.next, active.sequence);
            active.next += 1;
            match self.put(flash, half, sequence, place, event).await {
                Ok(()) => break,
                // A cut can leave a word that reads as erased and yet cannot be programmed again,
                // on flash with error correction: the next place will do.
                Err(why) if tries == 0 => return Err(why),
                Err(_) => tries -= 1,
            }
        }
        if let Some(active) = &mut self.active {
            active.last = Some(event);
        }
        Ok(())
    }

    async fn put<F: NorFlash>(
        &self,
        flash: &mut F,
        half: u32,
        sequence: u32,
        place: u32,
        event: Event,
    ) -> Result<(), Failure> {
        let stride = event_stride(self.layout.write);
        let mut padded = [0xff; 32];
        if let Some(start) = padded.first_chunk_mut() {
            *start = event.to_bytes(sequence, place);
        }
        let padded = padded.get(..stride as usize).unwrap_or_default();
        flash::program(flash, self.half(half), LOG + place * stride, padded).await
    }

    /// Notes what was proved of the image in the slot; once a record.
    ///
    /// # Errors
    /// What the flash said.
    pub async fn prove<F: NorFlash>(
        &mut self,
        flash: &mut F,
        proof: &Proof,
    ) -> Result<(), Failure> {
        if self.proof().as_ref() == Some(proof) {
            return Ok(());
        }
        let at = HEADER_LEN as u32;
        for last in [false, true] {
            let Some(active) = &self.active else { return Err(Failure::JournalFull) };
            let (half, sequence) = (self.half(active.half), active.sequence);
            let mut bytes = [0; PROOF_LEN];
            flash::read(flash, half, at, &mut bytes).await?;
            if bytes.iter().all(|&byte| byte == 0xff) {
                match flash::program(flash, half, at, &proof.to_bytes(sequence)).await {
                    Ok(()) => break,
                    Err(why) if last => return Err(why),
                    Err(_) => {}
                }
            }
            // Torn by a cut: its place cannot be used twice.
            self.renew(flash, 0, 0).await?;
        }
        if let Some(active) = &mut self.active {
            active.proof = Some(*proof);
        }
        Ok(())
    }

    /// Takes back the marks of `count` blocks from `first` on.
    ///
    /// # Errors
    /// What the flash said; the old marks are then still the truth.
    pub fn void<F: NorFlash>(
        &mut self,
        flash: &mut F,
        first: u32,
        count: u32,
    ) -> impl Future<Output = Result<(), Failure>> {
        self.renew(flash, first, count)
    }

    /// Hands the record, with all that was received, to another job.
    ///
    /// # Errors
    /// [`Failure::BadText`] where the name is too long; what the flash said. The old record is
    /// then still the truth.
    pub async fn rename<F: NorFlash>(&mut self, flash: &mut F, job: &str) -> Result<(), Failure> {
        match &mut self.active {
            Some(active) if active.record.job != job => {
                active.record.job = job.try_into().map_err(|_| Failure::BadText)?;
            }
            _ => return Ok(()),
        }
        self.renew(flash, 0, 0).await
    }

    /// Moves to the spare half, without the marks of `count` blocks from `first` on.
    async fn renew<F: NorFlash>(
        &mut self,
        flash: &mut F,
        first: u32,
        count: u32,
    ) -> Result<(), Failure> {
        let Some(active) = &self.active else { return Err(Failure::JournalFull) };
        let (half, sequence) = self.spare();
        let (old, new) = (self.half(active.half), self.half(half));
        flash::erase(flash, new, self.layout.erase).await?;

        let write = self.layout.write;
        let blocks = active.record.size.div_ceil(active.record.block.max(1));
        for block in 0..blocks {
            if block >= first && block - first < count {
                continue;
            }
            let at = marks(write).saturating_add(block.saturating_mul(write));
            let mut mark = [0; 32];
            let mark = mark.get_mut(..write as usize).unwrap_or_default();
            flash::read(flash, old, at, mark).await?;
            if mark.iter().any(|&byte| byte != 0xff) {
                mark.fill(0);
                flash::program(flash, new, at, mark).await?;
            }
        }
        if let Some(proof) = active.proof {
            flash::program(flash, new, HEADER_LEN as u32, &proof.to_bytes(sequence)).await?;
        }
        if let Some(event) = active.last {
            self.put(flash, half, sequence, 0, event).await?;
        }
        flash::program(flash, new, 0, &active.record.to_bytes(sequence)).await?;
        if let Some(active) = &mut self.active {
            (active.half, active.sequence) = (half, sequence);
            active.next = u32::from(active.last.is_some());
        }
        Ok(())
    }
}
