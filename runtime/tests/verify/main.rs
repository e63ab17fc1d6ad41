//! Verification: what is taken, what is refused and for which reason, in both formats and with
//! both algorithms; and that OpenSSL and imgtool agree.

#![cfg(feature = "image")]

mod damage;
mod formats;
mod judges;
mod rules;
mod vectors;

use coreota::{
    descriptor::Algorithm,
    error::Failure,
    image::{About, Signer, mcuboot, trailer},
    verify::{
        Claim, EcdsaP256, Ed25519, Key, Native, Rules, Verified, check,
        formats::{Mcuboot, Trailer},
    },
    version::Version,
};

/// The board of these tests.
const BOARD: &str = "thermostat-board";
const ALGORITHMS: [Algorithm; 2] = [Algorithm::EcdsaP256, Algorithm::Ed25519];
const FORMATS: [Kind; 2] = [Kind::Mcuboot, Kind::Trailer];

/// A format, as a value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Mcuboot,
    Trailer,
}

/// The key number `n` of an algorithm.
fn signer(algorithm: Algorithm, n: u8) -> Signer {
    Signer::new(algorithm, &[n; 32]).expect("in range")
}

/// The trusted half of a key.
fn trusted(signer: &Signer) -> Key {
    Key { id: "a key", algorithm: signer.algorithm(), bytes: signer.public().leak() }
}

/// Rules of a device at 1.0.0 with counter 2, which requires and trusts key 1 of these algorithms.
fn rules(require: &'static [Algorithm]) -> Rules {
    let keys: Vec<Key> = require.iter().map(|algorithm| trusted(&signer(*algorithm, 1))).collect();
    Rules {
        require,
        keys: keys.leak(),
        board: BOARD,
        board_required: true,
        running: Version::new(1, 0, 0),
        older_allowed: false,
        counter: 2,
    }
}

/// What such a device takes.
fn good() -> About<'static> {
    About { version: Version::new(1, 1, 0), board: Some(BOARD), counter: Some(2) }
}

/// A small image.
fn build(kind: Kind, about: &About<'_>, signers: &[Signer]) -> Vec<u8> {
    let payload = *b"a vector table, code and some data";
    match kind {
        Kind::Mcuboot => mcuboot(&payload, about, 40, signers).expect("fits"),
        Kind::Trailer => trailer(&payload, about, signers).expect("fits"),
    }
}

/// A job that promises nothing but the size.
fn claim(file: &[u8]) -> Claim {
    Claim::image(file.len() as u32)
}

/// The verdict on a file, by a verifier of that format and both algorithms.
fn verdict(kind: Kind, rules: &Rules, claim: &Claim, file: &[u8]) -> Result<Verified, Failure> {
    match kind {
        Kind::Mcuboot => {
            check(&mut Native::<Mcuboot, (EcdsaP256, Ed25519)>::new(), rules, claim, file)
        }
        Kind::Trailer => {
            check(&mut Native::<Trailer, (EcdsaP256, Ed25519)>::new(), rules, claim, file)
        }
    }
}
