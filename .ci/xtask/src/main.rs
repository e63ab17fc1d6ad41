//! `cargo xtask`: the chores of this repository. Users of coreota never need it.
//!
//! [`steps`] is the table of what `cargo xtask test` does; the rooms beside it hold the steps that
//! are more than one command. [`run`] runs a command into a step's log.

mod boards;
mod cuts;
mod device;
mod fuzz;
mod hostile;
mod msrv;
mod readme;
mod run;
mod steps;
mod text;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask test [--quick | STEP...]
       cargo xtask cuts --board NAME [--from N] [--to N] [--every N] [--tear clean|half|bits] [--jobs N] [--built]
       cargo xtask fuzz [TARGET...] [--runs N]

  cuts          the power of an emulated board goes at every operation on its flash, or at some
  fuzz          the readers of outside bytes, fed with a million inputs each, or with N

  test          everything that has to hold before a change lands
  test --quick  what takes seconds after a small change
  test STEP...  only these steps:";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => steps::run(|_| true),
        ["test", "--quick"] => steps::run(|step| step.quick),
        ["test", names @ ..] if names.iter().all(|name| steps::find(name).is_some()) => {
            steps::run(|step| names.contains(&step.name))
        }
        ["cuts", wanted @ ..] => cuts::command(wanted),
        ["fuzz", wanted @ ..] => match fuzz::command(wanted) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("error: {why}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("{USAGE}");
            for step in steps::STEPS {
                eprintln!("    {:10} {}", step.name, step.what);
            }
            ExitCode::from(2)
        }
    }
}
