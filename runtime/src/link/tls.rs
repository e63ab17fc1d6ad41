//! TLS 1.3 under a message link, for devices: the broker proves who it is by a certificate, the device
//! by its own. `embedded-tls` speaks it; what a certificate is worth is judged by
//! [`certificate`](crate::certificate).
//!
//! ```text
//!   MQTT ◄──► Io ◄──► Line ◄──► Tunnel::run ◄──► records ◄──► TCP
//! ```
//! A TLS connection cannot be let go in the middle of a record, as a link lets go of a read that takes
//! too long. So it is driven by a future of its own, [`Tunnel::run`], to be spawned or joined beside
//! the orchestrator; the link's end of it is [`Line`], which is safe to let go at any time.
//!
//! # What is demanded
//! TLS 1.3 with AES-128-GCM and P-256, and nothing else; a chain that
//! [`verify`](crate::certificate::verify) takes, **and** the server's signature over this handshake. Only
//! then is anything of the device's own sent: its certificate, a signature with its key, MQTT. There is no
//! way to leave a check out, and none to go on without TLS.
//!
//! # Memory
//! A buffer for one record as received, one for a record to send, and two of [`LINE`] bytes. The server is
//! asked to keep its records within the buffer (RFC 6066, section 4), as OpenSSL and so mosquitto do; a
//! record that is longer all the same ends the connection as [`Trouble::TooLong`], and what was in it is
//! asked for again. The chain of the server is one record as well.
//!
//! # Randomness
//! Keys are as secret as [`Random`] is unpredictable. A product has a true random generator behind it; for
//! parts without one, [`Seeded`] makes them of a secret from the factory and of a count of starts.

mod line;
mod proof;
mod records;
mod seeded;
mod tunnel;

pub use line::{Io, LINE, Line};
pub use seeded::{SECRET, Seeded, count_start};
pub use tunnel::{READ_OVERHEAD, Tunnel, WRITE_SIZE};

use crate::certificate::Refusal;
use crate::provisioning::{Kind, Provisioning};
use embedded_io_async::{Read, Write};

/// Who the device is, and whom it trusts: what it was told when it was made.
#[derive(Clone, Copy)]
pub struct Identity<'i> {
    /// The certificate of the one CA that is trusted, DER.
    pub root: &'i [u8],
    /// The broker: a host name or an IPv4 address, which its certificate must be for.
    pub host: &'i str,
    /// The certificate of the device, DER, at most 1024 bytes; it is sent alone.
    pub certificate: &'i [u8],
    /// The private key of that certificate: a scalar of P-256, 32 bytes.
    pub key: &'i [u8],
    /// A moment that has passed for sure, in seconds since 1970: what was over then is refused.
    pub earliest: u64,
}

impl<'i> Identity<'i> {
    /// As it was provisioned; `None` where a part of it was not.
    pub fn of(told: &Provisioning<'i>) -> Option<Self> {
        Some(Identity {
            root: told.get(Kind::Root)?,
            host: told.text(Kind::Host)?,
            certificate: told.get(Kind::Certificate)?,
            key: told.get(Kind::Key)?,
            earliest: u64::from_le_bytes(told.get(Kind::Earliest)?.try_into().ok()?),
        })
    }
}

/// A cryptographically secure generator of random numbers.
pub trait Random {
    /// Fills the bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// Makes connections over TCP, one after the other.
#[allow(async_fn_in_trait)] // as for the link
pub trait Dial {
    /// What is received. It ends by [`Ok(0)`](Read::read) or an error.
    type Reader<'d>: Read
    where
        Self: 'd;
    /// What is sent.
    type Writer<'d>: Write
    where
        Self: 'd;

    /// Connects; what was connected before has been dropped, and is to be closed first.
    ///
    /// # Errors
    /// When there is no connection.
    async fn dial(&mut self) -> Result<(Self::Reader<'_>, Self::Writer<'_>), ()>;
}

/// Why there is no connection, or none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Trouble {
    /// Nobody answers at the address.
    Unreachable,
    /// The certificate of the server, or one above it.
    Certificate(Refusal),
    /// The server does not prove that its certificate is its own.
    Unproved,
    /// The device's own key is none.
    Key,
    /// A record, or the device's certificate, is larger than its buffer.
    TooLong,
    /// The server ended the connection before it said anything over it: in TLS 1.3 that is how a device
    /// hears that its certificate is not taken.
    Refused,
    /// The server ended the connection.
    Ended,
    /// What the server says is not TLS 1.3 as it is spoken here.
    Protocol,
}

impl Trouble {
    /// The trouble in words, ASCII.
    pub const fn text(self) -> &'static str {
        match self {
            Trouble::Unreachable => "nobody answers",
            Trouble::Certificate(refusal) => refusal.text(),
            Trouble::Unproved => "the server does not prove that its certificate is its own",
            Trouble::Key => "the device's private key is none of P-256",
            Trouble::TooLong => "a TLS record is larger than its buffer",
            Trouble::Refused => {
                "the server ended the connection at once: it does not take the device's certificate"
            }
            Trouble::Ended => "the server ended the TLS connection",
            Trouble::Protocol => "the server does not speak TLS 1.3 with P-256",
        }
    }
}
