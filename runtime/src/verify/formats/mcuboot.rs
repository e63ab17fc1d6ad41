//! MCUboot's image: what MCUboot itself checks again at boot.
//!
//! ```text
//! 0              header   32 bytes: magic u32 · load address u32 · header size u16 ·
//!                         size of protected records u16 · image size u32 · flags u32 ·
//!                         version 8 · pad u32
//! header size    payload  of image size; the vector table is its first byte
//!                records  protected   (0x6908, where there are any)        hashed and signed
//!                records  unprotected (0x6907): hash, key hash, signature  up to the end of the file
//! ```
//! Records are an info header {magic u16, length of all u16} and entries {type u16, length u16,
//! value}; all little-endian (imgtool 2.5, bootutil `image.h`). Hash = SHA-256 of everything before
//! the unprotected records. Signatures are over that hash, each behind the hash of its key. The
//! board is ours: a text in the protected record 0x00a0, vendor space, made by
//! `imgtool sign --custom-tlv 0x00a0 NAME`.
//!
//! Not taken: encrypted, compressed and non-bootable images, SHA-384 and SHA-512, `--pure`
//! signatures, whole public keys in place of their hash (`--public-key-format full`), and padding
//! up to the slot's end (`--pad`): the bootloader adapter writes the slot's trailer.

use super::{BOARD_MAX, Fact, Format, HELD_MAX, Want, cut, only_image, u16_le, u32_le};
use crate::{
    descriptor::Algorithm,
    error::Failure,
    verify::{Claim, Hash, Proven, Verified},
    version::Version,
};
use core::convert::Infallible;
use numbers::*;

/// The numbers of the format.
pub(crate) mod numbers {
    pub(crate) const MAGIC: u32 = 0x96f3_b83d;
    pub(crate) const HEADER: u16 = 32;
    pub(crate) const PROTECTED: u16 = 0x6908;
    pub(crate) const UNPROTECTED: u16 = 0x6907;
    /// SHA-256 of the key's SubjectPublicKeyInfo.
    pub(crate) const KEY_HASH: u16 = 0x01;
    pub(crate) const SHA256: u16 = 0x10;
    pub(crate) const ECDSA: u16 = 0x22;
    pub(crate) const ED25519: u16 = 0x24;
    pub(crate) const COUNTER: u16 = 0x50;
    pub(crate) const BOARD: u16 = 0xa0;
    /// Position independent, loaded to RAM, built for a fixed address: what changes nothing for us.
    pub(super) const HARMLESS: u32 = 0x01 | 0x20 | 0x100;
}

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where the image wants to be in memory, for loaders that move it there.
    pub load_address: u32,
    /// Its own size: the payload begins behind it. At least [`Header::SIZE`].
    pub header: u16,
    /// Size of the protected records, 0 where there are none.
    pub protected: u16,
    /// Size of the payload, not 0.
    pub image: u32,
    /// The image's version.
    pub version: Version,
}

impl Header {
    /// Bytes of it that say something.
    pub const SIZE: usize = HEADER as usize;

    /// Reads a header.
    ///
    /// # Errors
    /// [`Failure::Format`] for what is none, or is that of an image not taken (see the top of this
    /// file: encrypted, compressed, not bootable).
    pub fn read(mut bytes: &[u8]) -> Result<Self, Failure> {
        let rest = &mut bytes;
        let magic = u32_le(rest)?;
        let load_address = u32_le(rest)?;
        let header = u16_le(rest)?;
        let protected = u16_le(rest)?;
        let image = u32_le(rest)?;
        let flags = u32_le(rest)?;
        let version = Version::from_bytes(cut(rest)?);
        if magic != MAGIC || header < HEADER || image == 0 || flags & !HARMLESS != 0 {
            return Err(Failure::Format);
        }
        Ok(Header { load_address, header, protected, image, version })
    }

    /// Where the unprotected records begin, and so how many bytes are hashed; `None` where no file
    /// is that large.
    pub fn hashed(&self) -> Option<u32> {
        u32::from(self.header).checked_add(self.image)?.checked_add(self.protected.into())
    }

    /// The size of the unprotected records, by their info header.
    ///
    /// # Errors
    /// [`Failure::Format`] for what is no such header.
    pub fn unprotected(mut info: &[u8]) -> Result<u16, Failure> {
        match (u16_le(&mut info)?, u16_le(&mut info)?) {
            (UNPROTECTED, size @ 4..) => Ok(size),
            _ => Err(Failure::Format),
        }
    }
}

/// Reads MCUboot images.
#[derive(Clone, Debug, Default)]
pub struct Mcuboot {
    size: u32,
    step: Step,
    /// Length of the protected records as the header says.
    protected: u16,
    /// Whether we are among the protected records.
    inside: bool,
    /// Bytes of the records still to come.
    left: u16,
    kind: u16,
    len: u16,
    /// Of the image, computed; and whether the image's own has been compared.
    hash: [u8; 32],
    compared: bool,
    key: Option<[u8; 32]>,
}

/// What was wanted.
#[derive(Clone, Copy, Debug, Default)]
enum Step {
    #[default]
    Header,
    Payload,
    Info,
    Entry,
    Value,
}

impl Mcuboot {
    fn header(&mut self, bytes: &[u8], tell: &mut impl FnMut(Fact<'_>)) -> Result<Want, Failure> {
        let Header { header, protected, image, version, .. } = Header::read(bytes)?;
        self.protected = protected;
        let body = u32::from(header - HEADER).checked_add(image).ok_or(Failure::Format)?;
        if body > self.size {
            return Err(Failure::Format);
        }
        tell(Fact::Payload { offset: header.into(), len: image });
        tell(Fact::Version(version));
        self.step = Step::Payload;
        Ok(Want::Skip(body))
    }

    /// The info header of the records.
    fn info(&mut self, mut bytes: &[u8], hash: &Hash) -> Result<Want, Failure> {
        let magic = u16_le(&mut bytes)?;
        let all = u16_le(&mut bytes)?;
        let right = match self.inside {
            true => magic == PROTECTED && all == self.protected,
            false => magic == UNPROTECTED,
        };
        self.left = all.checked_sub(4).filter(|_| right).ok_or(Failure::Format)?;
        self.entry_or_end(hash)
    }

    /// Wants the next entry, the unprotected records behind the last protected one, or the end.
    fn entry_or_end(&mut self, hash: &Hash) -> Result<Want, Failure> {
        match self.left {
            0 if self.inside => Ok(self.unprotected(hash)),
            0 if self.compared => Ok(Want::End),
            0..4 => Err(Failure::Format),
            _ => {
                self.step = Step::Entry;
                Ok(Want::Take(4))
            }
        }
    }

    /// Everything before the unprotected records was read.
    fn unprotected(&mut self, hash: &Hash) -> Want {
        self.hash = hash.so_far();
        self.inside = false;
        self.step = Step::Info;
        Want::Take(4)
    }

    fn entry(&mut self, mut bytes: &[u8]) -> Result<Want, Failure> {
        self.kind = u16_le(&mut bytes)?;
        self.len = u16_le(&mut bytes)?;
        let left = self.left.checked_sub(4).and_then(|left| left.checked_sub(self.len));
        self.left = left.ok_or(Failure::Format)?;
        self.step = Step::Value;
        let len = usize::from(self.len);
        let right = match (self.kind, self.inside) {
            (SHA256 | KEY_HASH, false) => len == 32,
            (ECDSA, false) => (1..=HELD_MAX).contains(&len),
            (ED25519, false) => len == 64,
            (COUNTER, true) => len == 4,
            (BOARD, true) => (1..=BOARD_MAX).contains(&len),
            // Where MCUboot would look for them although nothing we know puts them there.
            (SHA256 | KEY_HASH | ECDSA | ED25519, true) => false,
            _ => return Ok(Want::Skip(self.len.into())),
        };
        if !right {
            return Err(Failure::Format);
        }
        Ok(Want::Take(self.len.into()))
    }

    fn value(&mut self, mut bytes: &[u8], tell: &mut impl FnMut(Fact<'_>)) -> Result<(), Failure> {
        match (self.kind, self.inside) {
            (SHA256, false) if self.compared => return Err(Failure::Format),
            (SHA256, false) if bytes != self.hash => return Err(Failure::Digest),
            (SHA256, false) => self.compared = true,
            (KEY_HASH, false) => self.key = Some(cut(&mut bytes)?),
            (ECDSA, false) => self.signature(Algorithm::EcdsaP256, bytes, tell),
            (ED25519, false) => self.signature(Algorithm::Ed25519, bytes, tell),
            (COUNTER, true) => tell(Fact::Counter(u32_le(&mut bytes)?)),
            (BOARD, true) => tell(Fact::Board(bytes)),
            (kind, signed) => tell(Fact::Other { kind, len: self.len.into(), signed }),
        }
        Ok(())
    }

    /// A signature without a key hash before it is nobody's, as for MCUboot.
    fn signature(&mut self, algorithm: Algorithm, value: &[u8], tell: &mut impl FnMut(Fact<'_>)) {
        match self.key.take() {
            Some(key) => {
                tell(Fact::Signature { algorithm, key_id: &key, signed: &self.hash, value });
            }
            None => tell(Fact::Other { kind: self.kind, len: self.len.into(), signed: false }),
        }
    }
}

impl Format for Mcuboot {
    type Plugin = Infallible;

    fn prove(&self, claim: &Claim, file: Verified) -> Result<Proven<Infallible>, Failure> {
        only_image(claim, file)
    }

    fn begin(&mut self, size: u32) -> Result<Want, Failure> {
        *self = Mcuboot { size, ..Mcuboot::default() };
        Ok(Want::Take(HEADER.into()))
    }

    fn take(
        &mut self,
        bytes: &[u8],
        hash: &Hash,
        tell: &mut impl FnMut(Fact<'_>),
    ) -> Result<Want, Failure> {
        match self.step {
            Step::Header => self.header(bytes, tell),
            Step::Payload if self.protected == 0 => Ok(self.unprotected(hash)),
            Step::Payload => {
                self.inside = true;
                self.step = Step::Info;
                Ok(Want::Take(4))
            }
            Step::Info => self.info(bytes, hash),
            Step::Entry => self.entry(bytes),
            Step::Value => {
                self.value(bytes, tell)?;
                self.entry_or_end(hash)
            }
        }
    }
}
