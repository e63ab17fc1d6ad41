//! Images in flash: how long one is, and whether it may run.

use crate::disk::Disk;
use coreota::error::Failure;
use coreota::layout::Region;
use coreota::verify::formats::Header;
use coreota::verify::{Claim, Next, Proven, Rules, Verified, Verifier};
use embedded_storage::nor_flash::NorFlash;

/// Who says whether an image may run: a verifier, and what it holds an image to.
pub(crate) struct Judge<'a, V> {
    pub(crate) verifier: &'a mut V,
    pub(crate) rules: &'a Rules,
}

/// An image as it lies in a slot; nothing is known of it but its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image {
    /// Where it begins on the flash.
    pub(crate) at: u32,
    /// From header to the last record, in bytes.
    pub(crate) size: u32,
    /// Of the records that are not under the hash, with their own header, in bytes.
    pub(crate) unprotected: u16,
    pub(crate) header: Header,
}

impl<F: NorFlash> Disk<'_, F> {
    /// The image that begins at `offset` of a slot, if one does that also ends there.
    pub(crate) fn image(&mut self, slot: Region, offset: u32) -> Result<Option<Image>, Failure> {
        let Some(at) = slot.at(offset, Header::SIZE as u32) else { return Ok(None) };
        let header = self.peek::<{ Header::SIZE }>(at)?;
        let Ok(header) = Header::read(&header) else { return Ok(None) };
        let records = header.hashed().and_then(|hashed| offset.checked_add(hashed));
        let Some(records) = records.and_then(|records| slot.at(records, 4)) else {
            return Ok(None);
        };
        let Ok(unprotected) = Header::unprotected(&self.peek::<4>(records)?) else {
            return Ok(None);
        };
        let end = records.checked_add(unprotected.into()).filter(|end| *end <= slot.end());
        let size = end.and_then(|end| end.checked_sub(at));
        Ok(size.map(|size| Image { at, size, unprotected, header }))
    }

    /// Has the verifier look at `size` bytes: its verdict, or what the flash said.
    pub(crate) fn judge<V: Verifier>(
        &mut self,
        judge: &mut Judge<'_, V>,
        at: u32,
        size: u32,
    ) -> Result<Result<Verified, Failure>, Failure> {
        let Judge { verifier, rules } = judge;
        let claim = Claim::image(size);
        let mut next = verifier.start(rules, &claim, self.chunk());
        loop {
            next = match next {
                Next::Verdict(Ok(Proven::Image(image))) => return Ok(Ok(image)),
                Next::Verdict(Ok(Proven::Plugin(_))) => return Ok(Err(Failure::Format)),
                Next::Verdict(Err(why)) => return Ok(Err(why)),
                Next::Read { offset, len } => {
                    let at = at.checked_add(offset).ok_or(Failure::Bounds)?;
                    verifier.feed(rules, &claim, self.read(at, len)?)
                }
            };
        }
    }
}
