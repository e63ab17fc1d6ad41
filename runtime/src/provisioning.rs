//! What a device is told once, when it is made: its name, its broker, its keys. Written by
//! `cargo ota provision` into the partition `provisioning`, read by the firmware at start.
//!
//! ```text
//!   0  "COP1"
//!   4  length of the records, u32
//!   8  the first 8 bytes of SHA-256 over the 8 bytes above and the records
//!  16  records: kind u16, length u16, that many bytes
//! ```
//! Numbers are little-endian. A kind that is not known is passed over; of a kind that comes twice
//! the first counts.

use crate::{error::Failure, layout::Region, verify::Hash};
use embedded_storage_async::nor_flash::ReadNorFlash;

/// The most that is written, in bytes: what a buffer must hold for certificates and keys. Without them
/// 512 are enough.
pub const SIZE_MAX: usize = 2048;

const MAGIC: [u8; 4] = *b"COP1";
const HEAD: usize = 16;

/// What a record says. Kinds are never renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u16)]
pub enum Kind {
    /// The name of the device at its provider.
    Thing = 1,
    /// The broker: a host name or an IPv4 address.
    Host = 2,
    /// The port of the broker, u16.
    Port = 3,
    /// The certificate of the one CA whose brokers are trusted, DER.
    Root = 4,
    /// The certificate of the device, DER.
    Certificate = 5,
    /// The private key of that certificate: a scalar of P-256, 32 bytes.
    Key = 6,
    /// When the device was told all this, in seconds since 1970, u64: what was over then is refused.
    Earliest = 7,
    /// What a device without a true random generator makes its random numbers of: 32 bytes that no other
    /// device has.
    Secret = 8,
}

/// The records, found whole.
#[derive(Clone, Copy, Debug)]
pub struct Provisioning<'b> {
    records: &'b [u8],
}

impl<'b> Provisioning<'b> {
    /// Reads the partition; `buffer` must hold all of it that is used, in whole read units.
    ///
    /// # Errors
    /// [`Failure::Read`]; [`Failure::Misconfigured`] where nothing was written, or not all of it,
    /// or more than `buffer` holds.
    pub async fn read<F: ReadNorFlash>(
        flash: &mut F,
        partition: Region,
        buffer: &'b mut [u8],
    ) -> Result<Self, Failure> {
        let room = buffer.len().min(partition.len as usize) / F::READ_SIZE * F::READ_SIZE;
        let buffer = buffer.get_mut(..room).unwrap_or_default();
        flash.read(partition.offset, buffer).await.map_err(|_| Failure::Read)?;
        Self::open(buffer)
    }

    /// The records in the bytes of the partition, or of its start.
    ///
    /// # Errors
    /// [`Failure::Misconfigured`] where they are not whole.
    pub fn open(bytes: &'b [u8]) -> Result<Self, Failure> {
        Self::whole(bytes).ok_or(Failure::Misconfigured)
    }

    fn whole(bytes: &'b [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let (magic, len) = (head.first_chunk()?, head.get(4..)?.first_chunk()?);
        let records = rest.get(..usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
        let whole = *magic == MAGIC && *head.get(8..)? == seal(*len, records);
        whole.then_some(Provisioning { records })
    }

    /// What the record of that kind says, if there is one.
    pub fn get(&self, kind: Kind) -> Option<&'b [u8]> {
        let mut rest = self.records;
        while let Some((head, tail)) = rest.split_first_chunk::<4>() {
            let [k0, k1, l0, l1] = *head;
            let (record, behind) = tail.split_at_checked(u16::from_le_bytes([l0, l1]).into())?;
            if u16::from_le_bytes([k0, k1]) == kind as u16 {
                return Some(record);
            }
            rest = behind;
        }
        None
    }

    /// The same, where it is text.
    pub fn text(&self, kind: Kind) -> Option<&'b str> {
        core::str::from_utf8(self.get(kind)?).ok()
    }

    /// The same, where it is a number of 16 bits.
    pub fn number(&self, kind: Kind) -> Option<u16> {
        Some(u16::from_le_bytes(self.get(kind)?.try_into().ok()?))
    }
}

fn seal(len: [u8; 4], records: &[u8]) -> [u8; 8] {
    let mut hash = Hash::new();
    hash.update(&MAGIC);
    hash.update(&len);
    hash.update(records);
    hash.so_far().first_chunk().copied().unwrap_or_default()
}

/// The bytes to write to the start of an erased partition; `None` where a record is longer than
/// 65535 bytes.
#[cfg(feature = "image")]
pub fn to_bytes(records: &[(Kind, &[u8])]) -> Option<alloc::vec::Vec<u8>> {
    let mut body = alloc::vec::Vec::new();
    for (kind, record) in records {
        body.extend((*kind as u16).to_le_bytes());
        body.extend(u16::try_from(record.len()).ok()?.to_le_bytes());
        body.extend_from_slice(record);
    }
    let len = u32::try_from(body.len()).ok()?.to_le_bytes();
    Some([&MAGIC, &len, &seal(len, &body)[..], &body].concat())
}
