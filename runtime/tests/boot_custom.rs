//! The example of a bootloader adapter of one's own does what it says.
#![cfg(feature = "sim")]

#[path = "../examples/custom_boot.rs"]
mod custom_boot;

#[test]
fn an_adapter_of_a_page_survives_every_cut() {
    custom_boot::main();
}
