//! Which names and limits the service allows. Source: AWS IoT Jobs and MQTT file delivery quotas.

/// Bytes of a job document.
pub(crate) const DOCUMENT_MAX: usize = 32_768;
/// Bytes of a file in a stream.
pub(crate) const FILE_MAX: u64 = 24 * 1024 * 1024;
/// Minutes a timeout may last: seven days.
pub(crate) const TIMEOUT_MAX_MINUTES: u64 = 10_080;
/// Characters of a status details key and value.
pub(crate) const DETAIL_KEY_MAX: usize = 128;
pub(crate) const DETAIL_VALUE_MAX: usize = 1024;

/// 1..128 of `[a-zA-Z0-9:_-]`.
pub(crate) fn is_thing(name: &str) -> bool {
    made_of(name, 128, |byte| plain(byte) || byte == b':')
}

/// 1..64 of `[a-zA-Z0-9_-]`.
pub(crate) fn is_job(name: &str) -> bool {
    made_of(name, 64, plain)
}

/// 1..128 of `[a-zA-Z0-9_-]`.
pub(crate) fn is_stream(name: &str) -> bool {
    made_of(name, 128, plain)
}

/// A status details key: 1..128 of `[a-zA-Z0-9:_-]`.
pub(crate) fn is_detail_key(key: &str) -> bool {
    made_of(key, DETAIL_KEY_MAX, |byte| plain(byte) || byte == b':')
}

/// A status details value: 1..1024 characters, none of them a control character.
pub(crate) fn is_detail_value(value: &str) -> bool {
    (1..=DETAIL_VALUE_MAX).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn made_of(name: &str, most: usize, allowed: impl Fn(u8) -> bool) -> bool {
    (1..=most).contains(&name.len()) && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_has_1_to_128_characters() {
        assert!(!is_thing("") && is_thing(&"a".repeat(128)) && !is_thing(&"a".repeat(129)));
        assert!(is_thing("Az0:_-") && !is_thing("a b") && !is_thing("ä") && !is_thing("a.b"));
    }

    #[test]
    fn a_job_has_1_to_64_characters_and_no_colon() {
        assert!(!is_job("") && is_job(&"a".repeat(64)) && !is_job(&"a".repeat(65)));
        assert!(is_job("Az0_-") && !is_job("a:b") && !is_job("$next"));
    }

    #[test]
    fn a_stream_has_1_to_128_characters_and_no_colon() {
        assert!(!is_stream("") && is_stream(&"a".repeat(128)) && !is_stream(&"a".repeat(129)));
        assert!(!is_stream("a:b"));
    }

    #[test]
    fn a_detail_has_a_bounded_key_and_value() {
        assert!(is_detail_key(&"k".repeat(128)) && !is_detail_key(&"k".repeat(129)));
        assert!(is_detail_value(&"ü".repeat(1024)) && !is_detail_value(&"ü".repeat(1025)));
        assert!(!is_detail_value("") && !is_detail_value("a\nb") && !is_detail_key("a b"));
    }
}
