//! Cargo for a microcontroller target, whichever way this machine can do it.
//!
//! | what is here | how it builds |
//! |---|---|
//! | the target, by `rustup target add` | plain `cargo` |
//! | the library's source, in any toolchain | `-Zbuild-std` with that toolchain, `core` built on the way |
//! | neither | [`Missing`], which says what to install |
//!
//! The second way is for machines that reach a package mirror but no toolchain server: Debian's
//! `rustc-web`, `cargo-web` and `rust-web-src`, linked by `rustup toolchain link debian /usr`.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A way to build for one target.
#[derive(Debug, Clone)]
pub struct Cross {
    target: String,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    /// The active toolchain has the target.
    Installed,
    /// `toolchain` (`None`: the active one) has the library's source.
    FromSource { toolchain: Option<String>, linker: PathBuf },
}

/// There is no way to build for this target; [`Display`](fmt::Display) says what to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    target: String,
    what: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Missing { target, what } = self;
        write!(
            f,
            "{what} for {target}; install it with `rustup target add {target}`, or, where rustup \
             reaches no server, with `apt-get install rustc-web cargo-web rust-web-src lld` and \
             `rustup toolchain link debian /usr`"
        )
    }
}

impl std::error::Error for Missing {}

impl Cross {
    /// Looks for a way to build for `target`.
    ///
    /// # Errors
    /// [`Missing`] where there is none.
    pub fn find(target: &str) -> Result<Self, Missing> {
        let missing = |what| Missing { target: target.to_owned(), what };
        if has_target(target) {
            return Ok(Cross { target: target.to_owned(), way: Way::Installed });
        }
        let toolchain = std::iter::once(None)
            .chain(toolchains().into_iter().map(Some))
            .find(|toolchain| has_source(toolchain.as_deref()))
            .ok_or_else(|| missing("no compiled `core` and no source of it"))?;
        let linker =
            linker(target).ok_or_else(|| missing("no linker (rust-lld, ld.lld or wasm-ld)"))?;
        let way = Way::FromSource { toolchain, linker };
        Ok(Cross { target: target.to_owned(), way })
    }

    /// `cargo SUBCOMMAND --target TARGET`, to which the caller adds its arguments.
    #[must_use]
    pub fn cargo(&self, subcommand: impl AsRef<OsStr>) -> Command {
        match &self.way {
            Way::Installed => {
                let mut cargo = tool(None, "cargo");
                cargo.arg(subcommand).args(["--target", &self.target]);
                cargo
            }
            Way::FromSource { toolchain, linker } => {
                let mut cargo = tool(toolchain.as_deref(), "cargo");
                cargo.arg(subcommand).args(["-Zbuild-std=core,alloc", "--target", &self.target]);
                // `-Z` on a compiler that is not a nightly.
                cargo.env("RUSTC_BOOTSTRAP", "1");
                let variable = self.target.to_uppercase().replace('-', "_");
                cargo.env(format!("CARGO_TARGET_{variable}_LINKER"), linker);
                cargo
            }
        }
    }

    /// Versions of compiler and linker: what the bytes it makes depend on.
    #[must_use]
    pub fn versions(&self) -> String {
        let (toolchain, linker) = match &self.way {
            Way::Installed => (None, None),
            Way::FromSource { toolchain, linker } => (toolchain.as_deref(), Some(linker)),
        };
        let rustc = answer(tool(toolchain, "rustc").arg("--version")).unwrap_or_default();
        let linker = linker.and_then(|path| {
            let mut linker = Command::new(path);
            // One program under many names says nothing before it is told which it is.
            if path.file_stem().is_some_and(|name| name == "rust-lld") {
                linker.args(["-flavor", "wasm"]);
            }
            answer(linker.arg("--version"))
        });
        format!("{rustc}, {}", linker.as_deref().unwrap_or("its own linker"))
    }

    /// How it builds, in a few words.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.way {
            Way::Installed => "installed target".to_owned(),
            Way::FromSource { toolchain, .. } => {
                format!("core from source, toolchain {}", toolchain.as_deref().unwrap_or("active"))
            }
        }
    }
}

/// A tool of a toolchain, through rustup where a toolchain is named.
fn tool(toolchain: Option<&str>, name: &str) -> Command {
    let mut command = match toolchain {
        None => Command::new(name),
        Some(toolchain) => {
            let mut rustup = Command::new("rustup");
            rustup.args(["run", toolchain, name]);
            rustup
        }
    };
    // What `cargo run` told this process must not reach another toolchain's cargo.
    for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// The trimmed output of a command that succeeded.
fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn toolchains() -> Vec<String> {
    let list = answer(Command::new("rustup").args(["toolchain", "list"])).unwrap_or_default();
    list.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn sysroot(toolchain: Option<&str>) -> Option<PathBuf> {
    answer(tool(toolchain, "rustc").args(["--print", "sysroot"])).map(PathBuf::from)
}

fn has_target(target: &str) -> bool {
    let libdir = answer(tool(None, "rustc").args(["--print", "target-libdir", "--target", target]));
    let files = libdir.and_then(|folder| Path::new(&folder).read_dir().ok());
    files.into_iter().flatten().flatten().any(|file| {
        let name = file.file_name();
        name.to_string_lossy().starts_with("libcore-")
    })
}

fn has_source(toolchain: Option<&str>) -> bool {
    let library = "lib/rustlib/src/rust/library/core/src/lib.rs";
    sysroot(toolchain).is_some_and(|sysroot| sysroot.join(library).is_file())
}

/// rust-lld of the active toolchain, or lld: some distributions' compilers come without.
fn linker(target: &str) -> Option<PathBuf> {
    let lld = if target.starts_with("wasm") { "wasm-ld" } else { "ld.lld" };
    let hosts = sysroot(None)?.join("lib/rustlib");
    let own = hosts.read_dir().ok()?.flatten().map(|host| host.path().join("bin/rust-lld"));
    own.into_iter().find(|path| path.is_file()).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|dir| dir.join(lld)).find(|path| path.is_file())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_says_what_to_install() {
        let missing = Cross::find("no-such-target").map(|cross| cross.way);
        // A toolchain with the library's source is tried with any target; without one, we are told.
        if let Err(missing) = missing {
            let text = missing.to_string();
            assert!(text.contains("rustup target add no-such-target"), "{text}");
        }
        let missing = Missing { target: "thumbv7em-none-eabihf".into(), what: "nothing" };
        assert!(missing.to_string().starts_with("nothing for thumbv7em-none-eabihf; install"));
    }

    #[test]
    fn the_host_is_an_installed_target() {
        let host = answer(tool(None, "rustc").args(["--print", "host-tuple"])).expect("rustc 1.84");
        let cross = Cross::find(&host).expect("the host's own library");
        assert!(matches!(cross.way, Way::Installed));
        let cargo = cross.cargo("build");
        let arguments: Vec<_> = cargo.get_args().collect();
        assert_eq!(arguments, ["build", "--target", host.as_str()]);
    }
}
