//! `cargo ota bench`: what an update costs on a device, against budgets and against others.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::bench::budgets::{self, Budget};
use crate::bench::{Measured, boards, counts, image, plugin, repository};
use crate::error::{Error, Exit, Result};
use crate::out::Out;

/// Measure coreota itself: instructions, flash, RAM and panics, against committed budgets
#[derive(Debug, Args)]
pub(crate) struct Cmd {
    /// Fail where a budget is exceeded
    #[arg(long)]
    check: bool,
    /// Only one kind of figures
    #[arg(long, value_enum)]
    only: Option<Kind>,
    /// Name what can panic, and who calls it
    #[arg(long)]
    panics: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Instructions of single operations, by callgrind
    Counts,
    /// Flash, RAM and panics of linked firmware
    Size,
    /// A hosted plugin on an emulated Cortex-M4: flash, memory, stack, instructions
    Plugin,
    /// Firmware and bootloaders of the example boards: flash, variables, painted stack, panics
    Boards,
}

impl Cmd {
    pub(crate) fn run(self, out: &Out) -> Result<()> {
        let root = repository()?;
        let budgets = budgets::read(&root)?;
        let mut measured = Vec::new();
        let wanted = |kind| self.only.is_none_or(|only| only == kind);
        if wanted(Kind::Counts) {
            out.line("counting instructions ...");
            measured.extend(counts::measure(&root)?);
        }
        let mut panics = Vec::new();
        if wanted(Kind::Size) {
            out.line("linking firmware for a Cortex-M4 ...");
            let weighed = image::measure(&root)?;
            measured.extend(weighed.figures);
            panics = weighed.panics;
        }
        if wanted(Kind::Plugin) {
            out.line("running a plugin on an emulated Cortex-M4 ...");
            measured.extend(plugin::measure(&root)?);
        }
        if wanted(Kind::Boards) {
            out.line("building the boards, each of which updates itself once ...");
            measured.extend(boards::measure(&root, out)?);
        }
        let over = table(&measured, &budgets, out)?;
        if self.panics {
            panics.iter().for_each(|way| out.event("panic", &json!({ "way": way }), way));
        }
        match self.check && !over.is_empty() {
            false => Ok(()),
            true => Err(Error::new(Exit::No, format!("over budget: {}", over.join(", ")))
                .fix(format!("make it smaller, or argue for more in {}", budgets::FILE))),
        }
    }
}

/// Prints the table and gives the names of what is over budget.
fn table(measured: &[Measured], budgets: &[Budget], out: &Out) -> Result<Vec<String>> {
    let mut over = Vec::new();
    out.line(format_args!(
        "{:72} {:>9} {:>9} {:>9}  {}",
        "", "measured", "budget", "aim", "others"
    ));
    for Measured { name, value } in measured {
        let budget = budgets
            .iter()
            .find(|budget| budget.name == *name)
            .ok_or_else(|| Error::new(Exit::File, format!("{} has no [{name}]", budgets::FILE)))?;
        let mark = if *value > budget.budget { " OVER BUDGET" } else { "" };
        if *value > budget.budget {
            over.push((*name).to_owned());
        }
        let fields = json!({
            "name": name, "unit": budget.unit, "measured": value, "budget": budget.budget,
            "aim": budget.aim, "others": budget.beat,
        });
        let what = format!("{} ({})", budget.what, budget.unit);
        let line = format!(
            "{what:72} {value:>9} {:>9} {:>9}  {}{mark}",
            budget.budget, budget.aim, budget.beat
        );
        out.event("figure", &fields, line.trim_end());
    }
    Ok(over)
}
