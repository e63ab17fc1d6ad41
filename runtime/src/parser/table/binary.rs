//! The [binary form](super#binary-form) of a table, read.

use super::{Coded, Signed, TableSpec};
use crate::{descriptor::Algorithm, error::Failure, field::Coding, wire::NESTING};

/// The most bytes of a table.
pub const LEN_MAX: usize = 512;
/// What it begins with, and the format.
pub(crate) const MAGIC: [u8; 3] = *b"COT";
pub(crate) const FORMAT: u8 = 1;

/// A field as it stands there.
#[derive(Clone, Copy)]
struct Row<'s> {
    coding: u8,
    algorithm: u8,
    path: &'s str,
}

/// Reads the table of a parser of that name.
///
/// # Errors
/// [`Failure::PluginAbi`] for another format, [`Failure::PluginMalformed`] for anything else that is
/// not as it is drawn.
pub(crate) fn read<'s>(bytes: &'s [u8], name: &'s str) -> Result<TableSpec<'s>, Failure> {
    let (magic, rest) = bytes.split_first_chunk().ok_or(Failure::PluginMalformed)?;
    if *magic != MAGIC || bytes.len() > LEN_MAX {
        return Err(Failure::PluginMalformed);
    }
    match rest {
        [FORMAT, rest @ ..] => fields(rest, name).ok_or(Failure::PluginMalformed),
        [_, ..] => Err(Failure::PluginAbi),
        [] => Err(Failure::PluginMalformed),
    }
}

fn fields<'s>(mut rest: &'s [u8], name: &'s str) -> Option<TableSpec<'s>> {
    let mut rows = [None; 9];
    let mut last = 0;
    while let [number, coding, algorithm, len, behind @ ..] = rest {
        let (path, behind) = behind.split_at_checked((*len).into())?;
        let path = core::str::from_utf8(path).ok().filter(|path| is_pointer(path))?;
        (*number > last).then_some(())?;
        last = *number;
        let row = Row { coding: *coding, algorithm: *algorithm, path };
        *rows.get_mut(usize::from(last - 1))? = Some(row);
        rest = behind;
    }
    // The head of a field that is cut off.
    rest.is_empty().then_some(())?;

    let [size, file, stream, url, sha256, signature, version, board, protocol] = rows;
    (stream.is_some() || url.is_some()).then_some(())?;
    Some(TableSpec {
        name,
        size: plain(size)??,
        file: plain(file)?,
        stream: plain(stream)?,
        url: plain(url)?,
        sha256: match sha256 {
            None => None,
            Some(Row { coding, algorithm: 0, path }) => {
                Some(Coded { path, coding: coding_of(coding)? })
            }
            Some(_) => return None,
        },
        signature: match signature {
            None => None,
            Some(Row { coding, algorithm, path }) => Some(Signed {
                path,
                coding: coding_of(coding)?,
                algorithm: algorithm_of(algorithm)?,
            }),
        },
        version: plain(version)?,
        board: plain(board)?,
        protocol: plain(protocol)?,
    })
}

/// The pointer of a field that has nothing besides; the outer `None`: it has.
fn plain(row: Option<Row<'_>>) -> Option<Option<&str>> {
    match row {
        None => Some(None),
        Some(Row { coding: 0, algorithm: 0, path }) => Some(Some(path)),
        Some(_) => None,
    }
}

fn coding_of(number: u8) -> Option<Coding> {
    [Coding::Plain, Coding::Base64, Coding::Hex].into_iter().find(|coding| *coding as u8 == number)
}

fn algorithm_of(number: u8) -> Option<Algorithm> {
    [Algorithm::EcdsaP256, Algorithm::Ed25519].into_iter().find(|kind| *kind as u8 == number)
}

fn is_pointer(path: &str) -> bool {
    let bytes = path.as_bytes();
    let after = |at: usize| bytes.get(at + 1);
    let mut tildes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'~');
    path.starts_with('/')
        && bytes.iter().filter(|byte| **byte == b'/').count() <= NESTING as usize
        && tildes.all(|(at, _)| matches!(after(at), Some(b'0' | b'1')))
}
