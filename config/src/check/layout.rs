//! Partitions in the flash, the rules of the bootloaders for their slots, and the size of the journal.
//!
//! **The journal** is two equal halves of whole erase units. A half holds, each aligned to the
//! write size W: a header of 256 bytes, a log of 16 events of 16 bytes, and a mark of W bytes for each
//! block of the largest image. The runtime checks the same sum at compile time.

use crate::diagnostic::{At, Errors};
use crate::keys::{Board, Bootloader, Flash, Mcuboot, Mode, MqttStream, Partitions};
use crate::model::Layout;
use crate::values::{Region, size};

/// AWS IoT streams count blocks up to here.
const BLOCKS: u32 = 98_304;

pub(super) fn layout(
    name: &At<String>,
    board: &Board,
    stream: Option<&At<MqttStream>>,
    errors: &mut Errors,
) -> Option<Layout> {
    let flash = board.flash.0.as_ref()?;
    geometry(flash, errors);
    let parts = board.partitions.0.as_ref()?;
    let sound = partitions(flash, parts, errors);
    let bootloader = board.bootloader.0.as_ref()?;
    companions(name, bootloader, board, parts, errors);
    if !sound {
        return None;
    }
    let image = image(flash, parts, bootloader, errors)?;
    let block = &stream?.block_size;
    if image.len < block.value.0 {
        let wrong = format!(
            "a block of {} is larger than an image of board `{}`, {}",
            size(block.value.0),
            name.value,
            size(image.len)
        );
        errors.add(block.span.clone(), wrong, "make `block-size` smaller");
    }
    let blocks = image.len.div_ceil(block.value.0);
    if blocks > BLOCKS {
        let wrong = format!(
            "an image of board `{}` has up to {blocks} blocks of {}, a stream has {BLOCKS}",
            name.value,
            size(block.value.0)
        );
        errors.add(block.span.clone(), wrong, "make `block-size` larger");
    }
    let journal_half = journal_half(flash.write.value.0, blocks);
    journal(flash, parts, journal_half, blocks, errors);
    let secondary = parts.secondary.value;
    Some(Layout {
        primary: parts.primary.value,
        secondary,
        image,
        slot: Region { len: secondary.len - (image.start - secondary.start), ..image },
        state: parts.state.value,
        journal: parts.journal.value,
        journal_half,
        blocks,
    })
}

/// What a half of the journal must hold; see the module.
fn journal_half(write: u32, blocks: u32) -> u32 {
    256u32.next_multiple_of(write)
        + 16 * 16u32.next_multiple_of(write)
        + blocks.saturating_mul(write)
}

fn geometry(flash: &Flash, errors: &mut Errors) {
    let (erase, write) = (&flash.erase, &flash.write);
    if !write.value.0.is_power_of_two() {
        let wrong = format!("{} are not programmed at once", size(write.value.0));
        errors.add(write.span.clone(), wrong, "1, 2, 4, 8, 16 or 32 bytes");
    }
    if !erase.value.0.is_power_of_two() {
        let wrong = format!("an erase unit of {} is not a power of two", size(erase.value.0));
        errors.add(erase.span.clone(), wrong, "such as \"4 KiB\"");
    }
    if !flash.size.value.0.is_multiple_of(erase.value.0) {
        let wrong = format!(
            "a flash of {} is not whole erase units of {}",
            size(flash.size.value.0),
            size(erase.value.0)
        );
        let right = format!("a multiple of {}", size(erase.value.0));
        errors.add(flash.size.span.clone(), wrong, right);
    }
}

/// Every partition in whole erase units, inside the flash, and clear of the others.
fn partitions(flash: &Flash, parts: &Partitions, errors: &mut Errors) -> bool {
    let optional = |name, part: &At<Option<Region>>| {
        part.value.map(|region| (name, At::new(region, part.span.clone())))
    };
    let all = [
        optional("bootloader", &parts.bootloader),
        Some(("primary", parts.primary.clone())),
        Some(("secondary", parts.secondary.clone())),
        optional("state", &parts.state),
        optional("scratch", &parts.scratch),
        Some(("journal", parts.journal.clone())),
    ];
    let all: Vec<_> = all.into_iter().flatten().collect();
    let (erase, total) = (flash.erase.value.0, flash.size.value.0);
    let mut sound = true;
    for (index, (name, part)) in all.iter().enumerate() {
        let mut wrong = |wrong: String, right: String| {
            errors.add(part.span.clone(), wrong, right);
            sound = false;
        };
        let region = part.value;
        if !region.start.is_multiple_of(erase) || !region.len.is_multiple_of(erase) {
            let right = format!("start and length in multiples of {}", size(erase));
            wrong(format!("partition `{name}` is not whole erase units of {}", size(erase)), right);
        }
        if region.end() > total.into() {
            let right = format!("end at {} or before", size(total));
            wrong(
                format!("partition `{name}` ends at {}, behind the flash", size(region.end())),
                right,
            );
        }
        let overlap = |other: &&(&str, At<Region>)| {
            u64::from(other.1.start) < region.end() && u64::from(region.start) < other.1.end()
        };
        if let Some((other, before)) = all.iter().take(index).find(overlap) {
            let right = format!(
                "start at {} or behind, or end at {}",
                size(before.end()),
                size(before.start)
            );
            wrong(format!("partition `{name}` overlaps `{other}`"), right);
        }
    }
    sound
}

/// The partitions a bootloader keeps for itself: those it needs, and none it does not know.
fn companions(
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
fn image(
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

/// Two halves, each of whole erase units and large enough.
fn journal(flash: &Flash, parts: &Partitions, half: u32, blocks: u32, errors: &mut Errors) {
    let erase = flash.erase.value.0;
    let least = 2 * half.next_multiple_of(erase);
    let journal = &parts.journal;
    if journal.len < least {
        let wrong = format!(
            "the journal, {}, is too small for {blocks} blocks at writes of {}",
            size(journal.len),
            size(flash.write.value.0)
        );
        errors.add(
            journal.span.clone(),
            wrong,
            format!("at least {}: two halves of {} in whole erase units", size(least), size(half)),
        );
    } else if !journal.len.is_multiple_of(2 * erase) {
        let wrong =
            format!("the journal, {}, is not two halves of whole erase units", size(journal.len));
        errors.add(journal.span.clone(), wrong, format!("a multiple of {}", size(2 * erase)));
    }
}
