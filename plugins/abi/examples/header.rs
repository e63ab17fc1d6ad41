//! Prints the C header; see `coreota_plugin_abi::header`.

fn main() {
    let mut header = String::new();
    if coreota_plugin_abi::header::write(&mut header).is_ok() {
        print!("{header}");
    }
}
