//! Builds what [`formats::Mcuboot`](crate::verify::formats::Mcuboot) reads, and MCUboot boots.

use alloc::vec::Vec;

use super::{About, Signer, Unbuildable, board, number};
use crate::{descriptor::Algorithm, verify::Hash, verify::formats::mcuboot_numbers::*};

/// A signed MCUboot image of `payload`, behind a header of `header` bytes (32 or more; the payload
/// must be linked to start behind it).
///
/// # Errors
/// Where the parts do not fit the format.
pub fn mcuboot(
    payload: &[u8],
    about: &About<'_>,
    header: u16,
    signers: &[Signer],
) -> Result<Vec<u8>, Unbuildable> {
    if payload.is_empty() {
        return Err(Unbuildable::Empty);
    }
    if header < HEADER {
        return Err(Unbuildable::Header);
    }
    let counter = about.counter.map(u32::to_le_bytes);
    let records = [(COUNTER, counter.as_ref().map(<[u8; 4]>::as_slice)), (BOARD, board(about)?)];
    let mut protected = Vec::new();
    for (kind, value) in records {
        if let Some(value) = value {
            entry(&mut protected, kind, value)?;
        }
    }
    let protected = match protected.is_empty() {
        true => protected,
        false => area(PROTECTED, &protected)?,
    };

    let mut image = Vec::new();
    image.extend(MAGIC.to_le_bytes());
    image.extend(0u32.to_le_bytes()); // load address: where it lies
    image.extend(header.to_le_bytes());
    image.extend(number::<u16>(protected.len())?.to_le_bytes());
    image.extend(number::<u32>(payload.len())?.to_le_bytes());
    image.extend(0u32.to_le_bytes()); // flags
    image.extend(about.version.to_bytes());
    image.resize(header.into(), 0);
    image.extend(payload);
    image.extend(protected);

    let hash = Hash::of(&image);
    let mut unprotected = Vec::new();
    entry(&mut unprotected, SHA256, &hash)?;
    for signer in signers {
        entry(&mut unprotected, KEY_HASH, &signer.fingerprint())?;
        let kind = match signer.algorithm() {
            Algorithm::EcdsaP256 => ECDSA,
            Algorithm::Ed25519 => ED25519,
        };
        entry(&mut unprotected, kind, &signer.sign(&hash))?;
    }
    image.extend(area(UNPROTECTED, &unprotected)?);
    number::<u32>(image.len())?;
    Ok(image)
}

fn entry(records: &mut Vec<u8>, kind: u16, value: &[u8]) -> Result<(), Unbuildable> {
    records.extend(kind.to_le_bytes());
    records.extend(number::<u16>(value.len())?.to_le_bytes());
    records.extend(value);
    Ok(())
}

/// The entries behind their info header.
fn area(magic: u16, entries: &[u8]) -> Result<Vec<u8>, Unbuildable> {
    let mut area = Vec::from(magic.to_le_bytes());
    area.extend(number::<u16>(entries.len() + 4)?.to_le_bytes());
    area.extend(entries);
    Ok(area)
}
