//! A linked program as the bytes that go into memory.

use std::ops::Range;
use std::path::Path;

use coreota_config::values::Region;
use object::LittleEndian;
use object::elf::{FileHeader32, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};

use crate::error::{Error, Exit, Result};

/// The program's code, constants and first values of variables, from the start of its place on.
///
/// # Errors
/// It is not linked for its place: the script that was made of ota.toml was not used.
pub(super) fn read(elf: &Path, place: Region) -> Result<Vec<u8>> {
    let bytes = std::fs::read(elf).map_err(|why| Error::file("read", elf, why))?;
    let segments =
        segments(&bytes).map_err(|why| Error::file("understand", elf, why.to_string()))?;
    flat(&segments, place).map_err(|range| {
        let what = format!(
            "{} is linked for {:#x}..{:#x}, its place is {}",
            elf.display(),
            range.start,
            range.end,
            super::spelt(place)
        );
        Error::new(Exit::File, what)
            .fix("its build script has to call `coreota_config::memory::build_script`")
    })
}

/// What is loaded where, by the address it is stored at.
fn segments(bytes: &[u8]) -> object::Result<Vec<(u64, &[u8])>> {
    let header = FileHeader32::<LittleEndian>::parse(bytes)?;
    let endian = header.endian()?;
    let mut segments = Vec::new();
    for segment in header.program_headers(endian, bytes)? {
        if segment.p_type(endian) == PT_LOAD && segment.p_filesz(endian) > 0 {
            let data = segment.data(endian, bytes).unwrap_or_default();
            segments.push((u64::from(segment.p_paddr(endian)), data));
        }
    }
    Ok(segments)
}

/// Or else the addresses that it wants.
fn flat(segments: &[(u64, &[u8])], place: Region) -> std::result::Result<Vec<u8>, Range<u64>> {
    let end = |(at, data): &(u64, &[u8])| at + data.len() as u64;
    let range = segments.iter().map(|(at, _)| *at).min().unwrap_or(0)
        ..segments.iter().map(end).max().unwrap_or(0);
    let start = u64::from(place.start);
    if range.is_empty() || range.start != start || range.end > place.end() {
        return Err(range);
    }
    let mut bytes = vec![0xff; (range.end - start) as usize];
    for (at, data) in segments {
        bytes[(at - start) as usize..][..data.len()].copy_from_slice(data);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Region = Region { start: 0x100, len: 0x20 };

    #[test]
    fn gaps_are_erased_flash() {
        let segments: [(u64, &[u8]); 2] = [(0x108, &[3, 4]), (0x100, &[1, 2])];
        assert_eq!(flat(&segments, PLACE).unwrap(), b"\x01\x02\xff\xff\xff\xff\xff\xff\x03\x04");
    }

    #[test]
    fn a_program_for_another_place_is_refused() {
        assert_eq!(flat(&[(0x104, &[1])], PLACE), Err(0x104..0x105));
        assert_eq!(flat(&[(0x100, &[0; 0x21])], PLACE), Err(0x100..0x121));
        assert_eq!(flat(&[], PLACE), Err(0..0));
    }
}
