//! What the cuts of all bootloaders have in common: images that can be told from rubbish, and the
//! loop over cuts.

use coreota::sim::bootloader::{BootError, Booted, Bootloader};
use coreota::sim::nor::{Count, Fuse, NorError, Rewrite, SimNor, Tear};
use sha2::{Digest, Sha256};
use std::fmt::Debug;

/// An MCUboot image of `len` bytes whose only TLV is its SHA-256; `fill` tells one from another.
/// The hash stands for the signatures, so that a damaged image is noticed.
pub(crate) fn image(len: usize, fill: u8) -> Vec<u8> {
    const HEADER: usize = 32;
    const TLVS: usize = 4 + 4 + 32;
    let payload = len - HEADER - TLVS;
    let mut image = Vec::new();
    image.extend(0x96f3_b83d_u32.to_le_bytes());
    image.extend([0; 4]);
    image.extend((HEADER as u32).to_le_bytes());
    image.extend((payload as u32).to_le_bytes());
    image.resize(HEADER, 0);
    image.extend((0..payload).map(|n| fill ^ (n * n / 7) as u8));
    let hash = Sha256::digest(&image);
    image.extend([0x07, 0x69, TLVS as u8, 0, 0x10, 0, 32, 0]);
    image.extend(hash);
    image
}

/// Whether an image, perhaps with erased flash behind it, is whole.
pub(crate) fn authentic(image: &[u8]) -> bool {
    let len = image.get(12..16).map(|len| u32::from_le_bytes(len.try_into().unwrap()) as usize);
    let Some((body, tlvs)) = len.and_then(|len| image.split_at_checked(len.checked_add(32)?))
    else {
        return false;
    };
    tlvs.get(8..40).is_some_and(|hash| *hash == *Sha256::digest(body))
}

/// A flash with these images at these places.
pub(crate) fn flash<const W: usize, const E: usize>(
    size: usize,
    images: &[(u32, &[u8])],
    rewrite: Rewrite,
) -> SimNor<W, E> {
    let mut nor = SimNor::new(size).with_rewrite(rewrite);
    images.iter().for_each(|(at, image)| nor.place(*at, image).unwrap());
    nor
}

/// Boots, and says whether the power held.
pub(crate) fn boot<const W: usize, const E: usize>(
    loader: &impl Bootloader,
    nor: &mut SimNor<W, E>,
) -> Result<Booted, BootError> {
    loader.boot(nor, &mut |image| authentic(image))
}

/// Boots with power.
pub(crate) fn boots<const W: usize, const E: usize>(
    loader: &impl Bootloader,
    nor: &mut SimNor<W, E>,
) -> Booted {
    boot(loader, nor).expect("an authentic image runs")
}

/// Does `act` on forks of `start`, cut at each of its operations in each tear mode, and hands
/// what the cut left, powered again, to `look`. Gives the number of cuts.
pub(crate) fn each_cut<const W: usize, const E: usize, T, F: Debug>(
    start: &SimNor<W, E>,
    count: Count,
    mut act: impl FnMut(&mut SimNor<W, E>) -> Result<T, F>,
    mut look: impl FnMut(&mut SimNor<W, E>, u64, Tear),
) -> u64 {
    let mut whole = start.clone();
    act(&mut whole).expect("nothing is cut");
    let operations = whole.counts().operations(count) - start.counts().operations(count);
    for (after, tear) in (0..operations).flat_map(|k| Tear::ALL.map(|tear| (k, tear))) {
        let mut nor = start.clone().with_seed(after << 8 | tear as u64);
        nor.arm(Some(Fuse { after, count, tear }));
        assert!(act(&mut nor).is_err(), "the cut at operation {after} was not noticed");
        assert!(!nor.is_powered());
        nor.power_on();
        look(&mut nor, after, tear);
    }
    operations * Tear::ALL.len() as u64
}

/// The error of a boot that was cut.
pub(crate) const CUT: BootError = BootError::Flash(NorError::PowerLost);
