//! The addresses that firmware and bootloader are linked for.

use crate::diagnostic::{At, Errors};
use crate::keys::{Area, Board, Bootloader, MemoryMap};
use crate::model::{Layout, Link};
use crate::values::{Region, size};

/// `Some(None)` where the board says nothing of its memories.
pub(super) fn link(
    name: &At<String>,
    board: &Board,
    layout: Option<&Layout>,
    errors: &mut Errors,
) -> Option<Option<Link>> {
    let Some(map) = board.memory.0.as_ref()? else { return Some(None) };
    areas(map, errors);
    let (layout, flash) = (layout?, board.flash.0.as_ref()?);
    let base = flash.base_address.value.map(|address| address.0);
    let in_flash = |part: Region| {
        let start = base?.checked_add(part.start)?;
        Some(Region { start, len: part.len })
    };
    let room = layout.image.len;
    let image = match &map.run.value {
        Some(area) if area.size.value.0 < room => {
            let wrong = format!(
                "`run` has {}, an image of board `{}` up to {}",
                size(area.size.value.0),
                name.value,
                size(room)
            );
            let right = "make it as large as the primary slot, or the slots smaller";
            errors.add(map.run.span.clone(), wrong, right);
            return None;
        }
        Some(area) => Region { start: area.address.value.0, len: room },
        None => match in_flash(Region { len: room, ..layout.primary }) {
            Some(image) => image,
            None => {
                let wrong =
                    format!("nothing says at which address the image of `{}` runs", name.value);
                let right = "give the flash its `base-address`, or `memory.run` where the bootloader copies the image to";
                errors.add(board.memory.span.clone(), wrong, right);
                return None;
            }
        },
    };
    let header = match board.bootloader.0.as_ref()? {
        Bootloader::Mcuboot(mcuboot) => mcuboot.header.value.0,
        _ => 0,
    };
    let partition = board.partitions.0.as_ref()?.bootloader.value;
    Some(Some(Link {
        ram: region(&map.ram),
        firmware: Region {
            start: image.start.saturating_add(header),
            len: room.saturating_sub(header),
        },
        run: map.run.value.as_ref().map(|_| image),
        bootloader: map.bootloader.value.as_ref().map(region).or_else(|| in_flash(partition?)),
    }))
}

fn region(area: &Area) -> Region {
    Region { start: area.address.value.0, len: area.size.value.0 }
}

/// None wraps around, none overlaps another.
fn areas(map: &MemoryMap, errors: &mut Errors) {
    let optional =
        |area: &At<Option<Area>>| area.value.clone().map(|value| At::new(value, area.span.clone()));
    let all = [
        ("ram", Some(map.ram.clone())),
        ("run", optional(&map.run)),
        ("bootloader", optional(&map.bootloader)),
    ];
    let all: Vec<_> = all.into_iter().filter_map(|(name, area)| Some((name, area?))).collect();
    for (index, (name, area)) in all.iter().enumerate() {
        let here = region(area);
        if here.end() > 1 << 32 {
            let wrong = format!("memory `{name}` ends behind the last address");
            errors.add(area.span.clone(), wrong, "32 bits address 4 GiB");
        }
        let overlap = |(_, other): &&(&str, At<Area>)| {
            let other = region(other);
            u64::from(other.start) < here.end() && u64::from(here.start) < other.end()
        };
        if let Some((other, _)) = all.iter().take(index).find(overlap) {
            let wrong = format!("memory `{name}` overlaps `{other}`");
            errors.add(area.span.clone(), wrong, "give each its own addresses");
        }
    }
}
