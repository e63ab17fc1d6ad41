//! What the signatures met so far prove, all together.

use super::algorithms::{Algorithms, fingerprint};
use super::{Key, Rules};
use crate::{descriptor::Algorithm, error::Failure};

/// Keys that are looked at: the bits of [`Signatures::used`].
const KEYS_MAX: usize = 32;

/// The sum of all signatures of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signatures {
    /// Algorithms with a valid signature by a trusted key; bits, see [`bit`].
    valid: u8,
    /// Algorithms with a signature by a key that is not trusted.
    foreign: u8,
    /// Keys with a signature embedded in the file, by their index in [`Rules::keys`].
    used: u32,
    /// Whether a trusted key's signature did not hold.
    bad: bool,
    /// Whether a trusted key signed twice in the file.
    twice: bool,
}

impl Signatures {
    /// Takes a signature that names its key by the front of its fingerprint.
    pub(super) fn embedded<A: Algorithms>(
        &mut self,
        rules: &Rules,
        algorithm: Algorithm,
        key_id: &[u8],
        digest: &[u8; 32],
        value: &[u8],
    ) {
        let named = |key: &Key| fingerprint(algorithm, key.bytes).starts_with(key_id);
        let keys = rules.keys.iter().take(KEYS_MAX).enumerate();
        let mut mine = keys.filter(|(_, key)| key.algorithm == algorithm);
        let Some((index, key)) = mine.find(|(_, key)| A::has(algorithm) && named(key)) else {
            self.foreign |= bit(algorithm);
            return;
        };
        let used = 1u32.checked_shl(index as u32).unwrap_or(0);
        if self.used & used != 0 {
            self.twice = true; // and the second is not checked: no file makes us check for long
            return;
        }
        self.used |= used;
        self.count(algorithm, A::holds(algorithm, key.bytes, digest, value));
    }

    /// Takes a signature that names no key: any trusted one of its algorithm may have made it.
    pub(super) fn detached<A: Algorithms>(
        &mut self,
        rules: &Rules,
        algorithm: Algorithm,
        digest: &[u8; 32],
        value: &[u8],
    ) {
        let (mut any, mut holds) = (false, false);
        for key in rules.keys.iter().take(KEYS_MAX) {
            if key.algorithm == algorithm && A::has(algorithm) {
                any = true;
                holds = holds || A::holds(algorithm, key.bytes, digest, value);
            }
        }
        match any {
            true => self.count(algorithm, holds),
            false => self.foreign |= bit(algorithm),
        }
    }

    fn count(&mut self, algorithm: Algorithm, holds: bool) {
        match holds {
            true => self.valid |= bit(algorithm),
            false => self.bad = true,
        }
    }

    /// Whether they prove what the rules require: every signature by a trusted key holds, and there
    /// is one of each required algorithm.
    pub(super) fn verdict<A: Algorithms>(&self, rules: &Rules) -> Result<(), Failure> {
        if self.twice {
            return Err(Failure::Format);
        }
        if self.bad {
            return Err(Failure::Signature);
        }
        for required in rules.require {
            if self.valid & bit(*required) != 0 {
                continue;
            }
            if !A::has(*required) {
                return Err(Failure::Misconfigured);
            }
            let trusted = rules.keys.iter().any(|key| key.algorithm == *required);
            return Err(match trusted && self.foreign & bit(*required) == 0 {
                true => Failure::NoSignature,
                false => Failure::NoTrustedKey,
            });
        }
        match rules.require {
            [] => Err(Failure::Misconfigured),
            _ => Ok(()),
        }
    }
}

/// The bit of an algorithm in a set.
const fn bit(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::EcdsaP256 => 1,
        Algorithm::Ed25519 => 2,
    }
}
