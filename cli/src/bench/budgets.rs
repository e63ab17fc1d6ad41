//! `.ci/budgets.toml`: what each figure may be, what it has to beat, and where it should go.

use std::path::Path;

use crate::error::{Error, Exit, Result};

/// The file, in the repository.
pub(crate) const FILE: &str = ".ci/budgets.toml";

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) name: String,
    /// `instructions`, `bytes` or `calls`.
    pub(crate) unit: String,
    pub(crate) what: String,
    /// More than this fails `--check`.
    pub(crate) budget: u64,
    pub(crate) aim: u64,
    /// What others come to, in words.
    pub(crate) beat: String,
}

/// Reads the budgets of the repository at `root`, in the order of the file.
pub(crate) fn read(root: &Path) -> Result<Vec<Budget>> {
    let path = root.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(|why| Error::file("read", &path, why))?;
    parse(&text).map_err(|why| Error::new(Exit::File, format!("{FILE}: {why}")))
}

fn parse(text: &str) -> std::result::Result<Vec<Budget>, String> {
    let table: toml::Table = text.parse().map_err(|why| format!("{why}"))?;
    let mut budgets = Vec::new();
    for (name, entry) in &table {
        let word = |key: &str| entry.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let number = |key: &str| {
            let number = entry.get(key).and_then(toml::Value::as_integer);
            let number = number.and_then(|number| u64::try_from(number).ok());
            number.ok_or_else(|| format!("[{name}] needs `{key}`, a whole number"))
        };
        budgets.push(Budget {
            name: name.clone(),
            unit: word("unit").ok_or_else(|| format!("[{name}] needs `unit`"))?,
            what: word("what").ok_or_else(|| format!("[{name}] needs `what`"))?,
            budget: number("budget")?,
            aim: number("aim")?,
            beat: word("beat").unwrap_or_default(),
        });
    }
    Ok(budgets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_budgets_are_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let budgets = read(root).expect("good budgets");
        assert!(budgets.iter().any(|budget| budget.name == "afr-ota-335"));
        assert!(budgets.iter().all(|budget| !budget.what.is_empty() && !budget.unit.is_empty()));
    }

    #[test]
    fn a_budget_without_a_number_is_named() {
        let why = parse("[x]\nunit = \"bytes\"\nwhat = \"x\"\nbudget = -1\naim = 1").unwrap_err();
        assert_eq!(why, "[x] needs `budget`, a whole number");
    }
}
