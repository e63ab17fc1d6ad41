//! The device path, all but cryptography beyond SHA-256: any signature may hold.
#![cfg_attr(target_os = "none", no_std, no_main)]

use core::hint::black_box;

use size_image::device::{Any, Device, run};

/// The orchestrator in bytes, which `cargo ota bench` reads out of the image.
#[unsafe(no_mangle)]
static ORCHESTRATOR_BYTES: u32 = size_of::<Device<Any>>() as u32;

fn start() {
    black_box(&ORCHESTRATOR_BYTES);
    run::<Any>();
}

size_image::entry!(start);
