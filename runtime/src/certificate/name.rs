//! Whether a certificate is for a host (RFC 5280, 4.2.1.6; RFC 9525, section 6).

use super::Refusal;
use core::net::Ipv4Addr;
use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tagged};

/// The host a server should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'h> {
    /// A name in the DNS, ASCII.
    Name(&'h str),
    /// An address.
    Address(Ipv4Addr),
}

impl<'h> From<&'h str> for Host<'h> {
    /// An address where it is written as one, else a name.
    fn from(text: &'h str) -> Self {
        text.parse().map_or(Host::Name(text), Host::Address)
    }
}

/// Numbers of the two kinds of GeneralName.
const DNS_NAME: u32 = 2;
const IP_ADDRESS: u32 = 7;

/// Whether the host is among the alternative names.
pub(super) fn is_among(host: &Host<'_>, names: &[u8]) -> Result<bool, Refusal> {
    let mut names = SliceReader::new(names)?;
    let mut found = false;
    while !names.is_finished() {
        let name = AnyRef::decode(&mut names)?;
        let kind = name.tag();
        if !kind.is_context_specific() {
            return Err(Refusal::Malformed);
        }
        found |= match (host, kind.number().value()) {
            (Host::Name(host), DNS_NAME) => is_name(host, name.value()),
            (Host::Address(address), IP_ADDRESS) => name.value() == address.octets(),
            _ => false,
        };
    }
    Ok(found)
}

/// Whether a name in a certificate, perhaps with `*` as its whole first label, is that of the host.
fn is_name(host: &str, pattern: &[u8]) -> bool {
    let host = host.as_bytes();
    let host = host.strip_suffix(b".").unwrap_or(host);
    let Some(domain) = pattern.strip_prefix(b"*.") else {
        return is_plain(host) && pattern.eq_ignore_ascii_case(host);
    };
    // One label stands for `*`, and a domain of one label is nobody's.
    let Some(dot) = host.iter().position(|byte| *byte == b'.') else { return false };
    let behind = host.get(dot + 1..).unwrap_or_default();
    dot > 0 && domain.contains(&b'.') && is_plain(host) && domain.eq_ignore_ascii_case(behind)
}

/// Letters, digits, `-`, and single dots between them.
fn is_plain(host: &[u8]) -> bool {
    let label = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    host.split(|byte| *byte == b'.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_a_whole_or_by_a_first_label() {
        for (pattern, host) in [
            ("broker.example.org", "broker.example.org"),
            ("Broker.Example.org", "broker.EXAMPLE.org"),
            ("broker.example.org", "broker.example.org."),
            ("*.example.org", "broker.example.org"),
            ("localhost", "localhost"),
        ] {
            assert!(is_name(host, pattern.as_bytes()), "{pattern} {host}");
        }
        for (pattern, host) in [
            ("broker.example.org", "broker.example.com"),
            ("broker.example.org", "roker.example.org"),
            ("broker.example.org\0.evil.example", "broker.example.org"),
            ("*.example.org", "example.org"),
            ("*.example.org", ".example.org"),
            ("*.example.org", "a.b.example.org"),
            ("*.org", "example.org"),
            ("*", "localhost"),
            ("b*.example.org", "broker.example.org"),
            ("*.*.example.org", "a.b.example.org"),
            ("*.example.org", "*.example.org"),
            ("", ""),
            (".", "."),
        ] {
            assert!(!is_name(host, pattern.as_bytes()), "{pattern} {host}");
        }
    }

    #[test]
    fn what_is_written_as_an_address_is_one() {
        assert_eq!(Host::from("10.0.2.2"), Host::Address(Ipv4Addr::new(10, 0, 2, 2)));
        assert_eq!(Host::from("10.0.2.2.example"), Host::Name("10.0.2.2.example"));
    }
}
