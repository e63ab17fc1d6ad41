//! The device path with ECDSA P-256.
#![cfg_attr(target_os = "none", no_std, no_main)]

use coreota::verify::EcdsaP256;

size_image::entry!(size_image::device::run::<(EcdsaP256,)>);
