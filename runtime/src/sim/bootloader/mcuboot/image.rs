//! Finds an MCUboot image in flash and how long it is. Checks lengths only; whether it is
//! authentic, the bootloader's keys say.

use crate::sim::nor::{NorError, SimNor};
use embedded_storage::nor_flash::ReadNorFlash;
use std::vec;
use std::vec::Vec;

/// An image as it lies in a slot.
pub(super) struct Image {
    /// From header to the last TLV.
    pub(super) bytes: Vec<u8>,
    /// Of the TLVs that are not under the hash, with their own header, in bytes.
    pub(super) unprotected: u16,
}

/// The image at `at`, if there is one that ends within `room` bytes.
pub(super) fn find<const W: usize, const E: usize, const R: usize>(
    nor: &mut SimNor<W, E, R>,
    at: u32,
    room: u32,
) -> Result<Option<Image>, NorError> {
    let mut bytes = vec![0; room as usize];
    ReadNorFlash::read(nor, at, &mut bytes)?;
    Ok(measure(&bytes).map(|(len, unprotected)| {
        bytes.truncate(len);
        Image { bytes, unprotected }
    }))
}

/// Whole length and unprotected length. Offsets: MCUboot `docs/design.md`, "Image format".
fn measure(bytes: &[u8]) -> Option<(usize, u16)> {
    let u16_at = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let u32_at = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    if u32_at(0)? != 0x96f3_b83d {
        return None;
    }
    let (header, protected, payload) = (u16_at(8)?, u16_at(10)?, u32_at(12)?);
    let mut end = usize::from(header) + payload as usize;
    if protected > 0 {
        if u16_at(end)? != 0x6908 || u16_at(end + 2)? != protected {
            return None;
        }
        end += usize::from(protected);
    }
    let unprotected = u16_at(end + 2)?;
    if u16_at(end)? != 0x6907 {
        return None;
    }
    end += usize::from(unprotected);
    (end <= bytes.len()).then_some((end, unprotected))
}
