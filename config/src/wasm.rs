//! What a WebAssembly module says of itself at first sight: enough to refuse, at build time, a file
//! that no device would take. The host of plugins validates all of it.

/// How a module begins: magic and version 1.
const MAGIC: [u8; 8] = *b"\0asm\x01\0\0\0";
const IMPORT: u8 = 2;
const EXPORT: u8 = 7;
const START: u8 = 8;

/// Names of the exports of a module that a device could take.
///
/// # Errors
/// Why it is none.
pub(crate) fn exports(module: &[u8]) -> Result<Vec<&str>, &'static str> {
    let Some(mut rest) = module.strip_prefix(MAGIC.as_slice()) else {
        return Err("it is no WebAssembly module");
    };
    let mut exports = None;
    while let Some((id, behind)) = rest.split_first() {
        rest = behind;
        let section = bytes(&mut rest).ok_or("it is damaged")?;
        match *id {
            IMPORT => return Err("it has imports, and a plugin has none"),
            START => return Err("it has a start function, and a plugin has none"),
            EXPORT => exports = Some(names(section).ok_or("it is damaged")?),
            0..=12 => {}
            _ => return Err("it is damaged"),
        }
    }
    exports.ok_or("it exports nothing")
}

/// The names of an export section.
fn names(mut section: &[u8]) -> Option<Vec<&str>> {
    let count = number(&mut section)?;
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(std::str::from_utf8(bytes(&mut section)?).ok()?);
        section = section.get(1..)?;
        number(&mut section)?;
    }
    section.is_empty().then_some(names)
}

/// A length, and so many bytes.
fn bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = number(rest)? as usize;
    let (bytes, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(bytes)
}

/// A number in LEB128, of 32 bits.
fn number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0u64;
    for shift in (0..35).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return number.try_into().ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with these sections.
    fn module(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let section = |(id, body): &(u8, &[u8])| [&[*id, body.len() as u8], *body].concat();
        [MAGIC.to_vec(), sections.iter().flat_map(section).collect()].concat()
    }

    #[test]
    fn exports_are_read_and_what_no_device_takes_is_named() {
        let two =
            module(&[(1, b"\x00"), (7, b"\x02\x01a\x00\x00\x02bc\x02\x80\x01"), (0, b"\x01x")]);
        assert_eq!(exports(&two), Ok(vec!["a", "bc"]));
        for (module, why) in [
            (b"\x7fELF".to_vec(), "it is no WebAssembly module"),
            (Vec::new(), "it is no WebAssembly module"),
            (module(&[]), "it exports nothing"),
            (module(&[(2, b"\x00")]), "it has imports, and a plugin has none"),
            (module(&[(8, b"\x00")]), "it has a start function, and a plugin has none"),
            (module(&[(13, b"\x00")]), "it is damaged"),
            (module(&[(7, b"\x01")]), "it is damaged"),
        ] {
            assert_eq!(exports(&module), Err(why));
        }
    }

    #[test]
    fn a_module_cut_anywhere_is_no_panic() {
        let whole = module(&[(1, b"\x00"), (7, b"\x02\x01a\x00\x00\x02bc\x02\x80\x01")]);
        for end in 0..whole.len() {
            assert!(exports(&whole[..end]).is_err(), "{end}");
        }
        let endless = [&MAGIC[..], &[1], &[0xff; 9]].concat();
        assert_eq!(exports(&endless), Err("it is damaged"));
    }
}
