//! What a boot does to the slots: decides, admits, begins, goes through the steps, finishes.

use crate::disk::Disk;
use crate::image::{Image, Judge};
use crate::loader::Loader;
use coreota::boot::How;
use coreota::boot::mcuboot::Mode;
use coreota::boot::mcuboot::trailer::{Field, Flag, Magic, Trailer, swap};
use coreota::error::Failure;
use coreota::layout::Region;
use coreota::verify::Verifier;
use embedded_storage::nor_flash::NorFlash;

/// A swap that is to be done.
#[derive(Clone, Copy, Debug)]
struct Swap {
    /// One of [`swap`].
    kind: u8,
    /// Bytes of the larger image.
    size: u32,
    /// Sizes of the unprotected records, the primary image's in the low half.
    records: u32,
}

/// Begins, goes on with or undoes a swap, as the trailers say; tells what it did.
pub(crate) fn run<F: NorFlash, V: Verifier>(
    disk: &mut Disk<'_, F>,
    judge: &mut Judge<'_, V>,
) -> Result<How, Failure> {
    let Loader { mode, primary, secondary, .. } = disk.plan.loader;
    let (first, second) = (disk.trailer(primary)?, disk.trailer(secondary)?);
    // The status is valid from the primary's magic on, and rules once the request is erased. (Or half
    // erased, where MCUboot believes what is left of it, as if a way back were a new trial.)
    let open =
        mode != Mode::OverwriteOnly && first.magic == Magic::Good && first.copy_done == Flag::Unset;
    let done = if open { disk.last_entry()? } else { None };
    let recorded = first.swap.filter(|kind| open && (swap::TEST..=swap::REVERT).contains(kind));
    let begun = open && (second.magic != Magic::Good || recorded.is_some() && done.is_none());
    let (done, recorded) = (done.filter(|_| begun), recorded.filter(|_| begun));
    // With steps done and no kind that we know, the images are neither here nor there: go on.
    let kind = recorded.or_else(|| decide(mode, &first, &second)).or(done.map(|_| swap::TEST));
    let Some(kind) = kind else { return Ok(How::Unchanged) };
    let size = if done.is_some() {
        disk.swap_size()?.min(disk.plan.room())
    } else {
        let swap = match admit(disk, judge, kind, &second)? {
            Ok(swap) => swap,
            Err(how) => return Ok(how),
        };
        if mode == Mode::OverwriteOnly {
            return overwrite(disk, swap.size);
        }
        begin(disk, &swap, begun, &second)?;
        swap.size
    };
    let back = kind == swap::REVERT;
    let units = disk.plan.units(size);
    let mut turn = 0;
    while let Some(step) = disk.plan.step(turn, units, back) {
        if done.is_none_or(|done| step.entry > done) {
            disk.copy_unit(step.from, step.to)?;
            disk.write_entry(step.entry, step.state)?;
        }
        turn = turn.saturating_add(1);
    }
    finish(disk, kind)
}

/// What swap the trailers ask for: MCUboot's table, the first row that fits.
fn decide(mode: Mode, primary: &Trailer, secondary: &Trailer) -> Option<u8> {
    let staged = secondary.magic == Magic::Good;
    if staged && secondary.image_ok == Flag::Unset {
        // In swap-offset a copy-done there marks a way back that has just begun.
        let back = mode == Mode::SwapOffset && secondary.copy_done == Flag::Set;
        Some(if back { swap::REVERT } else { swap::TEST })
    } else if staged && secondary.image_ok == Flag::Set {
        Some(swap::PERMANENT)
    } else if secondary.magic == Magic::Unset && primary.is_trial() {
        Some(swap::REVERT)
    } else {
        None
    }
}

/// Looks at the images before anything is moved. A slot whose image may not run is wiped out; then
/// this is all that the boot does.
fn admit<F: NorFlash, V: Verifier>(
    disk: &mut Disk<'_, F>,
    judge: &mut Judge<'_, V>,
    kind: u8,
    second: &Trailer,
) -> Result<Result<Swap, How>, Failure> {
    let Loader { primary, secondary, .. } = disk.plan.loader;
    let offset = if kind == swap::REVERT { 0 } else { disk.plan.staged() };
    let old = disk.image(primary, 0)?;
    let size = |image: Option<Image>| image.map_or(0, |image| image.size);
    let records = |image: Option<Image>| image.map_or(0, |image| u32::from(image.unprotected));
    let new =
        disk.image(secondary, offset)?.filter(|new| new.size.max(size(old)) <= disk.plan.room());
    let proved = match new {
        Some(new) => disk.judge(judge, new.at, new.size)?.is_ok(),
        None => false,
    };
    if proved {
        let (size, records) = (size(new).max(size(old)), records(old) | records(new) << 16);
        return Ok(Ok(Swap { kind, size, records }));
    }
    let header = secondary.offset.saturating_add(offset);
    if disk.peek(header)? != [0xff; 4] {
        disk.erase_slot(secondary)?;
        return Ok(Err(if kind == swap::REVERT { How::Unchanged } else { How::Refused }));
    }
    if !second.blank {
        // A cut left the trailer of an image that is gone.
        disk.erase_trailer(secondary)?;
    }
    Ok(Err(How::Unchanged))
}

/// Moves the request from the secondary trailer into the primary one, with the status.
fn begin<F: NorFlash>(
    disk: &mut Disk<'_, F>,
    swap: &Swap,
    begun: bool,
    second: &Trailer,
) -> Result<(), Failure> {
    let Loader { mode, primary, secondary, .. } = disk.plan.loader;
    if swap.kind == swap::REVERT && second.magic == Magic::Unset && !begun {
        // A way back has no request: write one, lest a cut below leaves no trace of it.
        disk.erase_trailer(secondary)?;
        if mode == Mode::SwapOffset {
            disk.flag(secondary, Field::CopyDone)?;
            record(disk, secondary, swap)?;
        } else {
            disk.flag(secondary, Field::ImageOk)?;
            sizes(disk, secondary, swap)?;
            disk.magic(secondary)?;
        }
    }
    if !begun {
        disk.erase_trailer(primary)?;
        record(disk, primary, swap)?;
    }
    disk.erase_trailer(secondary)
}

fn record<F: NorFlash>(disk: &mut Disk<'_, F>, slot: Region, swap: &Swap) -> Result<(), Failure> {
    disk.field(slot, Field::SwapInfo, &[swap.kind])?;
    if disk.trailer(disk.plan.loader.secondary)?.image_ok == Flag::Set {
        disk.flag(slot, Field::ImageOk)?;
    }
    sizes(disk, slot, swap)?;
    disk.magic(slot)
}

fn sizes<F: NorFlash>(disk: &mut Disk<'_, F>, slot: Region, swap: &Swap) -> Result<(), Failure> {
    disk.field(slot, disk.plan.size_field(), &swap.size.to_le_bytes())?;
    if disk.plan.loader.mode == Mode::SwapOffset {
        disk.field(slot, Field::Below(1), &swap.records.to_le_bytes())?;
    }
    Ok(())
}

fn finish<F: NorFlash>(disk: &mut Disk<'_, F>, kind: u8) -> Result<How, Failure> {
    let Loader { mode, primary, secondary, .. } = disk.plan.loader;
    if kind == swap::REVERT && mode == Mode::SwapOffset {
        // The unit above which the refused image lies again holds a copy of nothing useful.
        disk.erase(secondary.offset)?;
        disk.erase_trailer(secondary)?;
    }
    let to_stay = kind == swap::REVERT || kind == swap::PERMANENT;
    if to_stay && disk.trailer(primary)?.image_ok == Flag::Unset {
        disk.flag(primary, Field::ImageOk)?;
    }
    disk.flag(primary, Field::CopyDone)?;
    Ok(match kind {
        swap::REVERT => How::Reverted,
        swap::PERMANENT => How::Permanent,
        _ => How::Trial,
    })
}

/// The request is erased last, so that a cut begins it all again; the header just before it, so that
/// nothing is left of which a request could be made.
fn overwrite<F: NorFlash>(disk: &mut Disk<'_, F>, size: u32) -> Result<How, Failure> {
    let Loader { primary, secondary, .. } = disk.plan.loader;
    disk.erase_trailer(primary)?;
    let units = disk.plan.units(size);
    let mut turn = 0;
    while let Some(step) = disk.plan.step(turn, units, false) {
        disk.copy_unit(step.from, step.to)?;
        turn = turn.saturating_add(1);
    }
    disk.magic(primary)?;
    disk.erase(secondary.offset)?;
    disk.erase_trailer(secondary)?;
    Ok(How::Permanent)
}
