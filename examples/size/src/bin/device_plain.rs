//! The device path, all but cryptography beyond SHA-256: any signature may hold.
#![cfg_attr(target_os = "none", no_std, no_main)]

use core::hint::black_box;

use coreota::{descriptor::Algorithm, verify::Algorithms};
use size_image::device::{Device, Trust, run};

/// The orchestrator in bytes, which `cargo ota bench` reads out of the image.
#[unsafe(no_mangle)]
static ORCHESTRATOR_BYTES: u32 = size_of::<Device<Any>>() as u32;

struct Any;

impl Algorithms for Any {
    fn has(algorithm: Algorithm) -> bool {
        black_box(algorithm) == Algorithm::EcdsaP256
    }
    fn holds(_: Algorithm, key: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool {
        black_box((key, digest, signature)).0.len() > 1
    }
}

impl Trust for Any {}

fn start() {
    black_box(&ORCHESTRATOR_BYTES);
    run::<Any>();
}

size_image::entry!(start);
