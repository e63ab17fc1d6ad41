//! The C header that is committed is the one the crate writes.

#[test]
fn the_header_is_up_to_date() {
    let mut header = String::new();
    coreota_plugin_abi::header::write(&mut header).expect("a String takes everything");
    let committed = include_str!("../coreota_plugin.h");
    assert!(
        header == committed,
        "coreota_plugin.h is out of date: cargo run -p coreota-plugin-abi --example header > \
         plugins/abi/coreota_plugin.h"
    );
}
