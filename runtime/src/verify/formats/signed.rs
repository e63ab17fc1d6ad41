//! What a trailer's manifest says besides version and board: nothing for an image; for a plugin, whose
//! it is and what it needs.

use core::{convert::Infallible, fmt::Debug};

use super::{only_image, trailer::numbers, u16_le, u32_le};
use crate::{
    error::Failure,
    plugin::{Content, Facts, NAME_MAX},
    verify::{Claim, Proven, Verified, VerifiedPlugin},
    version::Version,
};
use heapless::String;

/// What is read of a manifest for one use of the format.
pub trait Signed: Clone + Debug + Default {
    /// What is proved of a plugin.
    type Plugin: Clone + Debug;

    /// Takes the kind of the payload, its length and its version.
    ///
    /// # Errors
    /// [`Failure::Format`] where such files have no use here.
    fn payload(&mut self, kind: u32, len: u32, version: Version) -> Result<(), Failure>;

    /// Longest value of the records of this type, where they are read here.
    fn reads(kind: u16) -> Option<u16>;

    /// Takes the value of a record that is read here.
    ///
    /// # Errors
    /// [`Failure::Format`] where it is not what it should be, or comes twice.
    fn record(&mut self, kind: u16, value: &[u8]) -> Result<(), Failure>;

    /// What the file is, all else of it being right.
    ///
    /// # Errors
    /// [`Failure::Format`] where it is not what `claim` says, or a record is missing.
    fn prove(&self, claim: &Claim, file: Verified) -> Result<Proven<Self::Plugin>, Failure>;
}

/// The payload is an image.
#[derive(Clone, Debug, Default)]
pub struct OfImage;

impl Signed for OfImage {
    type Plugin = Infallible;

    fn payload(&mut self, kind: u32, _: u32, _: Version) -> Result<(), Failure> {
        match Content::from_number(kind) {
            Some(Content::Image) => Ok(()),
            _ => Err(Failure::Format),
        }
    }

    fn reads(_: u16) -> Option<u16> {
        None
    }

    fn record(&mut self, _: u16, _: &[u8]) -> Result<(), Failure> {
        Ok(())
    }

    fn prove(&self, claim: &Claim, file: Verified) -> Result<Proven<Infallible>, Failure> {
        only_image(claim, file)
    }
}

/// The payload is a plugin, or a table.
#[derive(Clone, Debug, Default)]
pub struct OfPlugin {
    content: Content,
    len: u32,
    version: Version,
    name: String<NAME_MAX>,
    needs: Option<Needs>,
}

/// The record of what a module needs.
#[derive(Clone, Copy, Debug)]
struct Needs {
    abi: u16,
    kind: u16,
    arena: u32,
    fuel: u32,
    memory: u32,
}

impl Needs {
    fn read(mut bytes: &[u8]) -> Result<Self, Failure> {
        let rest = &mut bytes;
        let needs = Needs {
            abi: u16_le(rest)?,
            kind: u16_le(rest)?,
            arena: u32_le(rest)?,
            fuel: u32_le(rest)?,
            memory: u32_le(rest)?,
        };
        match rest {
            [] => Ok(needs),
            _ => Err(Failure::Format),
        }
    }
}

impl Signed for OfPlugin {
    type Plugin = VerifiedPlugin;

    fn payload(&mut self, kind: u32, len: u32, version: Version) -> Result<(), Failure> {
        self.content = match Content::from_number(kind) {
            Some(content @ (Content::Plugin | Content::Table)) => content,
            _ => return Err(Failure::Format),
        };
        (self.len, self.version) = (len, version);
        Ok(())
    }

    fn reads(kind: u16) -> Option<u16> {
        match kind {
            numbers::NAME => Some(NAME_MAX as u16),
            numbers::FACTS => Some(numbers::FACTS_LEN),
            _ => None,
        }
    }

    fn record(&mut self, kind: u16, value: &[u8]) -> Result<(), Failure> {
        match kind {
            numbers::NAME if self.name.is_empty() && !value.is_empty() => {
                let name = core::str::from_utf8(value).map_err(|_| Failure::Format)?;
                self.name.push_str(name).map_err(|_| Failure::Format)
            }
            numbers::FACTS if self.needs.is_none() => {
                self.needs = Some(Needs::read(value)?);
                Ok(())
            }
            _ => Err(Failure::Format),
        }
    }

    fn prove(&self, claim: &Claim, file: Verified) -> Result<Proven<VerifiedPlugin>, Failure> {
        let Some(Needs { abi, kind, arena, fuel, memory }) = self.needs else {
            return Err(Failure::Format);
        };
        // Plugin or table: the signed bytes say. An image it is not.
        if claim.content == Content::Image || self.name.is_empty() {
            return Err(Failure::Format);
        }
        let (content, len, version) = (self.content, self.len, self.version);
        let facts = Facts { content, abi, kind, arena, fuel, memory, len, version };
        Ok(Proven::Plugin(VerifiedPlugin::new(self.name.clone(), facts, file)))
    }
}
