//! What each bootloader asks of the slots, and what it leaves of them to an image.
//!
//! | bootloader | slots | image |
//! |---|---|---|
//! | MCUboot swap-offset | secondary one erase unit larger | behind that unit; less the trailer |
//! | MCUboot swap-move | equal | less the trailer and the unit it moves by |
//! | MCUboot swap-scratch, overwrite-only | equal | less the trailer |
//! | embassy-boot | secondary at least one page larger | the whole primary slot |
//! | your own | any | the smaller slot |

use crate::diagnostic::{At, Errors};
use crate::keys::{Board, Bootloader, Flash, Mcuboot, Mode, Partitions};
use crate::values::{Region, size};

/// The partitions a bootloader keeps for itself: those it needs, and none it does not know.
pub(super) fn companions(
    name: &At<String>,
    bootloader: &Bootloader,
    board: &Board,
    parts: &Partitions,
    errors: &mut Errors,
) {
    let scratch = matches!(bootloader, Bootloader::Mcuboot(mcuboot) if mcuboot.mode.value == Mode::SwapScratch);
    let state = matches!(bootloader, Bootloader::EmbassyBoot(_));
    for (part, region, needed) in
        [("scratch", &parts.scratch, scratch), ("state", &parts.state, state)]
    {
        let known = needed || matches!(bootloader, Bootloader::Custom(_));
        if needed && region.is_none() {
            let wrong =
                format!("the bootloader of board `{}` needs a partition `{part}`", name.value);
            errors.add(
                board.partitions.span.clone(),
                wrong,
                format!("add `{part} = \"start + length\"`"),
            );
        }
        if !known && region.is_some() {
            let wrong = format!(
                "the bootloader of board `{}` has no use for a partition `{part}`",
                name.value
            );
            errors.add(region.span.clone(), wrong, "remove it");
        }
    }
}

/// Where a new image can be in the secondary slot, by the rules of the bootloader.
pub(super) fn image(
    flash: &Flash,
    parts: &Partitions,
    bootloader: &Bootloader,
    errors: &mut Errors,
) -> Option<Region> {
    let erase = flash.erase.value.0;
    let (primary, secondary) = (parts.primary.value, &parts.secondary);
    match bootloader {
        Bootloader::Mcuboot(mcuboot) => mcuboot_image(flash, parts, mcuboot, errors),
        Bootloader::EmbassyBoot(_) => {
            let least = primary.len + erase;
            if secondary.len < least {
                let wrong = format!(
                    "the secondary slot, {}, has no page more than the primary, {}",
                    size(secondary.len),
                    size(primary.len)
                );
                errors.add(
                    secondary.span.clone(),
                    wrong,
                    format!("embassy-boot swaps through it: at least {}", size(least)),
                );
                return None;
            }
            embassy_state(flash, parts, errors);
            Some(Region { start: secondary.start, len: primary.len })
        }
        Bootloader::Custom(_) => {
            Some(Region { start: secondary.start, len: primary.len.min(secondary.len) })
        }
    }
}

/// embassy-boot's state: a magic word, a validity word, and two progress words for each page and way.
fn embassy_state(flash: &Flash, parts: &Partitions, errors: &mut Errors) {
    let pages = parts.primary.len / flash.erase.value.0;
    let least = (2 + 4 * pages) * flash.write.value.0;
    if let Some(state) = parts.state.value.filter(|state| state.len < least) {
        let wrong = format!(
            "the state partition, {}, is too small for {pages} pages of the primary slot",
            size(state.len)
        );
        let units = least.next_multiple_of(flash.erase.value.0);
        errors.add(parts.state.span.clone(), wrong, format!("at least {}", size(units)));
    }
}

fn mcuboot_image(
    flash: &Flash,
    parts: &Partitions,
    mcuboot: &Mcuboot,
    errors: &mut Errors,
) -> Option<Region> {
    let erase = flash.erase.value.0;
    let (primary, secondary) = (parts.primary.value, parts.secondary.value);
    let mode = mcuboot.mode.value;
    let units = primary.len / erase;
    if units > mcuboot.max_sectors.value.0 {
        let wrong = format!(
            "the primary slot has {units} erase units, MCUboot is built for {}",
            mcuboot.max_sectors.value.0
        );
        let right =
            format!("build it with BOOT_MAX_IMG_SECTORS={units} and say `max-sectors = {units}`");
        errors.add(parts.primary.span.clone(), wrong, right);
    }
    let expected = match mode {
        Mode::SwapOffset => primary.len + erase,
        _ => primary.len,
    };
    if secondary.len != expected {
        let why = match mode {
            Mode::SwapOffset => "one erase unit more than the primary, to swap through",
            _ => "as large as the primary",
        };
        let wrong = format!(
            "the secondary slot is {}, the primary {}",
            size(secondary.len),
            size(primary.len)
        );
        let right = format!("{} wants it {why}: {}", mode.word(), size(expected));
        errors.add(parts.secondary.span.clone(), wrong, right);
        return None;
    }
    if let Some(scratch) = parts.scratch.value.filter(|scratch| scratch.len < erase) {
        let wrong =
            format!("the scratch partition, {}, does not hold an erase unit", size(scratch.len));
        errors.add(parts.scratch.span.clone(), wrong, format!("at least {}", size(erase)));
    }
    let trailer =
        mcuboot_trailer(mode, flash.write.value.0, mcuboot.max_sectors.value.0).div_ceil(erase);
    let (before, spare) = match mode {
        Mode::SwapOffset => (erase, 0),
        Mode::SwapMove => (0, 1),
        Mode::SwapScratch | Mode::OverwriteOnly => (0, 0),
    };
    let Some(free @ 1..) = units.checked_sub(trailer + spare) else {
        let wrong = format!("a slot of {} holds no image", size(primary.len));
        let right = format!(
            "{} keeps {} of it for its trailer and the swap",
            mode.word(),
            size((trailer + spare) * erase)
        );
        errors.add(parts.primary.span.clone(), wrong, right);
        return None;
    };
    Some(Region { start: secondary.start + before, len: free * erase })
}

/// Bytes of MCUboot's trailer: magic, flags, sizes, and the swap status of every sector.
/// From bootutil: `boot_trailer_sz`, `BOOT_MAX_ALIGN`, `BOOT_STATUS_STATE_COUNT`.
fn mcuboot_trailer(mode: Mode, write: u32, max_sectors: u32) -> u32 {
    let align = write.max(8);
    let magic = 16u32.next_multiple_of(align);
    let status = |states: u32| max_sectors.saturating_mul(states).saturating_mul(write);
    match mode {
        Mode::SwapOffset => magic + 5 * align + status(2),
        Mode::SwapMove | Mode::SwapScratch => magic + 4 * align + status(3),
        Mode::OverwriteOnly => magic + 4 * align,
    }
}
