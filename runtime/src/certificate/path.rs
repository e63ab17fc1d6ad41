//! From the certificate of the host to the root.

use super::{Host, PublicKey, Refusal, fields::Certificate};

/// The most certificates that a server may show.
pub const CHAIN_MAX: usize = 6;

/// The most signatures that are checked for a chain.
pub const CHECKS_MAX: usize = 8;

/// The key of the server, where its chain holds.
///
/// `chain` is what the server showed, each in DER: its own first, the others in any order. `root` is the
/// one certificate that is trusted, in DER. `earliest` is a moment that has passed for sure, in seconds
/// since 1970: what was over then is refused.
///
/// # Errors
/// What is wrong with it; where more than one thing is, the one that is found first.
pub fn verify(
    chain: &[&[u8]],
    root: &[u8],
    host: &Host<'_>,
    earliest: u64,
) -> Result<PublicKey, Refusal> {
    let [first, between @ ..] = chain else { return Err(Refusal::TooMany) };
    if chain.len() > CHAIN_MAX {
        return Err(Refusal::TooMany);
    }
    let root = Certificate::read(root)?;
    let server = Certificate::read(first)?;
    server.may_serve(host, earliest)?;
    let key = *server.key;

    let mut path = Path { between, checks: CHECKS_MAX };
    let mut signed = server;
    // Each step takes one of those between; who is not at the root then goes in a circle.
    for below in 0..=between.len() {
        let mut why = Refusal::UnknownIssuer;
        if signed.issuer == root.subject {
            if path.holds(&signed, root.key)? {
                root.may_sign(below, earliest)?;
                return Ok(key);
            }
            why = Refusal::Signature;
        }
        signed = path.issuer(&signed, why)?;
        signed.may_sign(below, earliest)?;
    }
    Err(Refusal::UnknownIssuer)
}

/// The key of a certificate that the root itself signed, whatever it is for: what a tool asks before it
/// tells a device both.
///
/// # Errors
/// What is wrong with either of them.
pub fn issued(certificate: &[u8], root: &[u8], earliest: u64) -> Result<PublicKey, Refusal> {
    let (root, issued) = (Certificate::read(root)?, Certificate::read(certificate)?);
    root.may_sign(0, earliest)?;
    if issued.issuer != root.subject {
        return Err(Refusal::UnknownIssuer);
    }
    match issued.is_signed_by(root.key) {
        true => issued.is_not_over(earliest).map(|()| *issued.key),
        false => Err(Refusal::Signature),
    }
}

struct Path<'p, 'c> {
    between: &'p [&'c [u8]],
    /// Signatures that may still be checked.
    checks: usize,
}

impl<'c> Path<'_, 'c> {
    fn holds(&mut self, signed: &Certificate<'_>, key: &PublicKey) -> Result<bool, Refusal> {
        self.checks = self.checks.checked_sub(1).ok_or(Refusal::TooMany)?;
        Ok(signed.is_signed_by(key))
    }

    /// The first that has the issuer's name and signed it. One that cannot be read is not the issuer:
    /// it may be there for others.
    fn issuer(
        &mut self,
        signed: &Certificate<'_>,
        mut why: Refusal,
    ) -> Result<Certificate<'c>, Refusal> {
        for der in self.between {
            match Certificate::read(der) {
                Ok(issuer) if issuer.subject == signed.issuer => {
                    if self.holds(signed, issuer.key)? {
                        return Ok(issuer);
                    }
                    why = Refusal::Signature;
                }
                Err(unread) if why == Refusal::UnknownIssuer => why = unread,
                _ => {}
            }
        }
        Err(why)
    }
}
