//! Partitions in the flash, and the size of the journal.
//!
//! **The journal** is two equal halves of whole erase units. A half holds, each aligned to the
//! write size W: a header of 256 bytes, a log of 16 events of 16 bytes, and a mark of W bytes for each
//! block of the largest image. The runtime checks the same sum at compile time.

use super::slot;
use crate::diagnostic::{At, Errors};
use crate::keys::{Board, Flash, MqttStream, Partitions};
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
    slot::companions(name, bootloader, board, parts, errors);
    if !sound {
        return None;
    }
    let image = slot::image(flash, parts, bootloader, errors)?;
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
        provisioning: parts.provisioning.value,
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
        optional("provisioning", &parts.provisioning),
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
