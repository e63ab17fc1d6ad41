//! Verification: only what is in the slot, as read back, and only what is signed, decides.
//!
//! A [`Verifier`] is asked where to read and fed what was read; at the end it gives a verdict. The
//! verdict's good half, [`Verified`], can be made nowhere else and is the only thing a bootloader
//! adapter stages: a check that must not be skipped is a value.
//!
//! [`Native`] is the verifier: one pass over the file, front to back, whatever its format and
//! algorithms. A pipeline with plugins verifies by [`ByContent`]: its good half is then an image
//! *or* a plugin, two types of which the bootloader takes the one and the plugin store the other.
//!
//! | room | holds |
//! |---|---|
//! | [`native`] | the pass, and the order in which an image is refused |
//! | [`formats`] | where the signed facts stand in a file: MCUboot's image, or our trailer |
//! | [`plugin`] | what is proved of a plugin, and how images and plugins are told apart |
//! | [`algorithms`] | what a signature is: ECDSA P-256, Ed25519; and how a key is named |

pub mod algorithms;
#[cfg(feature = "ecdsa-p256")]
mod der;
pub mod formats;
mod hash;
pub mod native;
pub mod plugin;
mod signatures;

pub use algorithms::Algorithms;
#[cfg(feature = "ecdsa-p256")]
pub use algorithms::EcdsaP256;
#[cfg(feature = "ed25519")]
pub use algorithms::Ed25519;
pub use hash::Hash;
pub use native::Native;
pub use plugin::{ByContent, VerifiedPlugin};

use crate::{descriptor::Algorithm, error::Failure, plugin::Content, version::Version};

/// Proof that the image in the slot is whole, authentic, newer and meant for this board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Verified {
    size: u32,
    digest: [u8; 32],
    version: Version,
}

impl Verified {
    /// Length of the file in the slot, in bytes.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// SHA-256 of the file in the slot.
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Version, from signed bytes.
    pub const fn version(&self) -> Version {
        self.version
    }
}

#[cfg(feature = "sim")]
impl Verified {
    /// Proof of nothing, for trying out a [`Boot`](crate::boot::Boot) in a simulated world, in
    /// which the bootloader is asked about images that were never downloaded.
    pub const fn simulated(size: u32) -> Self {
        let version = Version { major: 0, minor: 0, revision: 0, build: 0 };
        Verified { size, digest: [0; 32], version }
    }
}

/// What a file was proved to be: an image, or a plugin, where there are plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Proven<P> {
    /// For the bootloader.
    Image(Verified),
    /// For the plugin store.
    Plugin(P),
}

/// A public key that is trusted to sign images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name in `ota.toml`; images name a key by its [fingerprint](algorithms::fingerprint).
    pub id: &'static str,
    /// What it verifies.
    pub algorithm: Algorithm,
    /// ECDSA P-256: the uncompressed point, 65 bytes (SEC1). Ed25519: 32 bytes.
    pub bytes: &'static [u8],
}

/// What must hold of an image, besides its signatures: `[verify]` of `ota.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Algorithms of which each must have a valid signature by a trusted key; not empty.
    pub require: &'static [Algorithm],
    /// The trusted keys; at most 32 are looked at.
    pub keys: &'static [Key],
    /// The board this firmware is for.
    pub board: &'static str,
    /// Whether an image that names no board is refused.
    pub board_required: bool,
    /// The version that runs; [`Parts`](crate::Parts) has the last word on it.
    pub running: Version,
    /// Whether an image that is not newer is allowed.
    pub older_allowed: bool,
    /// Security counter of the running image: a lower one is refused.
    pub counter: u32,
}

/// Longest signature in a job document, decoded: a DER-encoded ECDSA P-256 signature.
pub const SIGNATURE_MAX: usize = 72;

/// What the job promised of the file, decoded and owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What the file is said to be: nothing else is accepted of it.
    pub content: Content,
    /// Length of the file in bytes.
    pub size: u32,
    /// SHA-256 of the file.
    pub sha256: Option<[u8; 32]>,
    /// A detached signature over the SHA-256 of the file.
    pub signature: Option<(Algorithm, heapless::Vec<u8, SIGNATURE_MAX>)>,
}

impl Claim {
    /// An image of `size` bytes, of which nothing is promised.
    pub const fn image(size: u32) -> Self {
        Claim { content: Content::Image, size, sha256: None, signature: None }
    }

    /// A plugin or table of `size` bytes, of which nothing is promised.
    pub const fn plugin(size: u32) -> Self {
        Claim { content: Content::Plugin, size, sha256: None, signature: None }
    }
}

/// What a verifier wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Next<P> {
    /// These bytes of the file; `offset` is a multiple of 8, `len` at most what was said in
    /// [`Verifier::start`].
    Read {
        /// Offset in the file.
        offset: u32,
        /// Length in bytes.
        len: u32,
    },
    /// Nothing more: this is the answer.
    Verdict(Result<Proven<P>, Failure>),
}

/// Checks the file in the slot. Pure: it says what to read and is given the bytes.
pub trait Verifier {
    /// What is proved of a plugin; [`Infallible`](core::convert::Infallible) where only images are
    /// ever accepted.
    type Plugin: Clone + core::fmt::Debug;

    /// Begins; `chunk` is the most that can be read at once, at least 256 and a multiple of 8.
    fn start(&mut self, rules: &Rules, claim: &Claim, chunk: u32) -> Next<Self::Plugin>;

    /// Takes the bytes that the last [`Next::Read`] asked for.
    fn feed(&mut self, rules: &Rules, claim: &Claim, bytes: &[u8]) -> Next<Self::Plugin>;
}

/// Runs a verifier over an image that is in memory, as host tools and tests have it.
///
/// # Errors
/// What the verifier says; [`Failure::Read`] where it asks for bytes outside the file;
/// [`Failure::Format`] where the file is a plugin.
pub fn check(
    verifier: &mut impl Verifier,
    rules: &Rules,
    claim: &Claim,
    file: &[u8],
) -> Result<Verified, Failure> {
    match prove(verifier, rules, claim, file)? {
        Proven::Image(image) => Ok(image),
        Proven::Plugin(_) => Err(Failure::Format),
    }
}

/// Runs a verifier over a file that is in memory, whatever it is.
///
/// # Errors
/// What the verifier says; [`Failure::Read`] where it asks for bytes outside the file.
pub fn prove<V: Verifier>(
    verifier: &mut V,
    rules: &Rules,
    claim: &Claim,
    file: &[u8],
) -> Result<Proven<V::Plugin>, Failure> {
    let mut next = verifier.start(rules, claim, 4096);
    loop {
        next = match next {
            Next::Verdict(verdict) => return verdict,
            Next::Read { offset, len } => {
                let rest = file.get(offset as usize..).ok_or(Failure::Read)?;
                let bytes = rest.get(..len as usize).ok_or(Failure::Read)?;
                verifier.feed(rules, claim, bytes)
            }
        };
    }
}
