//! Builds what [`formats::Trailer`](crate::verify::formats::Trailer) reads.

use alloc::vec::Vec;

use super::{About, Signer, Unbuildable, board, number};
use crate::{
    descriptor::Algorithm, plugin::Content, verify::Hash, verify::formats::trailer_numbers::*,
};

/// `payload` with a signed trailer. Without signers the file is authentic only by a detached
/// signature in its job.
///
/// # Errors
/// Where the parts do not fit the format.
pub fn trailer(
    payload: &[u8],
    about: &About<'_>,
    signers: &[Signer],
) -> Result<Vec<u8>, Unbuildable> {
    file(payload, about, Content::Image, &[], signers)
}

/// A file of any content, with records of its own in the manifest: type and value.
pub(super) fn file(
    payload: &[u8],
    about: &About<'_>,
    content: Content,
    own: &[(u16, &[u8])],
    signers: &[Signer],
) -> Result<Vec<u8>, Unbuildable> {
    if payload.is_empty() {
        return Err(Unbuildable::Empty);
    }
    let payload_len: u32 = number(payload.len())?;
    let mut records = Vec::new();
    let board = board(about)?.map(|name| (BOARD, name));
    for (kind, value) in board.into_iter().chain(own.iter().copied()) {
        records.extend(kind.to_le_bytes());
        records.extend(number::<u16>(value.len())?.to_le_bytes());
        records.extend(value);
        pad(&mut records);
    }

    let manifest_len: u16 = number(records.len() + usize::from(MANIFEST))?;
    let mut manifest = Vec::from(MANIFEST_MAGIC);
    manifest.extend(FORMAT.to_le_bytes());
    manifest.extend(manifest_len.to_le_bytes());
    manifest.extend(payload_len.to_le_bytes());
    manifest.extend(about.version.to_bytes());
    manifest.extend(about.counter.unwrap_or(0).to_le_bytes());
    manifest.extend((content as u32).to_le_bytes());
    manifest.extend(Hash::of(payload));
    manifest.extend(records);

    let signed = Hash::of(&manifest);
    let mut signatures = Vec::new();
    for signer in signers {
        let value = signer.sign(&signed);
        let kind = match signer.algorithm() {
            Algorithm::EcdsaP256 => ECDSA,
            Algorithm::Ed25519 => ED25519,
        };
        signatures.extend(kind.to_le_bytes());
        signatures.extend(number::<u16>(value.len())?.to_le_bytes());
        signatures.extend([0; 4]);
        signatures.extend(&signer.fingerprint()[..8]);
        signatures.extend(value);
        pad(&mut signatures);
    }

    let mut file = Vec::from(payload);
    pad(&mut file);
    file.extend(manifest);
    file.extend(&signatures);
    file.extend(manifest_len.to_le_bytes());
    file.extend(number::<u16>(signatures.len())?.to_le_bytes());
    file.extend(payload_len.to_le_bytes());
    file.extend(FOOTER_MAGIC);
    number::<u32>(file.len())?;
    Ok(file)
}

/// Zeros up to a multiple of 8.
fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
}
