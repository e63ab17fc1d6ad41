//! Builds and reads the signed file of a plugin: the module, with a trailer that says what it is.

use alloc::vec::Vec;

use super::{About, Signer, Unbuildable, trailer};
use crate::{
    descriptor::Algorithm,
    plugin::{Content, Facts, NAME_MAX},
    verify::{
        Hash,
        formats::trailer_numbers::{
            BOARD, ECDSA, ED25519, FACTS, FOOTER, FOOTER_MAGIC, MANIFEST, MANIFEST_MAGIC, NAME,
            SIGNATURE,
        },
    },
    version::Version,
};

/// What the signed bytes of a plugin say besides what those of an image do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AboutPlugin<'a> {
    /// The name `ota.toml` gives it.
    pub name: &'a str,
    /// What a host must know before it loads it; its length and version are those of the file.
    pub facts: Facts,
}

/// `module` with a signed trailer. A board named in `about` is the only one that takes it.
///
/// # Errors
/// Where the parts do not fit the format.
pub fn plugin(
    module: &[u8],
    about: &About<'_>,
    plugin: &AboutPlugin<'_>,
    signers: &[Signer],
) -> Result<Vec<u8>, Unbuildable> {
    let Facts { content, abi, kind, arena, fuel, memory, .. } = plugin.facts;
    if !(1..=NAME_MAX).contains(&plugin.name.len()) || content == Content::Image {
        return Err(Unbuildable::Plugin);
    }
    let mut facts = Vec::new();
    facts.extend(abi.to_le_bytes());
    facts.extend(kind.to_le_bytes());
    for number in [arena, fuel, memory] {
        facts.extend(number.to_le_bytes());
    }
    let records = [(NAME, plugin.name.as_bytes()), (FACTS, facts.as_slice())];
    trailer::file(module, about, content, &records, signers)
}

/// A plugin's file, taken apart; whether it is authentic is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginFile<'a> {
    /// The name in it.
    pub name: &'a str,
    /// What it says of itself.
    pub facts: Facts,
    /// The only board that takes it, where it names one.
    pub board: Option<&'a str>,
    /// The module.
    pub module: &'a [u8],
    /// Whether the module is the one that the signed bytes speak of.
    pub whole: bool,
    /// What signatures are over.
    pub signed: [u8; 32],
    signatures: &'a [u8],
}

/// A signature in a plugin's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginSignature<'a> {
    /// Of which kind.
    pub algorithm: Algorithm,
    /// The front of the fingerprint of its key.
    pub key_id: &'a [u8],
    /// The signature.
    pub value: &'a [u8],
}

impl<'a> PluginFile<'a> {
    /// Takes a file apart; `None` where it is not of a plugin.
    pub fn read(file: &'a [u8]) -> Option<Self> {
        let (rest, footer) = file.split_at_checked(file.len().checked_sub(FOOTER.into())?)?;
        let footer = footer.strip_suffix(&FOOTER_MAGIC)?;
        let (manifest, signatures) = (half(footer, 0)?, half(footer, 2)?);
        let len = word(footer, 4)?;
        let module = rest.get(..len as usize)?;
        let from = rest.len().checked_sub(usize::from(manifest) + usize::from(signatures))?;
        let (whole, signatures) = rest.get(from..)?.split_at_checked(manifest.into())?;
        let signed = Hash::of(whole);
        let manifest = whole.strip_prefix(&MANIFEST_MAGIC)?;
        let content = Content::from_number(word(manifest, 20)?)?;
        if content == Content::Image {
            return None;
        }
        let version = Version::from_bytes(manifest.get(8..16)?.try_into().ok()?);
        let digest: &[u8; 32] = manifest.get(24..)?.first_chunk()?;
        let records = manifest.get(usize::from(MANIFEST) - MANIFEST_MAGIC.len()..)?;
        let name = core::str::from_utf8(record(records, NAME)?).ok()?;
        let said = record(records, FACTS)?;
        let facts = Facts {
            content,
            abi: half(said, 0)?,
            kind: half(said, 2)?,
            arena: word(said, 4)?,
            fuel: word(said, 8)?,
            memory: word(said, 12)?,
            len,
            version,
        };
        let board = record(records, BOARD).and_then(|board| core::str::from_utf8(board).ok());
        let whole = Hash::of(module) == *digest;
        Some(PluginFile { name, facts, board, module, whole, signed, signatures })
    }

    /// Its signatures, of the kinds that are known.
    pub fn signatures(&self) -> impl Iterator<Item = PluginSignature<'a>> + use<'a> {
        let mut rest = self.signatures;
        core::iter::from_fn(move || {
            loop {
                let (kind, len) = (half(rest, 0)?, usize::from(half(rest, 2)?));
                let (head, value) = (usize::from(SIGNATURE), rest);
                rest = rest.get((head + len).next_multiple_of(8)..)?;
                let algorithm = match kind {
                    ECDSA => Algorithm::EcdsaP256,
                    ED25519 => Algorithm::Ed25519,
                    _ => continue,
                };
                let (key_id, value) = (value.get(8..head)?, value.get(head..head + len)?);
                return Some(PluginSignature { algorithm, key_id, value });
            }
        })
    }
}

/// The value of the record of that type.
fn record(mut records: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (kind, len) = (half(records, 0)?, half(records, 2)?.into());
        let value = records.get(4..)?.get(..len)?;
        if kind == wanted {
            return Some(value);
        }
        records = records.get((4 + len).next_multiple_of(8)..)?;
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
