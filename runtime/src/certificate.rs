//! Certificates: whether a chain that a server showed leads from the host it should be to the one
//! root that a device was told to trust. Bytes in, a key or a [`Refusal`] out; nothing is kept.
//!
//! What holds is RFC 5280, section 6, as far as a device needs it, and where there is a choice the
//! stricter one:
//!
//! | of | is demanded |
//! |---|---|
//! | every certificate | version 3; at most [`SIZE_MAX`] bytes of DER without a byte to spare; ECDSA with SHA-256, the same inside and outside, by a key on P-256; no critical extension that is not read here, no name constraints at all; not over at the earliest time it can be |
//! | the one of the host | the host among its alternative names (the common name does not count; `*` only as the whole first label); where it says what its key is for, signatures, and to serve TLS |
//! | those between | a CA; where it says what its key is for, certificates, and to serve TLS; no more of them below than it allows, those that sign themselves counted too |
//! | the root | the same; what it says of itself is believed, for it came with the device |
//!
//! The order in which the server sends what is between, and what it sends besides, does not matter: a
//! root that is sent as well, or signed by another root, is passed over. There is no revocation.
//!
//! # Time
//! A device without a clock cannot know that a certificate is over, only that it was over at some
//! moment that has passed for sure: when the device was told what it knows, or of the newest thing it
//! saw. That moment is given; one with a clock gives what its clock says. Whether a certificate is valid
//! already is not looked at.
//!
//! # Why this is our own
//! All that is demanded stands in one place, is the same on every link, and is tested alone: with chains
//! made by OpenSSL, and with every bit of one flipped. Libraries for this want a clock, or leave what keys
//! are for to the caller. What is read here is read by `der`, which refuses every encoding but the one that
//! DER has.

mod fields;
mod name;
mod path;

pub use name::Host;
pub use path::{CHAIN_MAX, CHECKS_MAX, issued, verify};

/// The longest certificate that is read, in bytes.
pub const SIZE_MAX: usize = 2048;

/// A public key on P-256: the point, uncompressed (SEC 1, 2.3.3).
pub type PublicKey = [u8; 65];

macro_rules! refusals {
    ($($code:literal $name:ident $text:literal,)*) => {
        /// Why a chain is not believed. Numbers are never given another meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[repr(u8)]
        pub enum Refusal { $(#[doc = $text] $name = $code,)* }

        impl Refusal {
            /// Every refusal there is, in the order of their numbers.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name,)*];

            /// The refusal in words, ASCII.
            pub const fn text(self) -> &'static str {
                match self { $(Refusal::$name => $text,)* }
            }
        }
    };
}

refusals! {
    1 TooLong "a certificate is too long",
    2 Malformed "a certificate is malformed",
    3 Algorithm "a certificate is not of P-256 and SHA-256",
    4 Extension "a certificate demands what is not checked here",
    5 TooMany "there are too many certificates, or none",
    6 UnknownIssuer "the certificates do not lead to the root that is trusted",
    7 Signature "a signature of a certificate does not hold",
    8 NotCa "the certificate of no CA signed another",
    9 PathLength "more CAs follow one another than one of them allows",
    10 KeyUsage "a certificate's key is not for what it is used for",
    11 NotServer "the certificate is not for a TLS server",
    12 Host "the certificate is for another host",
    13 Expired "a certificate is over",
}
