//! Random numbers for parts without a true random generator: from a secret that the device was told when
//! it was made, and from how often it started since.
//!
//! ```text
//!   secret, 32 bytes, of this device alone ──┐
//!   number of this start, never given again ─┼─► HMAC_DRBG (NIST SP 800-90A) ─► keys of connections
//!   noise, what there is ────────────────────┘
//! ```
//! Nobody without the secret can tell what comes, and no two starts give the same: [`count_start`] has
//! programmed the number, and read it back, before it gives it. What it is not: fresh entropy. Who reads
//! secret and count out of the device knows all that it ever drew, so that connections of before that
//! were recorded can be read. A part with a true random generator uses that, behind [`Random`].
//!
//! # The partition
//! Two halves of whole erase units, filled with records of 32 bytes, one a start: the number as u64,
//! little-endian, erased bytes, and a seal of 8. Behind the last one of a half comes the first of the
//! other, which is erased before, and so it does where a place cannot be programmed; so the newest record is never in what is being erased. A record that a
//! power cut tore counts as a start. With units of 64 KiB that is an erase in 2048 starts.

use super::Random;
use crate::error::Failure;
use crate::flash;
use crate::layout::Region;
use crate::sealed::{Bytes, Taker};
use embedded_storage_async::nor_flash::NorFlash;
use rfc6979_of_tls::HmacDrbg;
use sha2_of_tls::Sha256;

/// Bytes of the secret.
pub const SECRET: usize = 32;
const RECORD: usize = 32;
const KIND: u8 = b'R';

/// A generator that is as good as its secret.
pub struct Seeded(HmacDrbg<Sha256>);

impl Seeded {
    /// For the start of that number. `noise` is anything that may be different from start to start; it
    /// may be empty.
    pub fn new(secret: &[u8; SECRET], start: u64, noise: &[u8]) -> Self {
        Seeded(HmacDrbg::new(secret, &start.to_le_bytes(), noise))
    }
}

impl Random for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

/// Gives a number that it never gave before and never will, from that partition; to be called once a
/// start.
///
/// # Errors
/// Those of the flash: then there is no number, and no key may be made.
pub async fn count_start<F: NorFlash>(flash: &mut F, starts: Region) -> Result<u64, Failure> {
    let len = starts.len / 2;
    let halves =
        [Region::new(starts.offset, len), Region::new(starts.at(len, len).unwrap_or(0), len)];
    let mut found = [Found::default(); 2];
    for (found, half) in found.iter_mut().zip(halves) {
        *found = look(flash, half).await?;
    }
    let [first, second] = found;
    // The half that is being filled, and the one that comes after it.
    let (at, next, newest) = match second.number > first.number {
        true => (halves[1], halves[0], second),
        false => (halves[0], halves[1], first),
    };
    let number = newest.number.saturating_add(1 + u64::from(newest.torn));
    // What looks erased may have been hit by a power cut all the same.
    if let Some(offset) = newest.free
        && note(flash, at, offset, number).await.is_ok()
    {
        return Ok(number);
    }
    flash::erase(flash, next, u32::try_from(F::ERASE_SIZE).unwrap_or(u32::MAX)).await?;
    note(flash, next, 0, number).await.map(|()| number)
}

/// Programs a record, and reads it back.
async fn note<F: NorFlash>(
    flash: &mut F,
    half: Region,
    offset: u32,
    number: u64,
) -> Result<(), Failure> {
    let mut bytes = Bytes::<RECORD>::new();
    bytes.put(&number.to_le_bytes());
    let record = bytes.sealed(KIND, offset);
    flash::program(flash, half, offset, &record).await?;
    let mut read = [0; RECORD];
    flash::read(flash, half, offset, &mut read).await?;
    if read == record { Ok(()) } else { Err(Failure::Program) }
}

/// What is in a half.
#[derive(Clone, Copy, Default)]
struct Found {
    /// The last number; 0 where there is none.
    number: u64,
    /// Records behind it that are none.
    torn: u32,
    /// Where the next one goes; `None` in a full one.
    free: Option<u32>,
}

async fn look<F: NorFlash>(flash: &mut F, half: Region) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut bytes = [0; RECORD];
    let mut offset = 0;
    while half.at(offset, RECORD as u32).is_some() {
        flash::read(flash, half, offset, &mut bytes).await?;
        if bytes == [0xff; RECORD] {
            found.free = Some(offset);
            break;
        }
        let number = Taker::opened(&bytes, KIND, offset).and_then(|mut body| body.take());
        match number.map(u64::from_le_bytes) {
            Some(number) => (found.number, found.torn) = (number, 0),
            None => found.torn += 1,
        }
        offset += RECORD as u32;
    }
    Ok(found)
}
