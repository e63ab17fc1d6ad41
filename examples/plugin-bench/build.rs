//! Hands the linker the memory map, which lies here, and the script of `cortex-m-rt`; and writes down the
//! collection of hostile modules, which is that of the host's own tests.

use std::{env, fmt::Write, fs, path::Path};

#[path = "../../plugins/host/tests/common/collection.rs"]
mod collection;
#[path = "../../plugins/host/tests/common/modules.rs"]
mod modules;

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo says where it is");
    println!("cargo:rustc-link-search={here}");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
    for file in ["collection", "modules"] {
        println!("cargo:rerun-if-changed=../../plugins/host/tests/common/{file}.rs");
    }
    let out = env::var("OUT_DIR").expect("cargo says where to write");
    write_collection(Path::new(&out));
}

/// `collection.rs`: an array of `Hostile`, whose modules lie beside it.
fn write_collection(out: &Path) {
    let written = |result: std::io::Result<()>| result.expect("cargo's folder can be written to");
    let mut text = "[\n".to_owned();
    for (index, hostile) in collection::collection().iter().enumerate() {
        let collection::Hostile { name, module, found, why, arena } = hostile;
        written(fs::write(out.join(format!("{index}.wasm")), module));
        let module = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{index}.wasm\"))");
        let line = format!(
            "Hostile {{ name: {name:?}, module: {module}, found: Found::{found:?}, \
             why: Failure::{why}, arena: {arena} }},"
        );
        writeln!(text, "{line}").expect("a String takes everything");
    }
    written(fs::write(out.join("collection.rs"), text + "]\n"));
    written(fs::write(out.join("good.wasm"), modules::good()));
}
