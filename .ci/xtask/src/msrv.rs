//! The compilers we promise: 1.88 for what runs on a device, 1.89 for what runs on a host.
//!
//! Clippy's `incompatible_msrv` watches our own code. Here: what the dependencies declare, and, where
//! such an old compiler is installed, a build with it.

use crate::run::{Done, Log, Outcome, cargo, output, succeeds, target_dir};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

struct Promise {
    who: &'static str,
    minor: u32,
    /// What `cargo tree` has to show for all dependencies that count.
    tree: &'static [&'static str],
    /// What `cargo check` has to check.
    packages: &'static [&'static str],
}

#[rustfmt::skip]
const PROMISES: &[Promise] = &[
    Promise {
        who: "device", minor: 88,
        tree: &["--package", "coreota", "--edges", "normal", "--features", "ed25519,log,defmt"],
        packages: &["--package", "coreota"],
    },
    Promise {
        who: "macros", minor: 88,
        tree: &["--package", "coreota-macros", "--edges", "normal,build"],
        packages: &["--package", "coreota-macros"],
    },
    Promise {
        who: "host", minor: 89,
        tree: &["--package", "coreota-cli", "--edges", "normal,build"],
        packages: &["--package", "coreota-cli"],
    },
];

pub(crate) fn check(log: &Log) -> Outcome {
    let declared = declared()?;
    let mut newer = Vec::new();
    let mut silent = BTreeSet::new();
    let mut built = Vec::new();
    for promise in PROMISES {
        for package in tree(promise.tree)? {
            match declared.get(&package).copied().flatten() {
                Some(minor) if minor > promise.minor => {
                    newer.push(format!("{}: {package} needs 1.{minor}", promise.who));
                }
                Some(_) => (),
                None => drop(silent.insert(package)),
            }
        }
        let toolchain = format!("1.{}", promise.minor);
        let rustup = || Command::new("rustup");
        if succeeds(rustup().args(["run", &toolchain, "rustc", "--version"])) {
            let mut check = rustup();
            check.args(["run", &toolchain, "cargo", "check", "--quiet"]).args(promise.packages);
            log.run(check.arg("--target-dir").arg(target_dir().join("msrv")))?;
            built.push(promise.who);
        }
    }
    if !newer.is_empty() {
        return Err(newer.join("; "));
    }
    let silent = format!("{} dependencies declare none", silent.len());
    Ok(Done::Ok(match built.is_empty() {
        true => format!("as declared ({silent}); no such compiler here to build with"),
        false => format!("as declared ({silent}), and built: {}", built.join(", ")),
    }))
}

/// Minor version of the compiler each package of the lock file declares, by `name vVERSION`.
fn declared() -> Result<BTreeMap<String, Option<u32>>, String> {
    let text = output(&mut cargo(["metadata", "--format-version", "1", "--all-features"]))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|why| format!("cargo metadata: {why}"))?;
    let packages = value["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let minor = |version: &str| version.split('.').nth(1)?.parse().ok();
    let entry = |package: &serde_json::Value| {
        let name = format!("{} v{}", package["name"].as_str()?, package["version"].as_str()?);
        Some((name, package["rust_version"].as_str().and_then(minor)))
    };
    packages.iter().map(|package| entry(package).ok_or("a package without a name".into())).collect()
}

/// The packages `cargo tree` shows, as `name vVERSION`.
fn tree(arguments: &[&str]) -> Result<BTreeSet<String>, String> {
    let words = ["tree", "--prefix", "none", "--format", "{p}", "--quiet"];
    let text = output(cargo(words).args(arguments))?;
    let first_two = |line: &str| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    };
    Ok(text.lines().filter_map(first_two).collect())
}
