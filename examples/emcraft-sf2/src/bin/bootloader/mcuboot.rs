//! MCUboot's formats: an image is verified before it is swapped in, and each time it is started.

use coreota::Pipeline as _;
use coreota::verify::Rules;
use coreota_mcuboot::{Loader, Stopped};
use emcraft_sf2::nor::Nor;
use emcraft_sf2::ota::{MODE, PRIMARY, Pipeline, SECONDARY, SECTORS};

use crate::Booted;

const LOADER: Loader = Loader::new(PRIMARY, SECONDARY, MODE).status_units(SECTORS);

/// What is older is for the firmware to refuse; the way back leads to an older image.
const RULES: Rules = Rules { older_allowed: true, ..Pipeline::RULES };

/// `None` where there is no authentic image. One that was on trial is undone by a reset.
pub(crate) fn boot(nor: &mut Nor) -> Option<Booted> {
    let mut verifier = Pipeline::verifier();
    match LOADER.boot(nor, &mut verifier, &RULES, &mut [0; 1024]) {
        Ok(booted) => {
            Some(Booted { how: booted.how, start: booted.payload.offset - PRIMARY.offset })
        }
        Err(Stopped::NoImage(_) | Stopped::Failed(_)) => None,
    }
}
