//! What one certificate says (RFC 5280, section 4.1).

use super::{PublicKey, Refusal, SIZE_MAX, name};
use crate::verify::algorithms::SignatureAlgorithm;
use crate::verify::{EcdsaP256, Hash};
use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, OctetStringRef, UtcTime};
use der::{Decode, Reader, SliceReader, Tag};

/// AlgorithmIdentifier { ecdsa-with-SHA256 } (RFC 5758, 3.2).
const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
/// SubjectPublicKeyInfo up to the point: SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 },
/// BIT STRING (RFC 5480).
const SPKI_P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
    \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
/// `[0] { INTEGER 2 }`: version 3.
const VERSION_3: &[u8] = b"\xa0\x03\x02\x01\x02";
/// The longest serial number, in bytes.
const SERIAL_MAX: usize = 20;
/// An extension of X.509 itself, 2.5.29.N, up to its last byte.
const CE: &[u8] = b"\x06\x03\x55\x1d";
/// id-kp-serverAuth.
const SERVER_AUTH: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";

/// Bits of a key usage, in its first byte.
const DIGITAL_SIGNATURE: u8 = 0x80;
const KEY_CERT_SIGN: u8 = 0x04;

/// One certificate, read whole.
pub(super) struct Certificate<'c> {
    /// What is signed, and the signature over it.
    signed: &'c [u8],
    signature: &'c [u8],
    /// Names, as they are encoded.
    pub(super) issuer: &'c [u8],
    pub(super) subject: &'c [u8],
    /// Seconds since 1970 until which it is valid.
    until: u64,
    pub(super) key: &'c PublicKey,
    says: Extensions<'c>,
}

/// What the extensions say that are read; `None` where they do not say.
#[derive(Default)]
struct Extensions<'c> {
    constraints: Option<Constraints>,
    key_usage: Option<u8>,
    serves: Option<bool>,
    names: Option<&'c [u8]>,
}

#[derive(Clone, Copy)]
struct Constraints {
    ca: bool,
    path_length: Option<u8>,
}

impl<'c> Certificate<'c> {
    /// Reads DER.
    pub(super) fn read(der: &'c [u8]) -> Result<Self, Refusal> {
        if der.len() > SIZE_MAX {
            return Err(Refusal::TooLong);
        }
        let mut outer = inside(AnyRef::from_der(der)?)?;
        let signed = outer.tlv_bytes()?;
        let algorithm = outer.tlv_bytes()?;
        let signature = bits(&mut outer)?;
        outer.finish()?;

        let mut inner = inside(AnyRef::from_der(signed)?)?;
        if inner.tlv_bytes()? != VERSION_3 {
            return Err(Refusal::Malformed);
        }
        let serial = AnyRef::decode(&mut inner)?;
        let right = (1..=SERIAL_MAX).contains(&serial.value().len());
        if der::Tagged::tag(&serial) != Tag::Integer || !right {
            return Err(Refusal::Malformed);
        }
        if inner.tlv_bytes()? != algorithm || algorithm != ECDSA_SHA256 {
            return Err(Refusal::Algorithm);
        }
        let issuer = inner.tlv_bytes()?;
        let mut validity = inside(AnyRef::decode(&mut inner)?)?;
        let (from, until) = (time(&mut validity)?, time(&mut validity)?);
        validity.finish()?;
        let subject = inner.tlv_bytes()?;
        let key = inner.tlv_bytes()?.strip_prefix(SPKI_P256).ok_or(Refusal::Algorithm)?;
        let key: &PublicKey = key.try_into().map_err(|_| Refusal::Algorithm)?;
        let says = Extensions::read(&mut inner)?;
        inner.finish()?;
        if until < from {
            return Err(Refusal::Malformed);
        }
        Ok(Certificate { signed, signature, issuer, subject, until, key, says })
    }

    /// Whether the owner of the key signed it.
    pub(super) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let mut hash = Hash::new();
        hash.update(self.signed);
        EcdsaP256::holds(key, &hash.so_far(), self.signature)
    }

    /// Whether it may be at the front of a chain, for that host.
    pub(super) fn may_serve(&self, host: &super::Host<'_>, earliest: u64) -> Result<(), Refusal> {
        self.is_for_tls(DIGITAL_SIGNATURE, earliest)?;
        let names = self.says.names.ok_or(Refusal::Host)?;
        if name::is_among(host, names)? { Ok(()) } else { Err(Refusal::Host) }
    }

    /// Whether it may have signed another, that many CAs above the front of the chain.
    pub(super) fn may_sign(&self, below: usize, earliest: u64) -> Result<(), Refusal> {
        let constraints = self.says.constraints.filter(|constraints| constraints.ca);
        let path_length = constraints.ok_or(Refusal::NotCa)?.path_length;
        if path_length.is_some_and(|most| below > most.into()) {
            return Err(Refusal::PathLength);
        }
        self.is_for_tls(KEY_CERT_SIGN, earliest)
    }

    fn is_for_tls(&self, usage: u8, earliest: u64) -> Result<(), Refusal> {
        if self.says.key_usage.is_some_and(|bits| bits & usage == 0) {
            return Err(Refusal::KeyUsage);
        }
        if self.says.serves == Some(false) {
            return Err(Refusal::NotServer);
        }
        self.is_not_over(earliest)
    }

    pub(super) fn is_not_over(&self, earliest: u64) -> Result<(), Refusal> {
        if self.until < earliest { Err(Refusal::Expired) } else { Ok(()) }
    }
}

impl<'c> Extensions<'c> {
    /// Reads what is left of the inner certificate: the extensions, or nothing.
    fn read(inner: &mut SliceReader<'c>) -> Result<Self, Refusal> {
        let mut found = Extensions::default();
        if inner.is_finished() {
            return Ok(found);
        }
        // Unique identifiers, which may stand before them, are of version 2.
        let tagged = AnyRef::decode(inner)?;
        let tag = der::Tagged::tag(&tagged);
        if !(tag.is_context_specific() && tag.number().value() == 3 && tag.is_constructed()) {
            return Err(Refusal::Malformed);
        }
        let mut list = inside(AnyRef::from_der(tagged.value())?)?;
        while !list.is_finished() {
            let mut extension = inside(AnyRef::decode(&mut list)?)?;
            let id = extension.tlv_bytes()?;
            let critical = is_true(&mut extension)?;
            let value = <&OctetStringRef>::decode(&mut extension)?.as_bytes();
            extension.finish()?;
            found.note(id, critical, value)?;
        }
        Ok(found)
    }

    fn note(&mut self, id: &[u8], critical: bool, value: &'c [u8]) -> Result<(), Refusal> {
        match id.strip_prefix(CE) {
            Some([15]) => once(&mut self.key_usage, key_usage(value)?),
            Some([17]) => once(&mut self.names, inside_bytes(value)?),
            Some([19]) => once(&mut self.constraints, constraints(value)?),
            Some([37]) => once(&mut self.serves, serves(value)?),
            // Name constraints: to pass over them would be to take what they forbid.
            Some([30]) => Err(Refusal::Extension),
            _ if critical => Err(Refusal::Extension),
            _ => Ok(()),
        }
    }
}

/// Notes what may stand there only once.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), Refusal> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Refusal::Malformed),
    }
}

/// The first byte of the bits; no others are of interest.
fn key_usage(der: &[u8]) -> Result<u8, Refusal> {
    let bits = BitStringRef::from_der(der)?;
    bits.raw_bytes().first().copied().ok_or(Refusal::Malformed)
}

/// SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }.
fn constraints(der: &[u8]) -> Result<Constraints, Refusal> {
    let mut fields = inside(AnyRef::from_der(der)?)?;
    let ca = is_true(&mut fields)?;
    let path_length = if fields.is_finished() { None } else { Some(u8::decode(&mut fields)?) };
    fields.finish()?;
    match (ca, path_length) {
        (false, Some(_)) => Err(Refusal::Malformed),
        _ => Ok(Constraints { ca, path_length }),
    }
}

/// Whether serving TLS is among the purposes.
fn serves(der: &[u8]) -> Result<bool, Refusal> {
    let mut purposes = inside(AnyRef::from_der(der)?)?;
    let mut serves = false;
    while !purposes.is_finished() {
        serves |= purposes.tlv_bytes()? == SERVER_AUTH;
    }
    Ok(serves)
}

/// A BOOLEAN DEFAULT FALSE at the front; written out it is never FALSE.
fn is_true(reader: &mut SliceReader<'_>) -> Result<bool, Refusal> {
    if reader.is_finished() || Tag::peek(reader)? != Tag::Boolean {
        return Ok(false);
    }
    if bool::decode(reader)? { Ok(true) } else { Err(Refusal::Malformed) }
}

/// Seconds since 1970, of either kind of time.
fn time(reader: &mut SliceReader<'_>) -> Result<u64, Refusal> {
    let since = match Tag::peek(reader)? {
        Tag::UtcTime => UtcTime::decode(reader)?.to_unix_duration(),
        _ => GeneralizedTime::decode(reader)?.to_unix_duration(),
    };
    Ok(since.as_secs())
}

/// A BIT STRING of whole bytes at the front.
fn bits<'c>(reader: &mut SliceReader<'c>) -> Result<&'c [u8], Refusal> {
    BitStringRef::decode(reader)?.as_bytes().ok_or(Refusal::Malformed)
}

/// What is in a SEQUENCE.
fn inside<'c>(sequence: AnyRef<'c>) -> Result<SliceReader<'c>, Refusal> {
    if der::Tagged::tag(&sequence) != Tag::Sequence {
        return Err(Refusal::Malformed);
    }
    Ok(SliceReader::new(sequence.value())?)
}

/// The same, from the bytes of the SEQUENCE and nothing behind it.
fn inside_bytes(der: &[u8]) -> Result<&[u8], Refusal> {
    let sequence = AnyRef::from_der(der)?;
    inside(sequence)?;
    Ok(sequence.value())
}

impl From<der::Error> for Refusal {
    fn from(_: der::Error) -> Self {
        Refusal::Malformed
    }
}
