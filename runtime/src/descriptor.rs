//! What a job says about one file, normalised: the common language of parsers and transports.
//!
//! Nothing here is believed: a descriptor comes from an unsigned document and only decides what is
//! worth downloading. What may be installed is decided by signed bytes, in [`verify`](crate::verify).

use crate::{field::Field, plugin::Content};

/// A kind of signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Algorithm {
    /// ECDSA on NIST P-256 over SHA-256; signatures are DER.
    EcdsaP256 = 1,
    /// Ed25519 over a SHA-256 digest; signatures are 64 bytes.
    Ed25519 = 2,
}

/// One file of a job. Fields borrow from the document, still encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor<'a> {
    /// Length of the file in bytes; never 0.
    pub size: u32,
    /// The provider's number of the file.
    pub file: u8,
    /// How many files the job has; at least 1.
    pub files: u8,
    /// What it is said to be; its signed bytes decide.
    pub content: Content,
    /// The block protocol to fetch it by, where it is not the one for MQTT streams: a name of at
    /// most 32 bytes that `ota.toml` gives a transport.
    pub protocol: Option<Field<'a>>,
    /// Name of the MQTT stream, or whatever else `protocol` knows the file by.
    pub stream: Option<Field<'a>>,
    /// Where to fetch it by HTTP.
    pub url: Option<Field<'a>>,
    /// SHA-256 of the file, 32 bytes once decoded.
    pub sha256: Option<Field<'a>>,
    /// A signature over the SHA-256 of the file.
    pub signature: Option<(Algorithm, Field<'a>)>,
    /// Version of the image, `major.minor.revision[+build]`.
    pub version: Option<Field<'a>>,
    /// Board the image is for.
    pub board: Option<Field<'a>>,
}
