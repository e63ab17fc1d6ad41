//! What firmware weighs: flash of its slot, RAM, and what each part of the code takes.
//!
//! Parts are crates, and the modules of coreota: what the linker kept of them. Code that was
//! generated or inlined for another part counts there.

use std::collections::BTreeMap;
use std::path::Path;

use coreota_config::model::Device;
use coreota_config::values::size;
use serde_json::json;

use super::Order;
use crate::bench::calls::Calls;
use crate::bench::elf;
use crate::error::{Error, Exit, Result};

/// Bytes of one firmware.
pub(crate) struct Weights {
    /// Code, constants, first values of variables.
    pub(crate) flash: u64,
    /// What the slot holds.
    pub(crate) slot: u64,
    /// Variables.
    pub(crate) variables: u64,
    /// RAM in all: what is left is the stack's.
    pub(crate) ram: u64,
    /// Code by part, the heaviest first.
    pub(crate) parts: Vec<(String, u64)>,
    /// What can panic, as caller and panic; where the target's instructions are understood.
    pub(crate) panics: Option<Vec<String>>,
    /// Functions of the formatting machinery.
    pub(crate) formatting: usize,
}

impl Weights {
    pub(super) fn of(elf: &Path, flash: u64, device: &Device) -> Result<Self> {
        let image = elf::read(elf)?;
        let calls = Calls::of(&image);
        let panics = understood(&device.target).then(|| {
            let ways = calls.panics().into_iter();
            ways.filter(|way| !Calls::is_resume(way)).collect()
        });
        let formatting = calls.formatting();
        let mut parts = BTreeMap::<String, u64>::new();
        for function in image.functions.values() {
            *parts.entry(part(&function.name)).or_default() += function.len;
        }
        let code: u64 = parts.values().sum();
        let mut parts: Vec<_> = parts.into_iter().collect();
        parts.push(("constants".to_owned(), flash.saturating_sub(code)));
        parts.sort_by_key(|(name, bytes)| (u64::MAX - bytes, name.clone()));
        Ok(Weights {
            flash,
            slot: device.layout.image.len.into(),
            variables: image.variables,
            ram: device.link.map_or(0, |link| link.ram.len.into()),
            parts,
            panics,
            formatting,
        })
    }

    /// In three lines, and one for each of the heaviest parts.
    pub(crate) fn lines(&self, parts: usize) -> Vec<String> {
        let percent = |of: u64, all: u64| (of * 100).checked_div(all).unwrap_or(0);
        let head = [
            format!(
                "  flash    {} bytes of {} ({} %)",
                self.flash,
                size(self.slot),
                percent(self.flash, self.slot)
            ),
            format!(
                "  RAM      {} bytes of variables in {} ({} %), the rest is the stack's",
                self.variables,
                size(self.ram),
                percent(self.variables, self.ram)
            ),
            format!(
                "  panics   {}, {} functions of formatting",
                match &self.panics {
                    Some(ways) => format!("{} ways into one (sizes.json names them)", ways.len()),
                    None => "not counted for this processor".to_owned(),
                },
                self.formatting
            ),
        ];
        let line = |(name, bytes): &(String, u64)| format!("  {bytes:>8} {name}");
        head.into_iter().chain(self.parts.iter().take(parts).map(line)).collect()
    }

    /// `sizes.json`.
    pub(super) fn json(&self) -> String {
        let parts: serde_json::Map<_, _> =
            self.parts.iter().map(|(name, bytes)| (name.clone(), json!(bytes))).collect();
        let all = json!({
            "flash": self.flash, "slot": self.slot, "variables": self.variables, "ram": self.ram,
            "parts": parts, "panics": self.panics, "formatting": self.formatting,
        });
        format!("{all:#}\n")
    }

    /// Against the budget in ota.toml.
    pub(super) fn check(&self, order: &Order<'_>) -> Result<()> {
        match order.device.flash_budget() {
            Some(budget) if self.flash > u64::from(budget) => {
                let what = format!(
                    "the firmware of {} takes {} bytes of flash, {} are budgeted",
                    order.name(),
                    self.flash,
                    budget
                );
                Err(Error::new(Exit::No, what).fix(format!(
                    "leave out what it does not need (sizes.json says what weighs), or raise `budget.flash` in [board.{}]",
                    order.name()
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Whether calls are found in the instructions of that target.
fn understood(target: &str) -> bool {
    target.starts_with("thumb") || target.starts_with("riscv32")
}

/// The part that a function belongs to, by its name: the first path in it.
fn part(name: &str) -> String {
    let start = name.find(|c: char| c.is_alphanumeric() || c == '_').unwrap_or(0);
    let mut path = name[start..].split("::").map(|word| {
        let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
        &word[..end]
    });
    let (first, second) = (path.next().unwrap_or_default(), path.next());
    match (first, second) {
        ("mut" | "dyn" | "impl" | "const", _) => part(&name[start + first.len()..]),
        // `<&T as …>`, `_<T as …>` and the like have their path behind.
        ("", _) | ("_", None) => "others".to_owned(),
        ("coreota", Some(module)) => format!("coreota::{module}"),
        (_, Some(_)) => first.to_owned(),
        // Without a path: what the compiler calls by name, memcpy and 64-bit arithmetic.
        (_, None) => "compiler".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn functions_belong_to_the_first_path_in_their_name() {
        for (name, expected) in [
            ("coreota::wire::json::Json::skip", "coreota::wire"),
            ("<coreota::update::Update<V, _> as X>::step", "coreota::update"),
            ("<&mut smoltcp::wire::Ip as core::fmt::Debug>::fmt", "smoltcp"),
            ("p256::arithmetic::field::mul", "p256"),
            ("<embassy_net::Stack>::poll::{closure#0}", "embassy_net"),
            ("__aeabi_memcpy", "compiler"),
            ("", "others"),
        ] {
            assert_eq!(part(name), expected, "{name}");
        }
    }
}
