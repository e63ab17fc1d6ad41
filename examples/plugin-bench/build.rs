//! Hands the linker the memory map, which lies here, and the script of `cortex-m-rt`.

fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where it is");
    println!("cargo:rustc-link-search={here}");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
}
