//! What an image "does" when it runs here, and how to make one that does it.
//!
//! No code is executed: an image is what its signed bytes say of it (its version), and what the
//! text at the start of its payload says: a line `self-test = fail` makes it a bad one. So any
//! signed image runs here, and passes its self-test, unless it says otherwise.

use std::fmt::Write;

use coreota::verify::{self, Claim, Rules};
use coreota::{Pipeline, Version};

/// MCUboot's `IMAGE_MAGIC`, as it lies in flash.
const MCUBOOT: [u8; 4] = 0x96f3_b83d_u32.to_le_bytes();
/// The last bytes of an image with a trailer.
const TRAILER_END: &[u8] = b"coreotaF";
/// Where the payload's text must be.
const TEXT_MAX: usize = 512;

/// How an image behaves on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Its self-test passes.
    Works,
    /// Its self-test fails.
    FailsSelfTest,
}

/// The image that the bootloader started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Firmware {
    /// From signed bytes.
    pub(crate) version: Version,
    pub(crate) behaviour: Behaviour,
}

impl Firmware {
    /// The firmware in these bytes, if they begin with an authentic image: in a slot more may lie
    /// behind it.
    pub(crate) fn of<P: Pipeline>(bytes: &[u8]) -> Option<Self> {
        Self::judged::<P>(bytes, &P::RULES)
    }

    fn judged<P: Pipeline>(bytes: &[u8], rules: &Rules) -> Option<Self> {
        // What runs was newer than what ran before it; now there is nothing to compare with.
        let rules = Rules { older_allowed: true, counter: 0, ..*rules };
        let verify = |file: &[u8]| {
            let claim = Claim::image(file.len().try_into().ok()?);
            let mut verifier = P::verifier();
            let verified = verify::check(&mut verifier, &rules, &claim, file);
            verified.ok().map(|verified| verified.version())
        };
        // MCUboot knows where its image ends; embassy-boot boots slots.
        let ends = bytes
            .windows(TRAILER_END.len())
            .enumerate()
            .filter(|(_, window)| *window == TRAILER_END)
            .map(|(at, _)| at + TRAILER_END.len());
        let version =
            verify(bytes).or_else(|| ends.into_iter().find_map(|end| verify(bytes.get(..end)?)))?;
        let start = if bytes.starts_with(&MCUBOOT) { header(bytes)? } else { 0 };
        let payload = bytes.get(start..)?;
        let text = String::from_utf8_lossy(payload.get(..TEXT_MAX).unwrap_or(payload));
        let bad = text.lines().any(|line| line.trim() == "self-test = fail");
        let behaviour = if bad { Behaviour::FailsSelfTest } else { Behaviour::Works };
        Some(Firmware { version, behaviour })
    }
}

/// Length of an MCUboot header, as it says.
fn header(image: &[u8]) -> Option<usize> {
    let length = image.get(8..)?.first_chunk()?;
    Some(u16::from_le_bytes(*length).into())
}

/// A payload of `len` bytes: its text, then noise that is the same for the same text.
pub fn payload(version: Version, behaviour: Behaviour, len: usize) -> Vec<u8> {
    let Version { major, minor, revision, .. } = version;
    let mut text =
        format!("firmware for a simulated device\nversion = {major}.{minor}.{revision}\n");
    let result = match behaviour {
        Behaviour::Works => "pass",
        Behaviour::FailsSelfTest => "fail",
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "self-test = {result}");
    let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3) // FNV-1a
    });
    let mut noise = coreota::sim::random::Random::new(seed);
    let mut bytes = text.into_bytes();
    bytes.resize_with(len.max(bytes.len()), || noise.byte());
    bytes
}

#[cfg(test)]
mod tests {
    use coreota::descriptor::Algorithm;
    use coreota::image::{About, Signer, mcuboot, trailer};
    use coreota::verify::Key;
    use std::slice::from_ref;

    use super::*;
    use crate::board::{sim_embassy, sim_mcuboot};

    const V2: Version = Version::new(2, 1, 3);

    fn signer(secret: u8) -> Signer {
        Signer::new(Algorithm::EcdsaP256, &[secret; 32]).expect("a scalar in range")
    }

    /// What a pipeline that trusts this signer finds in the bytes.
    fn runs<P: Pipeline>(bytes: &[u8], signer: &Signer) -> Option<Firmware> {
        let public = signer.public().leak();
        let keys = vec![Key { id: "test", algorithm: Algorithm::EcdsaP256, bytes: public }].leak();
        Firmware::judged::<P>(bytes, &Rules { keys, ..P::RULES })
    }

    #[test]
    fn an_image_runs_as_its_signed_bytes_and_its_text_say() {
        let key = signer(7);
        for behaviour in [Behaviour::Works, Behaviour::FailsSelfTest] {
            let payload = payload(V2, behaviour, 5000);
            let about = |board| About { version: V2, board: Some(board), counter: None };
            let expected = Some(Firmware { version: V2, behaviour });

            let image = mcuboot(&payload, &about("sim-mcuboot"), 512, from_ref(&key)).unwrap();
            assert_eq!(runs::<sim_mcuboot::ota::Pipeline>(&image, &key), expected);
            assert_eq!(runs::<sim_mcuboot::ota::Pipeline>(&image, &signer(8)), None);

            let mut slot = trailer(&payload, &about("sim-embassy"), from_ref(&key)).unwrap();
            slot.resize(20_000, 0xff);
            assert_eq!(runs::<sim_embassy::ota::Pipeline>(&slot, &key), expected);
        }
    }

    #[test]
    fn an_older_longer_image_behind_the_new_one_is_not_seen() {
        let key = signer(7);
        let image = |version, len| {
            let payload = payload(version, Behaviour::Works, len);
            let about = About { version, board: Some("sim-embassy"), counter: None };
            trailer(&payload, &about, from_ref(&key)).unwrap()
        };
        let (mut slot, new) = (image(Version::new(1, 0, 0), 9000), image(V2, 5000));
        slot[..new.len()].copy_from_slice(&new);
        let runs = runs::<sim_embassy::ota::Pipeline>(&slot, &key);
        assert_eq!(runs.map(|firmware| firmware.version), Some(V2));
        slot[100] ^= 1;
        assert_eq!(self::runs::<sim_embassy::ota::Pipeline>(&slot, &key), None);
    }
}
