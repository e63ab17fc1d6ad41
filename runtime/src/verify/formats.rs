//! File formats: where the signed facts of an image stand.
//!
//! A format reads a file front to back without holding it: it says what it wants to see next and
//! tells facts as it meets them. It trusts nothing and decides nothing. Whoever drives it (a
//! verifier on the device, `cargo ota inspect` on the host) hashes every byte in between.

mod mcuboot;
mod signed;
mod trailer;

pub use mcuboot::{Header, Mcuboot};
pub use signed::{OfImage, OfPlugin, Signed};
pub use trailer::Trailer;

#[cfg(feature = "image")]
pub(crate) use {mcuboot::numbers as mcuboot_numbers, trailer::numbers as trailer_numbers};

use super::{Claim, Hash, Proven, Verified};
use crate::{descriptor::Algorithm, error::Failure, plugin::Content, version::Version};

/// The most that a format looks at in one piece: a DER-encoded ECDSA signature.
pub const HELD_MAX: usize = 72;

/// Longest name of a board in an image, in bytes.
pub const BOARD_MAX: usize = 64;

/// What a format wants of a file next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// To see the next so many bytes, at most [`HELD_MAX`].
    Take(u32),
    /// To be asked again behind the next so many bytes.
    Skip(u32),
    /// To see bytes ahead of the pass, which are not hashed now; only as the first want.
    /// `offset` is a multiple of 8, `len` at most [`HELD_MAX`].
    Peek {
        /// Offset in the file.
        offset: u32,
        /// Length in bytes.
        len: u32,
    },
    /// Nothing: the file ends here.
    End,
}

/// Something a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact<'a> {
    /// Where the code is.
    Payload {
        /// Offset in the file.
        offset: u32,
        /// Length in bytes.
        len: u32,
    },
    /// Its version; signed.
    Version(Version),
    /// Its security counter; signed.
    Counter(u32),
    /// The board it is for; signed.
    Board(&'a [u8]),
    /// A signature.
    Signature {
        /// Of which kind.
        algorithm: Algorithm,
        /// The front of the fingerprint of the key it claims to be made with.
        key_id: &'a [u8],
        /// The digest it was made over.
        signed: &'a [u8; 32],
        /// The signature.
        value: &'a [u8],
    },
    /// A record that says nothing to a verifier.
    Other {
        /// Its type, in the numbers of the format.
        kind: u16,
        /// Its length in bytes.
        len: u32,
        /// Whether signatures cover it.
        signed: bool,
    },
}

/// A file format.
pub trait Format: Default {
    /// What is proved of a plugin; [`Infallible`](core::convert::Infallible) where none is of this
    /// format.
    type Plugin: Clone + core::fmt::Debug;

    /// Begins with a file of `size` bytes.
    ///
    /// # Errors
    /// [`Failure::Format`] where no file of this format has that size.
    fn begin(&mut self, size: u32) -> Result<Want, Failure>;

    /// What was wanted: `bytes` for [`Want::Take`] and [`Want::Peek`], nothing for [`Want::Skip`].
    /// `hash` is of the file up to here.
    ///
    /// # Errors
    /// [`Failure::Format`] where the file is not of this format, and [`Failure::Digest`] where it is
    /// not what its own digest says.
    fn take(
        &mut self,
        bytes: &[u8],
        hash: &Hash,
        tell: &mut impl FnMut(Fact<'_>),
    ) -> Result<Want, Failure>;

    /// What the whole file is, all else of it being right.
    ///
    /// # Errors
    /// [`Failure::Format`] where it is not what `claim` says.
    fn prove(&self, claim: &Claim, file: Verified) -> Result<Proven<Self::Plugin>, Failure>;
}

/// The proof of a file that can only be an image.
fn only_image<P>(claim: &Claim, file: Verified) -> Result<Proven<P>, Failure> {
    match claim.content {
        Content::Image => Ok(Proven::Image(file)),
        _ => Err(Failure::Format),
    }
}

/// The little-endian number at the front, which is then cut off.
fn u16_le(bytes: &mut &[u8]) -> Result<u16, Failure> {
    cut(bytes).map(u16::from_le_bytes)
}

/// The little-endian number at the front, which is then cut off.
fn u32_le(bytes: &mut &[u8]) -> Result<u32, Failure> {
    cut(bytes).map(u32::from_le_bytes)
}

/// The first `N` bytes, which are then cut off.
fn cut<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Failure> {
    let (front, rest) = bytes.split_first_chunk().ok_or(Failure::Format)?;
    *bytes = rest;
    Ok(*front)
}
