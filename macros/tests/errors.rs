//! Every error of a file as a compile error: what `cargo ota check` tells of it, and nothing besides, for
//! stand-ins keep the generated names known.
//!
//! The bad files are those of `config/tests/ui`. `TRYBUILD=overwrite` writes what rustc says now.

use std::path::Path;

#[test]
fn every_bad_file_is_one_compile_error() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bad = here.join("../config/tests/ui");
    // Cases are built as a package of trybuild's own: there they find the files as `ui/NAME.toml`.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let package = target.join("tests/trybuild/coreota-macros");
    copy(&bad, &package.join("ui"));
    copy(&bad.join("keys"), &package.join("ui/keys"));
    copy(&bad.join("plugins"), &package.join("ui/plugins"));

    for entry in std::fs::read_dir(&bad).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let case = here.join("tests/ui").join(name).with_extension("rs");
            let text = format!(
                "coreota::orchestrator!(\"ui/{name}.toml\", board = \"b\");\n\n\
                 fn main() {{\n    let _: Option<ota::Orchestrator<(), (), (), ()>> = None;\n}}\n"
            );
            if std::env::var_os("TRYBUILD").is_some() {
                std::fs::write(&case, &text).unwrap();
            }
            assert_eq!(
                std::fs::read_to_string(&case).unwrap_or_default(),
                text,
                "{}",
                case.display()
            );
        }
    }
    // Calls that are wrong, whatever the file.
    copy(&here.join("tests/calls"), &package.join("calls"));
    copy(&bad.join("keys"), &package.join("calls/keys"));

    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.compile_fail("tests/calls/*.rs");
}

/// The files of a folder, without the folders in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let file = entry.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}
