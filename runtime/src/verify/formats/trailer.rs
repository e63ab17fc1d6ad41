//! Our trailer: for bootloaders that jump to the first byte of the slot (embassy-boot and others).
//!
//! The payload stays at offset 0, with its vector table; what is signed stands behind it.
//!
//! ```text
//! payload     any length > 0, then zeros up to a multiple of 8
//! manifest    0   8  magic "coreotaM"
//!             8   2  format version, 1
//!             10  2  length of the manifest, a multiple of 8
//!             12  4  length of the payload
//!             16  8  version: major 1, minor 1, revision 2, build 4
//!             24  4  security counter
//!             28  4  kind of the payload: 0 an image, 1 a plugin, 2 a table
//!             32 32  SHA-256 of the payload
//!             64     records: {type 2, length 2, value, zeros up to a multiple of 8}
//!                      1  the board it is for, 1..=64 bytes of text
//!                      2  of a plugin or table: its name, 1..=32 bytes of text
//!                      3  of a plugin or table: {version of the interface 2, kind 2, arena 4,
//!                         fuel of a call 4, linear memory 4}
//! signatures  each {algorithm 2, length 2, zeros 4, key id 8, value, zeros up to a multiple of 8}
//!                      1  ECDSA P-256 over SHA-256(manifest), DER
//!                      2  Ed25519 over the 32 bytes of SHA-256(manifest)
//! footer      0   2  length of the manifest
//!             2   2  length of the signatures, a multiple of 8; 0 where the job carries one
//!             4   4  length of the payload
//!             8   8  magic "coreotaF"
//! ```
//! All numbers are little-endian. The key id is the front of the key's
//! [fingerprint](crate::verify::algorithms::fingerprint).
//!
//! - The footer is peeked at first, to learn where the payload ends, and compared when the pass
//!   comes to it: what decides was hashed in the pass.
//! - A signature means nothing else than this: the signed bytes begin with a magic of their own, and
//!   a kind. A [`Trailer`] reads images or plugins ([`OfPlugin`](super::OfPlugin)), never both.
//! - Records of unknown type are skipped, being signed; where the type's highest bit is set, whoever
//!   does not know it must refuse the file. Signatures of unknown algorithms are skipped.

use super::{BOARD_MAX, Fact, Format, HELD_MAX, OfImage, Signed, Want, cut, u16_le, u32_le};
use crate::{
    descriptor::Algorithm,
    error::Failure,
    verify::{Claim, Hash, Proven, Verified},
    version::Version,
};
use numbers::*;

/// The numbers of the format.
pub(crate) mod numbers {
    pub(crate) const MANIFEST_MAGIC: [u8; 8] = *b"coreotaM";
    pub(crate) const FOOTER_MAGIC: [u8; 8] = *b"coreotaF";
    pub(crate) const FORMAT: u16 = 1;
    /// Length of the manifest up to its records.
    pub(crate) const MANIFEST: u16 = 64;
    /// Length of a signature up to its value.
    pub(crate) const SIGNATURE: u16 = 16;
    pub(crate) const FOOTER: u16 = 16;
    pub(crate) const BOARD: u16 = 1;
    pub(crate) const NAME: u16 = 2;
    pub(crate) const FACTS: u16 = 3;
    pub(crate) const FACTS_LEN: u16 = 16;
    /// Set in types that must be understood.
    pub(super) const CRITICAL: u16 = 0x8000;
    pub(crate) const ECDSA: u16 = 1;
    pub(crate) const ED25519: u16 = 2;
}

/// Reads files with a trailer.
#[derive(Clone, Debug, Default)]
pub struct Trailer<S = OfImage> {
    signed: S,
    size: u32,
    step: Step,
    lengths: Lengths,
    /// Of the payload, computed.
    payload: [u8; 32],
    /// Of the manifest up to here.
    manifest: Hash,
    /// Bytes of the records, then of the signatures, still to come.
    left: u16,
    kind: u16,
    /// Length of the value, without and with the zeros behind it.
    len: u16,
    padded: u16,
    key: [u8; 8],
}

/// What the footer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lengths {
    manifest: u16,
    signatures: u16,
    payload: u32,
}

/// What was wanted.
#[derive(Clone, Copy, Debug, Default)]
enum Step {
    #[default]
    Peek,
    Payload,
    Padding,
    Manifest,
    Record,
    RecordValue,
    Signature,
    SignatureValue,
    Footer,
}

impl Lengths {
    fn read(mut footer: &[u8]) -> Result<Self, Failure> {
        let rest = &mut footer;
        let lengths =
            Lengths { manifest: u16_le(rest)?, signatures: u16_le(rest)?, payload: u32_le(rest)? };
        match cut(rest)? {
            FOOTER_MAGIC => Ok(lengths),
            _ => Err(Failure::Format),
        }
    }

    /// Zeros behind the payload.
    fn padding(&self) -> u32 {
        self.payload.wrapping_neg() % 8
    }

    /// Whether a file of `size` bytes can consist of these parts.
    fn fit(&self, size: u32) -> bool {
        let parts = [self.padding(), self.manifest.into(), self.signatures.into(), FOOTER.into()];
        let sum = parts.into_iter().try_fold(self.payload, u32::checked_add);
        sum == Some(size)
            && self.payload > 0
            && self.manifest >= MANIFEST
            && self.manifest.is_multiple_of(8)
            && self.signatures.is_multiple_of(8)
    }
}

impl<S: Signed> Trailer<S> {
    fn go(&mut self, step: Step, want: Want) -> Result<Want, Failure> {
        self.step = step;
        Ok(want)
    }

    fn manifest(
        &mut self,
        mut bytes: &[u8],
        tell: &mut impl FnMut(Fact<'_>),
    ) -> Result<Want, Failure> {
        self.manifest.update(bytes);
        let rest = &mut bytes;
        let magic = cut(rest)?;
        let format = u16_le(rest)?;
        let lengths = Lengths { manifest: u16_le(rest)?, payload: u32_le(rest)?, ..self.lengths };
        let version = Version::from_bytes(cut(rest)?);
        let counter = u32_le(rest)?;
        let kind = u32_le(rest)?;
        let payload: [u8; 32] = cut(rest)?;
        if (magic, format, lengths) != (MANIFEST_MAGIC, FORMAT, self.lengths) {
            return Err(Failure::Format);
        }
        self.signed.payload(kind, self.lengths.payload, version)?;
        if payload != self.payload {
            return Err(Failure::Digest);
        }
        tell(Fact::Payload { offset: 0, len: self.lengths.payload });
        tell(Fact::Version(version));
        tell(Fact::Counter(counter));
        self.left = self.lengths.manifest.checked_sub(MANIFEST).ok_or(Failure::Format)?;
        self.record_or_signatures()
    }

    fn record_or_signatures(&mut self) -> Result<Want, Failure> {
        if self.left > 0 {
            return self.go(Step::Record, Want::Take(4));
        }
        self.left = self.lengths.signatures;
        self.signature_or_footer()
    }

    fn record(&mut self, mut bytes: &[u8]) -> Result<Want, Failure> {
        self.manifest.update(bytes);
        self.kind = u16_le(&mut bytes)?;
        self.part(4, u16_le(&mut bytes)?)?;
        match self.kind {
            BOARD if (1..=BOARD_MAX).contains(&self.len.into()) => {}
            kind if S::reads(kind).is_some_and(|longest| self.len <= longest) => {}
            kind if S::reads(kind).is_some() => return Err(Failure::Format),
            BOARD | CRITICAL.. => return Err(Failure::Format),
            _ => {}
        }
        self.record_piece()
    }

    /// Wants the value, piece by piece: it is hashed.
    fn record_piece(&mut self) -> Result<Want, Failure> {
        self.go(Step::RecordValue, Want::Take(u32::from(self.padded).min(HELD_MAX as u32)))
    }

    fn record_value(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(Fact<'_>),
    ) -> Result<Want, Failure> {
        self.manifest.update(bytes);
        if self.kind == BOARD {
            tell(Fact::Board(unpadded(bytes, self.len)?));
            return self.record_or_signatures();
        }
        if S::reads(self.kind).is_some() {
            self.signed.record(self.kind, unpadded(bytes, self.len)?)?;
            return self.record_or_signatures();
        }
        self.padded = self.padded.saturating_sub(bytes.len() as u16); // at most HELD_MAX
        if self.padded > 0 {
            return self.record_piece();
        }
        tell(Fact::Other { kind: self.kind, len: self.len.into(), signed: true });
        self.record_or_signatures()
    }

    fn signature_or_footer(&mut self) -> Result<Want, Failure> {
        match self.left {
            0 => self.go(Step::Footer, Want::Take(FOOTER.into())),
            _ => self.go(Step::Signature, Want::Take(SIGNATURE.into())),
        }
    }

    fn signature(&mut self, mut bytes: &[u8]) -> Result<Want, Failure> {
        let rest = &mut bytes;
        self.kind = u16_le(rest)?;
        self.part(SIGNATURE, u16_le(rest)?)?;
        let zeros = u32_le(rest)?;
        self.key = cut(rest)?;
        let len = usize::from(self.len);
        let (right, want) = match self.kind {
            ECDSA => ((1..=HELD_MAX).contains(&len), Want::Take(self.padded.into())),
            ED25519 => (len == 64, Want::Take(self.padded.into())),
            _ => (true, Want::Skip(self.padded.into())),
        };
        if zeros != 0 || !right {
            return Err(Failure::Format);
        }
        self.go(Step::SignatureValue, want)
    }

    fn signature_value(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(Fact<'_>),
    ) -> Result<Want, Failure> {
        let algorithm = match self.kind {
            ECDSA => Algorithm::EcdsaP256,
            ED25519 => Algorithm::Ed25519,
            kind => {
                tell(Fact::Other { kind, len: self.len.into(), signed: false });
                return self.signature_or_footer();
            }
        };
        let value = unpadded(bytes, self.len)?;
        let signed = &self.manifest.so_far();
        tell(Fact::Signature { algorithm, key_id: &self.key, signed, value });
        self.signature_or_footer()
    }

    /// Notes the length of a value behind `head` bytes, all of which must be in what is left.
    fn part(&mut self, head: u16, len: u16) -> Result<(), Failure> {
        let all = head.checked_add(len).and_then(|all| all.checked_next_multiple_of(8));
        let all = all.ok_or(Failure::Format)?;
        self.left = self.left.checked_sub(all).ok_or(Failure::Format)?;
        self.len = len;
        self.padded = all.saturating_sub(head);
        Ok(())
    }
}

/// The first `len` bytes; only zeros may follow.
fn unpadded(bytes: &[u8], len: u16) -> Result<&[u8], Failure> {
    let (value, zeros) = bytes.split_at_checked(len.into()).ok_or(Failure::Format)?;
    match zeros.iter().all(|byte| *byte == 0) {
        true => Ok(value),
        false => Err(Failure::Format),
    }
}

impl<S: Signed> Format for Trailer<S> {
    type Plugin = S::Plugin;

    fn prove(&self, claim: &Claim, file: Verified) -> Result<Proven<S::Plugin>, Failure> {
        self.signed.prove(claim, file)
    }

    fn begin(&mut self, size: u32) -> Result<Want, Failure> {
        *self = Trailer { size, ..Trailer::default() };
        let offset = size.checked_sub(FOOTER.into()).filter(|offset| offset.is_multiple_of(8));
        Ok(Want::Peek { offset: offset.ok_or(Failure::Format)?, len: FOOTER.into() })
    }

    fn take(
        &mut self,
        bytes: &[u8],
        hash: &Hash,
        tell: &mut impl FnMut(Fact<'_>),
    ) -> Result<Want, Failure> {
        match self.step {
            Step::Peek => {
                self.lengths = Lengths::read(bytes)?;
                if !self.lengths.fit(self.size) {
                    return Err(Failure::Format);
                }
                self.go(Step::Payload, Want::Skip(self.lengths.payload))
            }
            Step::Payload => {
                self.payload = hash.so_far();
                self.go(Step::Padding, Want::Take(self.lengths.padding()))
            }
            Step::Padding => {
                unpadded(bytes, 0)?;
                self.go(Step::Manifest, Want::Take(MANIFEST.into()))
            }
            Step::Manifest => self.manifest(bytes, tell),
            Step::Record => self.record(bytes),
            Step::RecordValue => self.record_value(bytes, tell),
            Step::Signature => self.signature(bytes),
            Step::SignatureValue => self.signature_value(bytes, tell),
            Step::Footer if Lengths::read(bytes)? == self.lengths => Ok(Want::End),
            Step::Footer => Err(Failure::Format),
        }
    }
}
