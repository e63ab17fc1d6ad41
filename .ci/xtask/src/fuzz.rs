//! `cargo xtask fuzz`: the targets in `fuzz/`, each for a number of inputs. libFuzzer is linked and fed by the
//! compiler that is there: what `cargo fuzz` needs a nightly one for, the address sanitizer, is not asked for.
//!
//! The inputs grow from those in `fuzz/seeds` and from those of earlier runs, in `target/fuzz/corpus`, where a
//! longer run goes on from. What fails is written to `target/fuzz`, under the name that is printed.

use crate::run::{Done, Log, Outcome, cargo, output, target_dir};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of each target in `cargo xtask test`: half a minute for all.
const SAMPLE: u32 = 10_000;
/// Of each target by command, unless told otherwise.
const RUNS: u32 = 1_000_000;

/// Lines of what libFuzzer printed that say what it found, and where it wrote the input.
const END: usize = 30;

/// What tells libFuzzer where an input went, and what it was compared with.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks";

/// A sample of each, from the seeds alone.
pub(crate) fn sample(log: &Log) -> Outcome {
    let built = Built::new(log)?;
    let corpus = target_dir().join("fuzz/sample");
    match std::fs::remove_dir_all(&corpus) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {why}", corpus.display()));
        }
        _ => (),
    }
    for target in &built.targets {
        log.run(&mut built.target(target, &corpus, SAMPLE)?)?;
    }
    Ok(Done::Ok(format!("{} targets, {SAMPLE} inputs each", built.targets.len())))
}

/// `cargo xtask fuzz [TARGET...] [--runs N]`.
pub(crate) fn command(words: &[&str]) -> Result<(), String> {
    let (mut wanted, mut runs) = (Vec::new(), RUNS);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--runs" => {
                let number = words.next().and_then(|number| number.replace('_', "").parse().ok());
                runs = number.ok_or("--runs: how many inputs of each target; `--runs 100000`")?;
            }
            name => wanted.push(name.to_owned()),
        }
    }
    let log = Log::create("fuzz")?;
    let built = Built::new(&log)?;
    if let Some(unknown) = wanted.iter().find(|name| !built.targets.contains(name)) {
        let there = built.targets.join(", ");
        return Err(format!("there is no fuzz target `{unknown}`; there are {there}"));
    }
    let corpus = target_dir().join("fuzz/corpus");
    for target in built.targets.iter().filter(|name| wanted.is_empty() || wanted.contains(name)) {
        log.run(&mut built.target(target, &corpus, runs)?).map_err(|why| {
            let printed = std::fs::read_to_string(log.path()).unwrap_or_default();
            let from = printed.lines().count().saturating_sub(END);
            let end: Vec<&str> = printed.lines().skip(from).collect();
            format!("{}\n{why}", end.join("\n"))
        })?;
        let (inputs, reached) = reached(&log)?;
        println!("{target:16} {inputs} inputs, {reached} edges reached, nothing found");
    }
    Ok(())
}

/// What the last run of libFuzzer says it did: inputs, and edges of the control flow.
fn reached(log: &Log) -> Result<(String, String), String> {
    let printed = std::fs::read_to_string(log.path()).map_err(|why| format!("log: {why}"))?;
    let done = printed.lines().rev().find(|line| line.contains("DONE"));
    let word = |before: &str| {
        let mut words = done?.split_whitespace().skip_while(|word| *word != before);
        words.nth(1).map(str::to_owned)
    };
    let inputs = done.and_then(|line| line.split_whitespace().next());
    let inputs = inputs.map(|number| number.trim_start_matches('#').to_owned());
    inputs.zip(word("cov:")).ok_or_else(|| "libFuzzer does not say what it did".to_owned())
}

/// The targets, compiled.
struct Built {
    folder: PathBuf,
    targets: Vec<String>,
}

impl Built {
    fn new(log: &Log) -> Result<Self, String> {
        let manifest = "fuzz/Cargo.toml";
        let text = std::fs::read_to_string(manifest).map_err(|why| format!("{manifest}: {why}"))?;
        // A target for the host by name: or else its build scripts would be watched as well.
        let host = output(Command::new("rustc").args(["--print", "host-tuple"]))?;
        let host = host.trim();
        let mut build = cargo(["build", "--release", "--bins", "--locked", "--quiet"]);
        build.args(["--manifest-path", manifest, "--target", host]).env("RUSTFLAGS", COVERAGE);
        log.run(build.arg("--target-dir").arg(target_dir().join("fuzz")))?;
        let folder = target_dir().join("fuzz").join(host).join("release");
        Ok(Built { folder, targets: targets(&text) })
    }

    fn target(&self, name: &str, corpus: &Path, runs: u32) -> Result<Command, String> {
        let corpus = corpus.join(name);
        std::fs::create_dir_all(&corpus).map_err(|why| format!("{}: {why}", corpus.display()))?;
        let mut run = Command::new(self.folder.join(name));
        let failed = target_dir().join("fuzz").join(format!("{name}-"));
        run.args([format!("-runs={runs}"), "-seed=1".into(), "-max_len=4096".into()]);
        run.arg(format!("-artifact_prefix={}", failed.display())).arg(corpus);
        let seeds = Path::new("fuzz/seeds").join(name);
        run.args(seeds.is_dir().then_some(seeds));
        Ok(run)
    }
}

/// The names of the binaries in `fuzz/Cargo.toml`.
fn targets(manifest: &str) -> Vec<String> {
    let binaries = manifest.split("[[bin]]").skip(1);
    let name = |binary: &str| {
        let line = binary.lines().find_map(|line| line.strip_prefix("name = "))?;
        Some(line.trim_matches('"').to_owned())
    };
    binaries.filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_found_and_has_its_file() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let text = std::fs::read_to_string(top.join("fuzz/Cargo.toml")).expect("readable");
        let mut found = targets(&text);
        found.sort();
        let files = std::fs::read_dir(top.join("fuzz/targets")).expect("readable");
        let mut files: Vec<String> = files
            .map(|file| file.expect("readable").path())
            .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        files.sort();
        assert_eq!(found, files);
    }
}
