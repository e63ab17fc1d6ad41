//! Partitions in the flash, and the size of the journal.
//!
//! **The journal** is two equal halves of whole erase units. A half holds, each aligned to the
//! write size W: a header of 256 bytes, a log of 16 events of 16 bytes, and a mark of W bytes for each
//! block of the largest image. The runtime checks the same sum at compile time.

use super::slot;
use crate::diagnostic::{At, Errors, Span};
use crate::keys::{Board, Flash, MqttStream, Partitions};
use crate::model::{Cells, Layout, Plugin};
use crate::values::{Region, size};

/// What the store of plugins keeps in a cell besides the file.
const CELL_RECORDS: u32 = 480;
/// AWS IoT streams count blocks up to here.
const BLOCKS: u32 = 98_304;

pub(super) fn layout(
    name: &At<String>,
    board: &Board,
    stream: Option<&At<MqttStream>>,
    plugins: Option<&[Plugin]>,
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
    if let Some(starts) = parts.starts.value {
        halves("partition `starts`", starts, &parts.starts.span, flash, errors);
    }
    if board.tls.0 == Some(true) && parts.provisioning.is_none() {
        let wrong = format!("board `{}` speaks TLS and has no partition for its keys", name.value);
        let right = "declare `provisioning`, or leave `tls` out";
        errors.add(board.tls.span.clone(), wrong, right);
    }
    let plugins = cells(name, flash, board, parts, plugins?, errors);
    let secondary = parts.secondary.value;
    Some(Layout {
        primary: parts.primary.value,
        secondary,
        image,
        slot: Region { len: secondary.len - (image.start - secondary.start), ..image },
        state: parts.state.value,
        provisioning: parts.provisioning.value,
        starts: parts.starts.value,
        journal: parts.journal.value,
        journal_half,
        blocks,
        plugins,
    })
}

/// The partition of plugins, in cells that hold the largest of them; see [`Cells`].
fn cells(
    name: &At<String>,
    flash: &Flash,
    board: &Board,
    parts: &Partitions,
    plugins: &[Plugin],
    errors: &mut Errors,
) -> Option<Cells> {
    let slots: Vec<u32> =
        plugins.iter().filter_map(|plugin| plugin.declared.slot()).map(|slot| slot.value).collect();
    let largest = slots.iter().copied().max();
    let (Some(largest), Some(region)) = (largest, parts.plugins.value) else {
        if let Some(largest) = largest {
            let cell = cell(largest, flash);
            let count = slots.len() as u32 + 1;
            let wrong = format!(
                "board `{}` takes plugins over the air and has no partition for them",
                name.value
            );
            let right = format!(
                "add `plugins = \"start + {}\"`: {}",
                size(count.saturating_mul(cell)),
                sum(count, cell, largest, flash)
            );
            errors.add(board.partitions.span.clone(), wrong, right);
        }
        if parts.plugins.is_some() {
            let wrong = format!("board `{}` takes no plugin over the air", name.value);
            let right = "remove the partition, or give a plugin of the board a `slot`";
            errors.add(parts.plugins.span.clone(), wrong, right);
        }
        return None;
    };
    let (cell, count) = (cell(largest, flash), slots.len() as u32 + 1);
    if region.len < count.saturating_mul(cell) {
        let wrong = format!("the partition of plugins, {}, is too small", size(region.len));
        let right = format!(
            "at least {}: {}",
            size(count.saturating_mul(cell)),
            sum(count, cell, largest, flash)
        );
        errors.add(parts.plugins.span.clone(), wrong, right);
        return None;
    }
    Some(Cells { region, cell, count })
}

/// Bytes of a cell for files of that size.
fn cell(largest: u32, flash: &Flash) -> u32 {
    (largest + CELL_RECORDS).next_multiple_of(flash.erase.value.0)
}

/// How the size of the partition comes about.
fn sum(count: u32, cell: u32, largest: u32, flash: &Flash) -> String {
    format!(
        "{count} cells of {}, one for each of {} and a spare one; a cell holds the largest `slot`, {}, and {} of its own, in erase units of {}",
        size(cell),
        count - 1,
        size(largest),
        size(CELL_RECORDS),
        size(flash.erase.value.0)
    )
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
        optional("starts", &parts.starts),
        optional("plugins", &parts.plugins),
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
    } else {
        halves("the journal", journal.value, &journal.span, flash, errors);
    }
}

/// Two halves, each of whole erase units.
fn halves(name: &str, part: Region, span: &Span, flash: &Flash, errors: &mut Errors) {
    let unit = 2 * flash.erase.value.0;
    if part.len == 0 || !part.len.is_multiple_of(unit) {
        let wrong = format!("{name}, {}, is not two halves of whole erase units", size(part.len));
        errors.add(span.clone(), wrong, format!("a multiple of {}", size(unit)));
    }
}
