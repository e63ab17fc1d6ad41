//! The values a key can have: sizes, times, regions of flash, names. Each knows its unit and its bounds.

use crate::define::{Shape, Value, wrong_form};
use crate::diagnostic::Errors;
use crate::tree::{Data, Node};
use std::fmt;

/// Bytes: `"4 KiB"`, or a bare number of bytes; from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes<const MIN: u32 = 0, const MAX: u32 = { u32::MAX }>(pub u32);

/// Time in milliseconds: `"2 s"`; from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Millis<const MIN: u32 = 1, const MAX: u32 = { 30 * 24 * 60 * 60 * 1000 }>(pub u32);

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count<const MIN: u32, const MAX: u32>(pub u32);

/// A part of one: 0.25; kept in percent, for the device has no floating point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub u8);

/// A region of the flash: `"512 KiB + 384 KiB"` is where it starts and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte, from the start of the flash.
    pub start: u32,
    /// Bytes.
    pub len: u32,
}

impl Region {
    /// The byte behind the last one; a `u64`, for a region may be declared to end anywhere.
    pub fn end(self) -> u64 {
        u64::from(self.start) + u64::from(self.len)
    }
}

/// As the file writes it.
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {}", size(self.start), size(self.len))
    }
}

/// How often progress is reported: `"16 blocks"` or `"10 %"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// After so many blocks.
    Blocks(u32),
    /// After so many percent of all blocks.
    Percent(u8),
}

const SIZES: [(&str, u64); 3] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20)];
const TIMES: [(&str, u64); 5] =
    [("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A number and its unit, as the smallest unit's count. Without a unit the number is bytes 0, or nothing.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    if unit.is_empty() && number == 0 {
        return Some(0);
    }
    let unit = unit.trim_start();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*factor)
}

/// A count of the smallest unit in the largest that divides it.
pub(crate) fn spelt(count: u64, units: &[(&str, u64)]) -> String {
    let fits = |(_, factor): &&(&str, u64)| count >= *factor && count.is_multiple_of(*factor);
    match units.iter().rev().find(fits) {
        Some((name, factor)) => format!("{} {name}", count / factor),
        None => format!("{count} {}", units.first().map_or("", |(name, _)| name)),
    }
}

/// `4 KiB`
pub fn size(bytes: impl Into<u64>) -> String {
    spelt(bytes.into(), &SIZES)
}

/// `2 s`
pub(crate) fn spelt_time(millis: u32) -> String {
    spelt(millis.into(), &TIMES)
}

/// Within bounds, as 32 bits; else told.
fn bounded<V: Value>(
    value: Option<u64>,
    min: u32,
    max: u32,
    node: &Node,
    errors: &mut Errors,
) -> Option<u32> {
    match value.and_then(|value| u32::try_from(value).ok()) {
        Some(value) if (min..=max).contains(&value) => Some(value),
        _ => wrong_form::<V>(node, errors).and(None),
    }
}

fn pattern(units: &[(&str, u64)]) -> String {
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    format!("^[0-9]+ ?({})$", names.join("|"))
}

impl<const MIN: u32, const MAX: u32> Value for Bytes<MIN, MAX> {
    fn shape() -> Shape {
        let bounds = match (MIN, MAX) {
            (_, u32::MAX) => "".into(),
            _ => format!(" from {} to {}", size(MIN), size(MAX)),
        };
        let example = size(4096.clamp(MIN, MAX));
        Shape::Text {
            form: format!("a size{bounds} such as {example:?} (B, KiB or MiB)"),
            pattern: Some(pattern(&SIZES)),
            or_integer: Some((MIN.into(), MAX.into())),
        }
    }

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let bytes = match &node.data {
            Data::Text(text) => measured(text, &SIZES),
            Data::Integer(bytes) => u64::try_from(*bytes).ok(),
            _ => None,
        };
        bounded::<Self>(bytes, MIN, MAX, node, errors).map(Self)
    }
}

impl<const MIN: u32, const MAX: u32> Value for Millis<MIN, MAX> {
    fn shape() -> Shape {
        Shape::Text {
            form: format!(
                "a time from {} to {} such as \"2 s\" (ms, s, min, h or d)",
                spelt(MIN.into(), &TIMES),
                spelt(MAX.into(), &TIMES)
            ),
            pattern: Some(pattern(&TIMES)),
            or_integer: None,
        }
    }

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let millis = match &node.data {
            Data::Text(text) => measured(text, &TIMES),
            _ => None,
        };
        bounded::<Self>(millis, MIN, MAX, node, errors).map(Self)
    }
}

impl<const MIN: u32, const MAX: u32> Value for Count<MIN, MAX> {
    fn shape() -> Shape {
        Shape::Integer(MIN.into(), MAX.into())
    }

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let count = match node.data {
            Data::Integer(count) => u64::try_from(count).ok(),
            _ => None,
        };
        bounded::<Self>(count, MIN, MAX, node, errors).map(Self)
    }
}

impl Value for Percent {
    fn shape() -> Shape {
        Shape::Fraction
    }

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let part = match node.data {
            Data::Number(part) => part,
            Data::Integer(0) => 0.0,
            Data::Integer(1) => 1.0,
            _ => return wrong_form(node, errors),
        };
        match (0.0..=1.0).contains(&part) {
            true => Some(Self((part * 100.0).round() as u8)),
            false => wrong_form(node, errors),
        }
    }
}

impl Value for Region {
    fn shape() -> Shape {
        let units = "(0|[0-9]+ ?(B|KiB|MiB))";
        Shape::Text {
            form: "where it starts and how long it is, such as \"512 KiB + 384 KiB\"".into(),
            pattern: Some(format!(r"^{units} ?\+ ?{units}$")),
            or_integer: None,
        }
    }

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let Data::Text(text) = &node.data else {
            return wrong_form(node, errors);
        };
        let region = text.split_once('+').and_then(|(start, len)| {
            let start = u32::try_from(measured(start, &SIZES)?).ok()?;
            let len = u32::try_from(measured(len, &SIZES)?).ok()?;
            (len > 0).then_some(Self { start, len })
        });
        region.or_else(|| wrong_form(node, errors))
    }
}

impl Value for Every {
    fn shape() -> Shape {
        Shape::Text {
            form: "how often, such as \"16 blocks\" or \"10 %\"".into(),
            pattern: Some("^[1-9][0-9]* ?(blocks|block|%)$".into()),
            or_integer: None,
        }
    }

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let Data::Text(text) = &node.data else {
            return wrong_form(node, errors);
        };
        let blocks = measured(text, &[("blocks", 1), ("block", 1)]);
        let percent = measured(text, &[("%", 1)]);
        match (blocks.map(u32::try_from), percent.map(u8::try_from)) {
            (Some(Ok(blocks @ 1..)), _) => Some(Self::Blocks(blocks)),
            (_, Some(Ok(percent @ 1..=100))) => Some(Self::Percent(percent)),
            _ => wrong_form(node, errors),
        }
    }
}

impl Value for bool {
    fn shape() -> Shape {
        Shape::Boolean
    }

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        match node.data {
            Data::Boolean(value) => Some(value),
            _ => wrong_form(node, errors),
        }
    }
}

/// Defines kinds of text: what it is called, the characters besides letters and digits, and how many there may be.
macro_rules! text {
    ($($(#[doc = $doc:literal])+ $name:ident($form:literal, $start:literal, $others:literal, $min:literal..=$max:literal);)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub String);

        impl Value for $name {
            fn shape() -> Shape {
                let pattern = match $others {
                    "*" => None,
                    others => Some(format!("^{}[A-Za-z0-9{others}]{{{},{}}}$", $start, $min, $max)),
                };
                Shape::Text { form: $form.into(), pattern, or_integer: None }
            }

            fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
                let fits = |rest: &str| {
                    let known = |c: char| $others == "*" || c.is_ascii_alphanumeric() || $others.contains(c);
                    ($min..=$max).contains(&rest.chars().count()) && rest.chars().all(known)
                };
                match &node.data {
                    Data::Text(text) if text.strip_prefix($start).is_some_and(fits) => Some(Self(text.clone())),
                    _ => wrong_form(node, errors),
                }
            }
        }
    )+};
}

text! {
    /// Any text that is not empty.
    Text("a text", "", "*", 1..=1024);
    /// A name of ours: of a product, a board, a key, a parser.
    Name("a name of 1 to 64 letters, digits, `-`, `_`", "", "_-", 1..=64);
    /// A name that a signed plugin carries.
    PluginName("a name of 1 to 32 letters, digits, `-`, `_`", "", "_-", 1..=32);
    /// An AWS IoT thing.
    Thing("a thing name of 1 to 128 letters, digits, `:`, `-`, `_`", "", ":_-", 1..=128);
    /// The place of a field in a JSON document: RFC 6901.
    Pointer("a JSON pointer such as \"/pkg/size\"", "/", "/~_.-", 1..=96);
    /// A file, from the folder of the file that names it.
    File("a file, from the folder of this one", "", "*", 1..=1024);
    /// A Rust path to a type.
    TypePath("a path to a Rust type such as \"crate::boot::Ours\"", "", ":_", 1..=128);
    /// A target triple of rustc, or `host`.
    Target("a target triple such as \"thumbv7em-none-eabihf\", or \"host\"", "", "._-", 1..=64);
    /// A version that is written out.
    Literal("a version such as \"1.4.0\" or \"1.4.0+7\"", "", ".+", 5..=32);
}

/// What is found elsewhere at build or run time, or written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sourced<S, L> {
    /// `{ from = "…" }`
    From(S),
    /// The literal.
    Literal(L),
}

impl<S: Value, L: Value> Value for Sourced<S, L> {
    fn shape() -> Shape {
        Shape::Either(Box::new(S::shape()), Box::new(L::shape()))
    }

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        match &node.data {
            Data::Table(_) => S::read(node, errors).map(Self::From),
            Data::Text(_) => L::read(node, errors).map(Self::Literal),
            _ => wrong_form(node, errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse_value;

    /// What a value written in TOML reads as.
    fn read<V: Value>(text: &str) -> Option<V> {
        V::read(&parse_value(text, 0..0).unwrap(), &mut Errors::default())
    }

    #[test]
    fn sizes_have_units() {
        let sizes = [
            ("\"4 KiB\"", Some(4096)),
            ("\"4KiB\"", Some(4096)),
            ("\"1 MiB\"", Some(1 << 20)),
            ("\"7 B\"", Some(7)),
            ("7", Some(7)),
            ("0x10", Some(16)),
            ("\"0\"", Some(0)),
            ("\"4\"", None),
            ("\"4 KB\"", None),
            ("\"4.5 KiB\"", None),
            ("\"KiB\"", None),
            ("-1", None),
            ("\"4 GiB\"", None),
            ("\"4096 MiB\"", None),
            ("\"18446744073709551615 MiB\"", None),
            ("\"99999999999999999999 B\"", None),
        ];
        for (text, bytes) in sizes {
            assert_eq!(read::<Bytes>(text).map(|size| size.0), bytes, "{text}");
        }
    }

    #[test]
    fn times_have_units_and_bounds() {
        let times = [
            ("\"250 ms\"", Some(250)),
            ("\"2 s\"", Some(2000)),
            ("\"5 min\"", Some(300_000)),
            ("\"6 h\"", Some(21_600_000)),
            ("\"30 d\"", Some(2_592_000_000)),
            ("\"31 d\"", None),
            ("\"0 s\"", None),
            ("2", None),
        ];
        for (text, millis) in times {
            assert_eq!(read::<Millis>(text).map(|time| time.0), millis, "{text}");
        }
    }

    #[test]
    fn regions_are_start_and_length() {
        let region = read::<Region>("\"512 KiB + 384 KiB\"").unwrap();
        assert_eq!((region.start, region.len, region.end()), (512 << 10, 384 << 10, 896 << 10));
        assert_eq!(region.to_string(), "512 KiB + 384 KiB");
        for text in ["\"512 KiB\"", "\"0 + 0\"", "\"1 KiB + 1 KiB + 1 KiB\"", "\"+ 1 KiB\"", "4096"]
        {
            assert_eq!(read::<Region>(text), None, "{text}");
        }
    }

    #[test]
    fn parts_of_one_and_of_all_blocks() {
        assert_eq!(read("0.25"), Some(Percent(25)));
        assert_eq!(read("1"), Some(Percent(100)));
        assert_eq!(read::<Percent>("1.01"), None);
        assert_eq!(read::<Percent>("nan"), None);
        assert_eq!(read("\"16 blocks\""), Some(Every::Blocks(16)));
        assert_eq!(read("\"10 %\""), Some(Every::Percent(10)));
        assert_eq!(read::<Every>("\"101 %\""), None);
    }

    #[test]
    fn counts_are_spelt_in_the_largest_unit() {
        assert_eq!(size(4096u32), "4 KiB");
        assert_eq!(size(4097u32), "4097 B");
        assert_eq!(size(0u32), "0 B");
        assert_eq!(spelt_time(90_000), "90 s");
    }
}
