//! Reads, checks and emits `ota.toml`.
