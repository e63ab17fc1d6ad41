//! Images read back from the slot: nothing that nobody signed is ever verified.
#![no_main]

use coreota::{
    Version,
    descriptor::Algorithm,
    verify::{Claim, EcdsaP256, Ed25519, Key, Native, Rules, check, formats},
};
use libfuzzer_sys::fuzz_target;

/// The public key of RFC 8032, section 7.1, test 1; no seed is signed with it.
const KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

const RULES: Rules = Rules {
    require: &[Algorithm::Ed25519],
    keys: &[Key { id: "rfc", algorithm: Algorithm::Ed25519, bytes: &KEY }],
    board: "board",
    board_required: true,
    running: Version::new(1, 0, 0),
    older_allowed: true,
    counter: 0,
};

fuzz_target!(|file: &[u8]| {
    let claim = Claim::image(file.len() as u32);
    let mut mcuboot = Native::<formats::Mcuboot, (EcdsaP256, Ed25519)>::new();
    assert!(check(&mut mcuboot, &RULES, &claim, file).is_err());
    let mut trailer = Native::<formats::Trailer, (EcdsaP256, Ed25519)>::new();
    assert!(check(&mut trailer, &RULES, &claim, file).is_err());
});
