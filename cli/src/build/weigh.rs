//! What firmware weighs: flash of its slot, RAM, and what each part of the code takes.
//!
//! Parts are crates, and the modules of coreota: what the linker kept of them. Code that was
//! generated or inlined for another part counts there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use coreota_config::model::Device;
use coreota_config::values::size;
use serde_json::json;

use super::Order;
use crate::bench::calls::Calls;
use crate::bench::elf;
use crate::bench::origin::Origins;
use crate::error::{Error, Exit, Result};

/// The rooms of coreota in which `ota.toml` chooses.
const CHOICES: [&str; 4] = ["parser", "transport", "job", "boot"];
/// How many of the largest parts are named where there are too many.
const LARGEST: usize = 3;

/// Bytes of one firmware.
pub(crate) struct Weights {
    /// Code, constants, first values of variables.
    pub(crate) flash: u64,
    /// What the slot holds.
    pub(crate) slot: u64,
    /// Variables.
    pub(crate) variables: u64,
    /// The largest of them, by name; the largest first.
    pub(crate) statics: Vec<(String, u64)>,
    /// RAM in all: what is left is the stack's.
    pub(crate) ram: u64,
    /// Code by part, the heaviest first.
    pub(crate) parts: Vec<(String, u64)>,
    /// Code of each parser, transport, job protocol and bootloader that was linked, wherever it was inlined.
    pub(crate) chosen: Vec<(String, u64)>,
    /// What can panic; where the target's instructions are understood.
    pub(crate) panics: Option<Panics>,
    /// Functions of the formatting machinery.
    pub(crate) formatting: usize,
}

/// Ways into a panic. The guard of each `async` function against another poll after its end is none.
pub(crate) struct Panics {
    /// As caller and panic.
    pub(crate) ways: Vec<String>,
    /// How many instructions go one, by whose source they come from.
    pub(crate) crates: BTreeMap<String, u64>,
    /// Where in our own source, each once.
    pub(crate) ours: BTreeSet<String>,
}

impl Panics {
    /// All instructions that go such a way.
    pub(crate) fn count(&self) -> u64 {
        self.crates.values().sum()
    }
}

impl Weights {
    pub(super) fn of(elf: &Path, flash: u64, device: &Device) -> Result<Self> {
        let image = elf::read(elf)?;
        let calls = Calls::of(&image);
        let bytes = std::fs::read(elf).map_err(|why| Error::file("read", elf, why))?;
        let origins = Origins::of(elf, &bytes)?;
        let panics = understood(&device.target).then(|| {
            let ways = calls.panics().into_iter().filter(|way| !Calls::is_resume(way));
            let places = calls.panics_from(|address| origins.place(address));
            let places: Vec<_> = places.into_iter().filter(|place| !place.is_resume).collect();
            let ours = places.iter().filter(|place| place.name.starts_with("coreota"));
            let ours = ours.map(|place| format!("{} {}", place.name, place.at)).collect();
            let mut crates = BTreeMap::new();
            places.into_iter().for_each(|place| *crates.entry(place.name).or_default() += 1);
            Panics { ways: ways.collect(), crates, ours }
        });
        let formatting = calls.formatting();
        let (mut parts, mut chosen) = (BTreeMap::new(), BTreeMap::new());
        for function in image.functions.values() {
            *parts.entry(part(&function.name)).or_default() += function.len;
        }
        for (file, bytes) in origins.of_coreota(image.base, image.base + image.text.len() as u64) {
            if let Some(name) = choice(&file) {
                *chosen.entry(name).or_default() += bytes;
            }
        }
        let code: u64 = parts.values().sum();
        parts.insert("constants".to_owned(), flash.saturating_sub(code));
        Ok(Weights {
            flash,
            slot: device.layout.image.len.into(),
            variables: image.variables,
            statics: heaviest(image.statics),
            ram: device.link.map_or(0, |link| link.ram.len.into()),
            parts: heaviest(parts),
            chosen: heaviest(chosen),
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
            format!("  linked   {}", listed(&self.chosen)),
            match &self.panics {
                Some(panics) => format!(
                    "  panics   {} ways into one, {} places of coreota: {}; {} functions of formatting",
                    panics.count(),
                    panics.ours.len(),
                    listed(&heaviest(panics.crates.clone())),
                    self.formatting
                ),
                None => format!(
                    "  panics   not counted for this processor; {} functions of formatting",
                    self.formatting
                ),
            },
        ];
        let line = |(name, bytes): &(String, u64)| format!("  {bytes:>8} {name}");
        head.into_iter().chain(self.parts.iter().take(parts).map(line)).collect()
    }

    /// `sizes.json`.
    pub(super) fn json(&self) -> String {
        let all = json!({
            "flash": self.flash, "slot": self.slot, "variables": self.variables, "ram": self.ram,
            "parts": map(&self.parts), "chosen": map(&self.chosen), "statics": map(&self.statics),
            "panics": self.panics.as_ref().map(|panics| &panics.ways),
            "panicking": self.panics.as_ref().map(|panics| &panics.crates),
            "ours": self.panics.as_ref().map(|panics| &panics.ours),
            "formatting": self.formatting,
        });
        format!("{all:#}\n")
    }

    /// Against the budget in ota.toml: both at once.
    pub(super) fn check(&self, order: &Order<'_>) -> Result<()> {
        let device = order.device;
        self.within(order.name(), device.flash_budget(), device.ram_budget())
    }

    fn within(&self, name: &str, flash: Option<u32>, ram: Option<u32>) -> Result<()> {
        let over = [
            ("flash", self.flash, flash, &self.parts),
            ("ram", self.variables, ram, &self.statics),
        ];
        let over = over.into_iter().filter_map(|(key, taken, budget, parts)| {
            let budget = u64::from(budget?);
            let largest: Vec<_> = parts.iter().take(LARGEST).cloned().collect();
            (taken > budget).then(|| {
                let word = if key == "ram" { "variables" } else { "flash" };
                let told = format!(
                    "{taken} bytes of {word}, {} more than `budget.{key}`, {}; the largest: {}",
                    taken - budget,
                    size(budget as u32),
                    listed(&largest)
                );
                (key, told)
            })
        });
        let (keys, told): (Vec<_>, Vec<_>) = over.unzip();
        if keys.is_empty() {
            return Ok(());
        }
        let what = format!("the firmware of {name} takes {}", told.join("; and "));
        let keys: Vec<_> = keys.iter().map(|key| format!("`budget.{key}`")).collect();
        Err(Error::new(Exit::No, what).fix(format!(
            "leave out what it does not need (sizes.json says what weighs), or raise {} in [board.{name}]",
            keys.join(" and ")
        )))
    }
}

/// Whether calls are found in the instructions of that target.
fn understood(target: &str) -> bool {
    target.starts_with("thumb") || target.starts_with("riscv32")
}

/// The heaviest first.
fn heaviest(parts: impl IntoIterator<Item = (String, u64)>) -> Vec<(String, u64)> {
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_by_key(|(name, bytes)| (u64::MAX - bytes, name.clone()));
    parts
}

/// `one 3, two 2`
fn listed(parts: &[(String, u64)]) -> String {
    let words: Vec<_> = parts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    words.join(", ")
}

fn map(parts: &[(String, u64)]) -> serde_json::Map<String, serde_json::Value> {
    parts.iter().map(|(name, bytes)| (name.clone(), json!(bytes))).collect()
}

/// What of coreota's rooms of choices a file belongs to, as `parser::afr_ota`: it is linked only where
/// `ota.toml` chose it.
fn choice(file: &str) -> Option<String> {
    let (room, what) = file.split_once('/')?;
    let what = what.split(['/', '.']).next()?;
    CHOICES.contains(&room).then(|| format!("{room}::{what}"))
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
    use super::{Weights, choice, part};

    fn weights() -> Weights {
        let named = |parts: &[(&str, u64)]| {
            parts.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
        };
        Weights {
            flash: 5000,
            slot: 8192,
            variables: 3000,
            statics: named(&[("HEAP", 2000), ("RING", 600), ("PLACE", 300), ("FLAG", 1)]),
            ram: 4096,
            parts: named(&[("smoltcp", 2500), ("coreota::update", 1500), ("core", 400), ("x", 9)]),
            chosen: named(&[("parser::afr_ota", 100)]),
            panics: None,
            formatting: 0,
        }
    }

    #[test]
    fn what_is_over_its_budget_is_told_with_its_largest_parts() {
        let told =
            |flash, ram| weights().within("b", flash, ram).map_err(|error| error.to_string());
        assert_eq!(told(None, None), Ok(()));
        assert_eq!(told(Some(5000), Some(3000)), Ok(()));
        let ram = told(Some(8192), Some(2048)).unwrap_err();
        assert!(
            ram.contains("the firmware of b takes 3000 bytes of variables, 952 more than `budget.ram`, 2 KiB; the largest: HEAP 2000, RING 600, PLACE 300"),
            "{ram}"
        );
        let both = told(Some(4096), Some(2048)).unwrap_err();
        assert!(
            both.contains("5000 bytes of flash, 904 more than `budget.flash`, 4 KiB; the largest: smoltcp 2500, coreota::update 1500, core 400; and 3000 bytes of variables"),
            "{both}"
        );
    }

    #[test]
    fn what_was_chosen_is_told_by_its_file() {
        assert_eq!(choice("parser/afr_ota.rs").as_deref(), Some("parser::afr_ota"));
        assert_eq!(choice("boot/mcuboot/swap.rs").as_deref(), Some("boot::mcuboot"));
        assert_eq!(choice("wire/json.rs"), None);
        assert_eq!(choice("update.rs"), None);
    }

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
