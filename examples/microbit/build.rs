//! Links firmware and bootloader for the addresses in ota.toml.

use coreota_config::memory::{Program, build_script};

fn main() {
    build_script("../../ota.toml", &[Program::Firmware, Program::Bootloader]);
}
