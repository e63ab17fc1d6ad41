//! The device path with Ed25519.
#![cfg_attr(target_os = "none", no_std, no_main)]

use coreota::verify::Ed25519;

size_image::entry!(size_image::device::run::<(Ed25519,)>);
