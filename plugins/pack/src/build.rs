//! Runs the compilers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coreota_cross::Cross;
use coreota_plugin_abi::header;
use toml::de::{DeTable, DeValue};

use crate::{Error, STACK, check, shrink};

const TARGET: &str = "wasm32-unknown-unknown";

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// A crate: a `Cargo.toml`.
    Rust,
    /// C files.
    C,
}

/// Tools that are used if they are there.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// binaryen's `wasm-opt`, which saves some 5 %.
    pub wasm_opt: Option<PathBuf>,
}

impl Tools {
    /// Those on this machine.
    pub fn find() -> Self {
        Tools { wasm_opt: on_path("wasm-opt") }
    }
}

/// What the plugin in `folder` is written in.
///
/// # Errors
/// [`Error::NoSource`] where there is none.
pub fn language(folder: &Path) -> Result<Language, Error> {
    if folder.join("Cargo.toml").is_file() {
        Ok(Language::Rust)
    } else if !c_files(folder)?.is_empty() {
        Ok(Language::C)
    } else {
        Err(Error::NoSource(folder.to_owned()))
    }
}

/// Builds the plugin in `folder`: the smallest module, checked.
///
/// # Errors
/// What is missing, what the compiler says, or why no device would take the module.
pub fn build(folder: &Path, tools: &Tools) -> Result<Vec<u8>, Error> {
    let linked = match language(folder)? {
        Language::Rust => rust(folder)?,
        Language::C => c(folder)?,
    };
    let mut module = read(&linked)?;
    if let Some(wasm_opt) = &tools.wasm_opt {
        // Before the memory is counted in bytes: not every version can read that.
        let smaller = linked.with_extension("opt.wasm");
        run(Command::new(wasm_opt)
            .args(["-Oz", "--enable-bulk-memory", "--enable-sign-ext", "--enable-mutable-globals"])
            // What an engine needs to translate the largest function, it keeps. So a function that is
            // called from one place stays one: a byte or two more, and up to 3 KB of RAM less.
            .arg("--one-caller-inline-max-function-size=0")
            .args(["--strip-debug", "--strip-producers", "--strip-target-features"])
            .arg(&linked)
            .arg("-o")
            .arg(&smaller))?;
        module = read(&smaller)?;
    }
    let module = shrink(&module)?;
    check(&module)?;
    Ok(module)
}

/// Has cargo build it, whichever way this machine can, as a library for wasm; where it put it.
fn rust(folder: &Path) -> Result<PathBuf, Error> {
    let cross = Cross::find(TARGET)
        .map_err(|why| Error::Missing { tool: TARGET.into(), hint: why.to_string() })?;
    let mut cargo = cross.cargo("rustc");
    cargo.args(["--release", "--lib", "--crate-type=cdylib", "--message-format=json"]);
    cargo.arg("--manifest-path").arg(folder.join("Cargo.toml"));
    let wishes = Wishes::read(folder)?;
    let level = format!("opt-level='{}'", wishes.level);
    // Whatever the author's profile says: the device pays for every byte.
    for setting in [
        level.as_str(),
        "lto='fat'",
        "codegen-units=1",
        "panic='abort'",
        "debug=false",
        "strip=true",
    ] {
        cargo.args(["--config", &format!("profile.release.{setting}")]);
    }
    cargo.arg("--");
    for argument in [
        &format!("-zstack-size={}", wishes.stack),
        "--compress-relocations",
        "--export=__heap_base",
    ] {
        cargo.args(["-C", &format!("link-arg={argument}")]);
    }
    let messages = run(&mut cargo)?;
    let mut artifacts = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let files = message.get("filenames")?.as_array()?.clone();
        files.iter().find_map(|file| {
            file.as_str().filter(|file| file.ends_with(".wasm")).map(PathBuf::from)
        })
    });
    artifacts.next_back().ok_or_else(|| Error::Failed {
        command: command_line(&cargo),
        output: "it made no .wasm".into(),
    })
}

/// What the author asks for in `[package.metadata.coreota-plugin]`.
struct Wishes {
    /// `stack`: bytes, [`STACK`] if not given.
    stack: u32,
    /// `opt-level`: `z` if not given, or `s`, which calls less (what an interpreter does slowest) and
    /// may be smaller or larger.
    level: &'static str,
}

impl Wishes {
    fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("Cargo.toml");
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        let wrong = |why: String| Error::Io(path.display().to_string(), std::io::Error::other(why));
        let table = DeTable::parse(&text).map_err(|why| wrong(why.to_string()))?.into_inner();
        let table = DeValue::Table(table);
        let wish = |key| {
            ["package", "metadata", "coreota-plugin", key]
                .into_iter()
                .try_fold(&table, |at, key| at.as_table()?.get(key).map(|value| value.get_ref()))
        };
        let must = |what: &str| wrong(format!("{what} of [package.metadata.coreota-plugin]"));
        let stack = wish("stack").map_or(Some(STACK), |stack| {
            stack.as_integer().and_then(|digits| digits.as_str().parse().ok())
        });
        let level = wish("opt-level").map_or(Some("z"), |level| {
            ["z", "s"].into_iter().find(|known| level.as_str() == Some(known))
        });
        Ok(Wishes {
            stack: stack
                .filter(|stack: &u32| stack.is_multiple_of(16))
                .ok_or_else(|| must("bytes, a multiple of 16, are to be `stack`"))?,
            level: level.ok_or_else(|| must("\"z\" or \"s\" is to be `opt-level`"))?,
        })
    }
}

/// Compiles and links C files; where the module is.
fn c(folder: &Path) -> Result<PathBuf, Error> {
    let (clang, linker) = (clang()?, wasm_ld()?);
    let out = folder.join("target");
    fs::create_dir_all(&out).map_err(|why| Error::Io(out.display().to_string(), why))?;
    let mut text = String::new();
    // A String takes everything.
    _ = header::write(&mut text);
    let header = out.join("coreota_plugin.h");
    fs::write(&header, text).map_err(|why| Error::Io(header.display().to_string(), why))?;
    let mut objects = Vec::new();
    for file in c_files(folder)? {
        let object = out.join(file.file_stem().unwrap_or_default()).with_extension("o");
        run(Command::new(&clang)
            .args(["--target=wasm32", "-Oz", "-std=c11", "-Wall", "-Wextra", "-Werror"])
            .args(["-ffreestanding", "-fvisibility=hidden", "-mbulk-memory", "-msign-ext"])
            .arg("-I")
            .arg(&out)
            .arg("-c")
            .arg(&file)
            .arg("-o")
            .arg(&object))?;
        objects.push(object);
    }
    let module = out.join("plugin.wasm");
    run(Command::new(&linker)
        .args(["--no-entry", "--gc-sections", "--strip-all", "--compress-relocations"])
        .args(["--stack-first", "-z", &format!("stack-size={STACK}"), "--export=__heap_base"])
        .args(&objects)
        .arg("-o")
        .arg(&module))?;
    Ok(module)
}

fn clang() -> Result<PathBuf, Error> {
    newest("clang").ok_or_else(|| missing("clang"))
}

fn wasm_ld() -> Result<PathBuf, Error> {
    newest("wasm-ld").ok_or_else(|| missing("wasm-ld"))
}

/// The newest of the versions that systems install beside each other.
fn newest(tool: &str) -> Option<PathBuf> {
    let versions = (14..40).rev().map(|version| format!("{tool}-{version}"));
    versions.chain([tool.to_owned()]).find_map(|name| on_path(&name))
}

/// Versions of the tools that [`build`] uses: what the bytes it makes depend on.
pub fn toolchain(folder: &Path, tools: &Tools) -> String {
    let version = |tool: PathBuf| {
        let printed = run(Command::new(tool).arg("--version")).unwrap_or_default();
        printed.lines().next().unwrap_or_default().to_owned()
    };
    let mut versions = match language(folder) {
        Ok(Language::Rust) => {
            Cross::find(TARGET).ok().into_iter().map(|cross| cross.versions()).collect()
        }
        Ok(Language::C) => [clang(), wasm_ld()].into_iter().flatten().map(version).collect(),
        Err(_) => Vec::new(),
    };
    versions.extend(tools.wasm_opt.clone().map(version));
    versions.join(", ")
}

fn c_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries =
        fs::read_dir(folder).map_err(|why| Error::Io(folder.display().to_string(), why))?;
    let mut files: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    files.sort();
    Ok(files)
}

fn missing(tool: &str) -> Error {
    let hint = "`apt-get install clang lld`, or your system's packages of LLVM";
    Error::Missing { tool: tool.into(), hint: hint.into() }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|why| Error::Io(path.display().to_string(), why))
}

/// What a command printed, if it succeeded.
fn run(command: &mut Command) -> Result<String, Error> {
    let line = command_line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|why| Error::Io(format!("cannot start `{line}`"), why))?;
    if !output.status.success() {
        let printed = [output.stderr, rendered(&output.stdout).into_bytes()].concat();
        let output = String::from_utf8_lossy(&printed).into_owned();
        return Err(Error::Failed { command: line, output });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What cargo's messages say to people.
fn rendered(messages: &[u8]) -> String {
    let messages = String::from_utf8_lossy(messages);
    let texts = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(message.pointer("/message/rendered")?.as_str()?.to_owned())
    });
    texts.collect()
}

fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
