//! Builds and signs images: for the host tool, examples and tests. Never part of firmware.
//!
//! The reverse of [`verify::formats`](crate::verify::formats), with the same numbers; what is built
//! here is bit for bit what is verified there.

mod key;
mod mcuboot;
mod trailer;

pub use key::Signer;
pub use mcuboot::mcuboot;
pub use trailer::trailer;

use crate::version::Version;

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
}

impl Unbuildable {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Unbuildable::Empty => "the payload is empty",
            Unbuildable::TooLarge => "the image is larger than its format can say",
            Unbuildable::Board => "the name of a board has 1 to 64 bytes",
            Unbuildable::Header => "an MCUboot header has at least 32 bytes",
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
