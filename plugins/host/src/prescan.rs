//! A look at a module before the engine's: bounds what it can cost to load, and says plainly why.
//!
//! Translation is not metered by fuel, and the arena bounds memory, not time. Both grow with the
//! module's length, except where a few bytes stand for much: a type with a thousand parameters is
//! checked anew at every call of it. So lengths and counts are bounded here, the engine's work per
//! byte thereby too, and what this host never takes (imports, a start function) is refused by name.
//! The sections themselves are the engine's to validate: this reads their counts only.

use coreota::error::Failure;

use crate::limits::Limits;

/// Every module begins with this: the magic, and version 1.
const HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

/// Most parameters of a function type. The interface needs 2.
const PARAMS_MAX: u32 = 16;
/// Most results of a function type. The interface needs 1.
const RESULTS_MAX: u32 = 4;
/// Most runs of equal locals that one function declares.
const LOCALS_MAX: u32 = 64;

/// Checks the counts of `module`.
pub(crate) fn check(module: &[u8], limits: &Limits) -> Result<(), Failure> {
    if module.len() > limits.module as usize {
        return Err(Failure::PluginTooLarge);
    }
    let mut rest = Reader(module.strip_prefix(&HEADER).ok_or(Failure::PluginMalformed)?);
    while !rest.0.is_empty() {
        let id = rest.byte()?;
        let len = rest.number()?;
        section(id, Reader(rest.bytes(len)?), limits)?;
    }
    Ok(())
}

fn section(id: u8, mut body: Reader<'_>, limits: &Limits) -> Result<(), Failure> {
    let functions = u32::from(limits.functions);
    match id {
        1 => types(&mut body, functions),
        2 if body.number()? == 0 => Ok(()),
        2 => Err(Failure::PluginImport),
        // Functions, exports.
        3 | 7 => body.at_most(functions).map(drop),
        // Tables, memories.
        4 | 5 => body.at_most(1).map(drop),
        // Globals, elements, data.
        6 | 9 | 11 => body.at_most(functions).map(drop),
        8 => Err(Failure::PluginStart),
        10 => code(&mut body, functions),
        // The number of data segments; names and notes, which the engine skips.
        12 | 0 => Ok(()),
        // Tags and whatever comes.
        _ => Err(Failure::PluginMalformed),
    }
}

/// Function types, and no other kind: `0x60`, parameters, results, each a list of one-byte types.
fn types(body: &mut Reader<'_>, most: u32) -> Result<(), Failure> {
    for _ in 0..body.at_most(most)? {
        if body.byte()? != 0x60 {
            return Err(Failure::PluginMalformed);
        }
        let params = body.at_most(PARAMS_MAX)?;
        body.bytes(params)?;
        let results = body.at_most(RESULTS_MAX)?;
        body.bytes(results)?;
    }
    Ok(())
}

/// Bodies: each with its length, and its locals as runs of `count, type`.
fn code(body: &mut Reader<'_>, most: u32) -> Result<(), Failure> {
    for _ in 0..body.at_most(most)? {
        let len = body.number()?;
        Reader(body.bytes(len)?).at_most(LOCALS_MAX)?;
    }
    Ok(())
}

struct Reader<'m>(&'m [u8]);

impl<'m> Reader<'m> {
    fn byte(&mut self) -> Result<u8, Failure> {
        let (byte, rest) = self.0.split_first().ok_or(Failure::PluginMalformed)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn bytes(&mut self, len: u32) -> Result<&'m [u8], Failure> {
        let (bytes, rest) =
            self.0.split_at_checked(len as usize).ok_or(Failure::PluginMalformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// An unsigned LEB128 of at most 32 bits.
    fn number(&mut self) -> Result<u32, Failure> {
        let mut number = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && byte > 0x0f {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Failure::PluginMalformed)
    }

    fn at_most(&mut self, most: u32) -> Result<u32, Failure> {
        match self.number()? {
            count if count <= most => Ok(count),
            _ => Err(Failure::PluginTooLarge),
        }
    }
}
