//! Flash within a region: nothing is read, programmed or erased outside of it.

use crate::{blocking::FlashBlocking as _, error::Failure, layout::Region};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

/// Reads `into.len()` bytes at `offset` of `region`.
#[also_blocking]
pub(crate) async fn read<F: NorFlash>(
    flash: &mut F,
    region: Region,
    offset: u32,
    into: &mut [u8],
) -> Result<(), Failure> {
    let at = place(region, offset, into.len())?;
    flash.read(at, into).await.map_err(|_| Failure::Read)
}

/// Programs whole write units at `offset` of `region`.
#[also_blocking]
pub(crate) async fn program<F: NorFlash>(
    flash: &mut F,
    region: Region,
    offset: u32,
    data: &[u8],
) -> Result<(), Failure> {
    let at = place(region, offset, data.len())?;
    flash.write(at, data).await.map_err(|_| Failure::Program)
}

/// Erases the whole region, one unit at a time.
#[also_blocking]
pub(crate) async fn erase<F: NorFlash>(
    flash: &mut F,
    region: Region,
    unit: u32,
) -> Result<(), Failure> {
    let mut from = region.offset;
    while from < region.end() {
        let to = from.saturating_add(unit.max(1));
        flash.erase(from, to).await.map_err(|_| Failure::Erase)?;
        from = to;
    }
    Ok(())
}

fn place(region: Region, offset: u32, len: usize) -> Result<u32, Failure> {
    let len = u32::try_from(len).map_err(|_| Failure::Bounds)?;
    region.at(offset, len).ok_or(Failure::Bounds)
}
