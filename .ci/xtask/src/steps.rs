//! The steps of `cargo xtask test`, as one table.

use crate::run::{Done, Log, Outcome, cargo, stream, succeeds, target_dir, unattended};
use crate::{boards, cuts as power_cuts, device, fuzz, hostile, msrv, readme, text};
use coreota_cross::Cross;
use std::process::ExitCode;
use std::time::Instant;

/// One thing that has to hold.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Part of `--quick`.
    pub(crate) quick: bool,
    run: fn(&Log) -> Outcome,
}

/// In the order they run. The tests are last: their runner's summary is the last line.
#[rustfmt::skip]
pub(crate) const STEPS: &[Step] = &[
    Step { name: "format",  quick: true,  run: format,       what: "rustfmt agrees" },
    Step { name: "text",    quick: true,  run: text::check,  what: "no unfinished marks, no paths of one machine" },
    Step { name: "lints",   quick: true,  run: lints,        what: "clippy and rustc have nothing to say, over all targets and features" },
    Step { name: "msrv",    quick: false, run: msrv::check,  what: "no dependency asks for a newer compiler than we promise" },
    Step { name: "device",  quick: false, run: device::build, what: "the device half compiles for a Cortex-M4, with each feature" },
    Step { name: "boards",  quick: false, run: boards::check, what: "the firmware of the example boards compiles, clippy has nothing to say" },
    Step { name: "hostile", quick: false, run: hostile::run, what: "plugins that mean harm end alone, on an emulated Cortex-M4" },
    Step { name: "docs",    quick: false, run: docs,         what: "the documentation builds, its links hold" },
    Step { name: "doctest", quick: false, run: doc_tests,    what: "the examples in the documentation work" },
    Step { name: "readme",  quick: false, run: readme::run,  what: "the commands in README.md and docs/plugins.md work" },
    Step { name: "fuzz",    quick: false, run: fuzz::sample, what: "a sample of inputs finds nothing in the readers of outside bytes" },
    Step { name: "cuts",    quick: false, run: cuts,         what: "real firmware in the emulator survives a sample of power cuts" },
    Step { name: "tests",   quick: true,  run: tests,        what: "every test of the workspace passes" },
];

/// The step of that name.
pub(crate) fn find(name: &str) -> Option<&'static Step> {
    STEPS.iter().find(|step| step.name == name)
}

/// Where plugins run.
const PLUGINS: &str = "wasm32-unknown-unknown";

/// Runs the wanted steps, a line each, whatever fails before.
pub(crate) fn run(wanted: impl Fn(&Step) -> bool) -> ExitCode {
    let mut failed = Vec::new();
    for step in STEPS.iter().filter(|step| wanted(step)) {
        if let Err(why) = run_one(step) {
            failed.push(format!("{}: {why}", step.name));
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("\n{} failed:", failed.len());
    failed.iter().for_each(|line| eprintln!("  {line}"));
    ExitCode::FAILURE
}

fn run_one(step: &Step) -> Result<(), String> {
    let log = Log::create(step.name)?;
    let begun = Instant::now();
    let outcome = match (step.run)(&log) {
        Ok(Done::Skipped(why)) if unattended() => Err(why),
        outcome => outcome,
    };
    let seconds = begun.elapsed().as_secs_f32();
    let (word, note) = match &outcome {
        Ok(Done::Ok(note)) => ("ok", note),
        Ok(Done::Skipped(why)) => ("SKIPPED", why),
        Err(why) => ("FAILED", why),
    };
    if step.name != "tests" || outcome.is_err() {
        eprintln!("{word:8} {:8} {seconds:6.1} s  {note}", step.name);
    }
    if outcome.is_err()
        && let Ok(printed) = std::fs::read_to_string(log.path())
    {
        eprintln!("{}", printed.trim_end());
    }
    outcome.map(|_| ())
}

fn ok() -> Outcome {
    Ok(Done::Ok(String::new()))
}

fn format(log: &Log) -> Outcome {
    log.run(&mut cargo(["fmt", "--all", "--check"]))?;
    ok()
}

fn lints(log: &Log) -> Outcome {
    let words = ["clippy", "--workspace", "--all-targets", "--all-features", "--quiet"];
    log.run(cargo(words).args(["--", "-D", "warnings"]))?;
    // Half of the SDK is there only where plugins run; a sample of each kind has its macro's code.
    let cross = match Cross::find(PLUGINS) {
        Ok(cross) => cross,
        Err(missing) => return Ok(Done::Skipped(missing.to_string())),
    };
    let mut clippy = cross.cargo("clippy");
    clippy.args(["--lib", "--quiet"]).arg("--target-dir").arg(target_dir().join("cross"));
    for package in ["coreota-plugin", "acme-jobs", "raw-blocks", "line-jobs"] {
        clippy.args(["--package", package]);
    }
    log.run(clippy.args(["--", "-D", "warnings"]))?;
    ok()
}

fn docs(log: &Log) -> Outcome {
    // As users of the libraries see it, where a link to something private is a dead one.
    let libraries = [
        "coreota",
        "coreota-mcuboot",
        "coreota-config",
        "coreota-macros",
        "coreota-cross",
        "coreota-plugin-abi",
        "coreota-plugin",
        "coreota-plugin-pack",
    ];
    let public = libraries.into_iter().flat_map(|name| ["--package", name]);
    let doc = || cargo(["doc", "--no-deps", "--all-features", "--quiet"]);
    log.run(doc().args(public).env("RUSTDOCFLAGS", "-D warnings"))?;
    // As developers do, where it is not.
    let all = ["--workspace", "--document-private-items"];
    let flags = "-D warnings -A rustdoc::private-intra-doc-links";
    log.run(doc().args(all).env("RUSTDOCFLAGS", flags))?;
    ok()
}

fn doc_tests(log: &Log) -> Outcome {
    log.run(&mut cargo(["test", "--workspace", "--doc", "--all-features", "--quiet"]))?;
    ok()
}

fn cuts(_: &Log) -> Outcome {
    power_cuts::sample().map(Done::Ok)
}

fn tests(_: &Log) -> Outcome {
    let all = ["--workspace", "--all-features"];
    match succeeds(&mut cargo(["nextest", "--version"])) {
        true => stream(cargo(["nextest", "run", "--no-fail-fast"]).args(all))?,
        false => {
            let kinds = ["--lib", "--bins", "--tests", "--examples"];
            stream(cargo(["test", "--no-fail-fast"]).args(all).args(kinds))?;
        }
    }
    ok()
}
