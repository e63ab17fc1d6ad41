//! What the signed file of a plugin says of it, besides what every signed file says.
//!
//! A plugin travels in a file with the core's trailer, like an image of a board whose bootloader
//! knows no headers: the wasm at offset 0, the signed manifest behind it. The manifest's kind is 1,
//! and two records in it are a plugin's own; `docs/plugin-abi.md` draws the whole file.

use crate::Kind;

/// Type of the manifest's record that holds the plugin's name.
pub const RECORD_NAME: u16 = 2;
/// Type of the manifest's record that holds the [`Facts`].
pub const RECORD_FACTS: u16 = 3;
/// Longest name of a plugin, in bytes; the shortest is 1.
pub const NAME_LEN_MAX: usize = 32;
/// Length of the facts in the manifest, in bytes.
pub const FACTS_LEN: usize = 16;

/// What a host has to know before it loads a plugin: `{u16 abi, u16 kind, u32 arena, u32 fuel,
/// u32 memory}`, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// ABI version, the low byte of what `ota_abi` returns.
    pub abi: u16,
    /// Number of a [`Kind`].
    pub kind: u16,
    /// Bytes of memory the host needs to load and run it, its linear memory included.
    pub arena: u32,
    /// Fuel one call may use.
    pub fuel: u32,
    /// Its linear memory, in bytes.
    pub memory: u32,
}

impl Facts {
    /// As they stand in the manifest.
    pub const fn to_bytes(self) -> [u8; FACTS_LEN] {
        let [v0, v1] = self.abi.to_le_bytes();
        let [k0, k1] = self.kind.to_le_bytes();
        let [a0, a1, a2, a3] = self.arena.to_le_bytes();
        let [f0, f1, f2, f3] = self.fuel.to_le_bytes();
        let [m0, m1, m2, m3] = self.memory.to_le_bytes();
        [v0, v1, k0, k1, a0, a1, a2, a3, f0, f1, f2, f3, m0, m1, m2, m3]
    }

    /// From the manifest.
    pub const fn from_bytes(bytes: [u8; FACTS_LEN]) -> Self {
        let [v0, v1, k0, k1, a0, a1, a2, a3, f0, f1, f2, f3, m0, m1, m2, m3] = bytes;
        Facts {
            abi: u16::from_le_bytes([v0, v1]),
            kind: u16::from_le_bytes([k0, k1]),
            arena: u32::from_le_bytes([a0, a1, a2, a3]),
            fuel: u32::from_le_bytes([f0, f1, f2, f3]),
            memory: u32::from_le_bytes([m0, m1, m2, m3]),
        }
    }

    /// The kind, where it is one of this version's.
    pub fn known_kind(&self) -> Option<Kind> {
        if self.abi != u16::from(crate::VERSION) {
            return None;
        }
        u8::try_from(self.kind).ok().and_then(Kind::from_number)
    }
}
