//! Builds what a [`StoredTable`](crate::parser::table::StoredTable) reads.

use alloc::vec::Vec;

use super::Unbuildable;
use crate::{
    field::Coding,
    parser::table::{TableSpec, binary},
};

/// The table in its [binary form](crate::parser::table#binary-form), to be signed as a plugin is.
/// Its name is not part of it: that is the one the device's `ota.toml` gives its parser.
///
/// # Errors
/// [`Unbuildable::Table`] where no device would read it.
pub fn table(spec: &TableSpec<'_>) -> Result<Vec<u8>, Unbuildable> {
    let plain = |path| (path, Coding::Plain, 0);
    let fields = [
        Some(plain(spec.size)),
        spec.file.map(plain),
        spec.stream.map(plain),
        spec.url.map(plain),
        spec.sha256.map(|coded| (coded.path, coded.coding, 0)),
        spec.signature.map(|signed| (signed.path, signed.coding, signed.algorithm as u8)),
        spec.version.map(plain),
        spec.board.map(plain),
        spec.protocol.map(plain),
    ];
    let mut bytes = Vec::from(binary::MAGIC);
    bytes.push(binary::FORMAT);
    for (number, field) in (1..).zip(fields) {
        let Some((path, coding, algorithm)) = field else { continue };
        let len = u8::try_from(path.len()).map_err(|_| Unbuildable::Table)?;
        bytes.extend([number, coding as u8, algorithm, len]);
        bytes.extend(path.as_bytes());
    }
    match binary::read(&bytes, spec.name) {
        Ok(read) if read == *spec => Ok(bytes),
        _ => Err(Unbuildable::Table),
    }
}
