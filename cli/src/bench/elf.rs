//! A linked Cortex-M or RISC-V image: its sections, its functions, and its stack frames.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use object::{Architecture, Object, ObjectSection, ObjectSymbol, SymbolKind};

use crate::error::{Error, Result};

/// What is read out of an image.
#[derive(Default)]
pub(crate) struct Image {
    /// Bytes of code and constants: what goes into flash.
    pub(crate) flash: u64,
    /// Bytes of variables.
    pub(crate) variables: u64,
    pub(crate) text: Vec<u8>,
    /// Address of the first byte of `text`.
    pub(crate) base: u64,
    /// Variables: their names and bytes.
    pub(crate) statics: Vec<(String, u64)>,
    /// Functions by address.
    pub(crate) functions: BTreeMap<u64, Function>,
    /// Parts of `text` that are constants, not instructions.
    pub(crate) data: Vec<Range<u64>>,
    /// The word at `ORCHESTRATOR_BYTES`.
    pub(crate) orchestrator: Option<u32>,
    /// Its instructions are those of RISC-V, not Thumb.
    pub(crate) riscv: bool,
}

/// A function.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) len: u64,
    /// Bytes of its stack frame, where the compiler said.
    pub(crate) frame: Option<u64>,
}

/// Reads an image.
pub(crate) fn read(path: &Path) -> Result<Image> {
    let bytes = std::fs::read(path).map_err(|why| Error::file("read", path, why))?;
    parse(&bytes).map_err(|why| Error::file("understand", path, why))
}

/// Thumb functions have odd addresses; none of RISC-V has.
const THUMB: u64 = 1;

fn parse(bytes: &[u8]) -> object::Result<Image> {
    let file = object::File::parse(bytes)?;
    let riscv = file.architecture() == Architecture::Riscv32;
    let mut image = Image { riscv, ..Image::default() };
    let mut frames = BTreeMap::new();
    let mut ram = Vec::new();
    for section in file.sections() {
        match section.name()? {
            ".text" => {
                image.flash += section.size();
                image.text = section.data()?.to_vec();
                image.base = section.address();
            }
            ".rodata" => image.flash += section.size(),
            ".data" => {
                image.flash += section.size();
                image.variables += section.size();
                ram.push(section.index());
            }
            ".bss" => {
                image.variables += section.size();
                ram.push(section.index());
            }
            ".stack_sizes" => frames = stack_sizes(section.data()?),
            _ => (),
        }
    }
    let mut marks = BTreeMap::new();
    for symbol in file.symbols() {
        let (name, address) = (symbol.name()?, symbol.address() & !THUMB);
        match name {
            _ if name.starts_with("$d") => drop(marks.insert(address, true)),
            _ if name.starts_with("$t") || name.starts_with("$x") => {
                let _ = marks.insert(address, false);
            }
            "ORCHESTRATOR_BYTES" => image.orchestrator = word(&file, symbol.address()),
            _ if symbol.kind() == SymbolKind::Text && symbol.size() > 0 => {
                let name = format!("{:#}", rustc_demangle::demangle(name));
                let frame = frames.get(&address).copied();
                image.functions.insert(address, Function { name, len: symbol.size(), frame });
            }
            _ if symbol.kind() == SymbolKind::Data
                && symbol.section_index().is_some_and(|index| ram.contains(&index)) =>
            {
                let name = format!("{:#}", rustc_demangle::demangle(name));
                image.statics.push((name, symbol.size()));
            }
            _ => (),
        }
    }
    let ends = marks.keys().skip(1).copied().chain([image.base + image.text.len() as u64]);
    let ranges = marks.iter().zip(ends);
    image.data = ranges.filter(|((_, data), _)| **data).map(|((from, _), to)| *from..to).collect();
    Ok(image)
}

/// `.stack_sizes`: an address (4 bytes, little endian) and a ULEB128 for each function.
fn stack_sizes(mut bytes: &[u8]) -> BTreeMap<u64, u64> {
    let mut sizes = BTreeMap::new();
    while let Some((address, mut rest)) = bytes.split_first_chunk::<4>() {
        let (mut size, mut shift) = (0u64, 0u32);
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            size |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        sizes.insert(u64::from(u32::from_le_bytes(*address)) & !THUMB, size);
        bytes = rest;
    }
    sizes
}

fn word(file: &object::File<'_>, address: u64) -> Option<u32> {
    let bytes =
        file.sections().find_map(|section| section.data_range(address, 4).ok().flatten())?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::stack_sizes;

    #[test]
    fn frames_are_read_with_their_variable_lengths() {
        let bytes = [0x01, 0x10, 0, 0, 0x08, 0x21, 0x10, 0, 0, 0x80, 0x02];
        assert_eq!(
            stack_sizes(&bytes).into_iter().collect::<Vec<_>>(),
            [(0x1000, 8), (0x1020, 256)]
        );
    }
}
