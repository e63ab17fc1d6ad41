//! Versions, ordered: what MCUboot's image header carries.

use crate::error::Failure;

/// `major.minor.revision+build`, compared in that order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Version {
    /// Incompatible changes.
    pub major: u8,
    /// Additions.
    pub minor: u8,
    /// Mends.
    pub revision: u16,
    /// Build number; 0 where none is given.
    pub build: u32,
}

impl Version {
    /// A version without build number.
    pub const fn new(major: u8, minor: u8, revision: u16) -> Self {
        Version { major, minor, revision, build: 0 }
    }

    /// Reads `1`, `1.4`, `1.4.0`, `1.4.0+17`; a leading `v` is allowed.
    ///
    /// # Errors
    /// [`Failure::BadNumber`] for anything else.
    pub const fn parse(text: &str) -> Result<Self, Failure> {
        let mut rest = text.as_bytes();
        if let [b'v', tail @ ..] = rest {
            rest = tail;
        }
        // major, minor, revision, build
        let mut parts = [0u32; 4];
        let max = [u8::MAX as u32, u8::MAX as u32, u16::MAX as u32, u32::MAX];
        let mut part = 0;
        let mut digits = 0;
        while let [byte, tail @ ..] = rest {
            rest = tail;
            match *byte {
                b'0'..=b'9' if part < 4 => {
                    let digit = (*byte - b'0') as u32;
                    let Some(tens) = parts[part].checked_mul(10) else {
                        return Err(Failure::BadNumber);
                    };
                    let Some(value) = tens.checked_add(digit) else {
                        return Err(Failure::BadNumber);
                    };
                    if value > max[part] {
                        return Err(Failure::BadNumber);
                    }
                    parts[part] = value;
                    digits += 1;
                }
                b'.' if digits > 0 && part < 2 => {
                    part += 1;
                    digits = 0;
                }
                b'+' if digits > 0 && part < 3 => {
                    part = 3;
                    digits = 0;
                }
                _ => return Err(Failure::BadNumber),
            }
        }
        if digits == 0 {
            return Err(Failure::BadNumber);
        }
        let [major, minor, revision, build] = parts;
        Ok(Version { major: major as u8, minor: minor as u8, revision: revision as u16, build })
    }

    /// The version a build is given, or else that of its crate: what `orchestrator!` writes as a
    /// constant, where a wrong one ends the compilation.
    ///
    /// # Panics
    /// Where that is no version.
    pub const fn of_build(given: Option<&str>, own: &str) -> Self {
        let text = match given {
            Some(given) => given,
            None => own,
        };
        match Version::parse(text) {
            Ok(version) => version,
            Err(_) => panic!("the version to build is not major.minor.revision"),
        }
    }

    /// The eight bytes of an MCUboot header: little-endian.
    pub const fn to_bytes(self) -> [u8; 8] {
        let [r0, r1] = self.revision.to_le_bytes();
        let [b0, b1, b2, b3] = self.build.to_le_bytes();
        [self.major, self.minor, r0, r1, b0, b1, b2, b3]
    }

    /// The reverse of [`Version::to_bytes`].
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        let [major, minor, r0, r1, b0, b1, b2, b3] = bytes;
        Version {
            major,
            minor,
            revision: u16::from_le_bytes([r0, r1]),
            build: u32::from_le_bytes([b0, b1, b2, b3]),
        }
    }
}
