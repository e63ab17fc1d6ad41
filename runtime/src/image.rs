//! Builds, signs and reads images: for the host tool, examples and tests. Never part of firmware.
//!
//! The reverse of [`verify::formats`](crate::verify::formats), with the same numbers; what is built
//! here is bit for bit what is verified there, and [`read`] is told what a verifier is told.

mod key;
mod mcuboot;
mod plugin;
mod table;
mod trailer;

pub use key::Signer;
pub use mcuboot::mcuboot;
pub use plugin::{AboutPlugin, PluginFile, PluginSignature, plugin};
pub use table::table;
pub use trailer::trailer;

use crate::{
    error::Failure,
    verify::Hash,
    verify::formats::{Fact, Format, Want, mcuboot_numbers, trailer_numbers},
    version::Version,
};

/// How an MCUboot image begins.
pub const MCUBOOT_MAGIC: [u8; 4] = mcuboot_numbers::MAGIC.to_le_bytes();
/// How a file with our trailer ends.
pub const TRAILER_MAGIC: [u8; 8] = trailer_numbers::FOOTER_MAGIC;

/// What an image says of itself, signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// Its version.
    pub version: Version,
    /// The board it is for.
    pub board: Option<&'a str>,
    /// Its security counter; `None`, as an MCUboot image may have none, counts as 0.
    pub counter: Option<u32>,
}

/// Why an image cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbuildable {
    /// There is no payload.
    Empty,
    /// The parts do not fit the numbers of the format.
    TooLarge,
    /// The name of the board is empty or longer than 64 bytes.
    Board,
    /// An MCUboot header is 32..=65535 bytes.
    Header,
    /// The name of a plugin is empty or longer than 32 bytes, or it is said to be an image.
    Plugin,
    /// A table's pointers are no pointers, it lacks one that is required, or it is too large.
    Table,
}

impl Unbuildable {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Unbuildable::Empty => "the payload is empty",
            Unbuildable::TooLarge => "the image is larger than its format can say",
            Unbuildable::Board => "the name of a board has 1 to 64 bytes",
            Unbuildable::Header => "an MCUboot header has at least 32 bytes",
            Unbuildable::Plugin => "the name of a plugin has 1 to 32 bytes",
            Unbuildable::Table => {
                "a table has the JSON pointers of size and of stream or url, each of at most 8 steps, in 512 bytes"
            }
        }
    }
}

/// The board, checked.
fn board<'a>(about: &About<'a>) -> Result<Option<&'a [u8]>, Unbuildable> {
    let right = 1..=crate::verify::formats::BOARD_MAX;
    match about.board {
        Some(name) if !right.contains(&name.len()) => Err(Unbuildable::Board),
        name => Ok(name.map(str::as_bytes)),
    }
}

/// A length as the number of a format.
fn number<N: TryFrom<usize>>(len: usize) -> Result<N, Unbuildable> {
    len.try_into().map_err(|_| Unbuildable::TooLarge)
}

/// Reads a file in memory as a verifier would and tells the facts in it, believed or not.
///
/// # Errors
/// What is wrong with the format; facts before that have been told.
pub fn read<F: Format>(file: &[u8], tell: &mut impl FnMut(Fact<'_>)) -> Result<(), Failure> {
    let mut format = F::default();
    let mut hash = Hash::new();
    let size = u32::try_from(file.len()).map_err(|_| Failure::TooLarge)?;
    let mut want = format.begin(size)?;
    let mut rest = file;
    loop {
        let bytes = match want {
            Want::End if rest.is_empty() => return Ok(()),
            Want::End => return Err(Failure::Format),
            Want::Peek { offset, len } => {
                let from = file.get(offset as usize..).ok_or(Failure::Format)?;
                from.get(..len as usize).ok_or(Failure::Format)?
            }
            Want::Take(len) | Want::Skip(len) => {
                let (bytes, behind) = rest.split_at_checked(len as usize).ok_or(Failure::Format)?;
                hash.update(bytes);
                rest = behind;
                bytes
            }
        };
        want = format.take(bytes, &hash, tell)?;
    }
}
