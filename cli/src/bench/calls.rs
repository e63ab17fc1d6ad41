//! Who calls whom in an image, read from its instructions: the deepest stack, and who can panic.
//!
//! Direct calls and tail calls are followed. A call through a register is not, and is counted: the
//! device path has none of its own (no `dyn`, no function pointers), so what is left is formatting
//! in panics, which never return.

use std::collections::{BTreeMap, BTreeSet};

use super::elf::Image;

/// How deep a value may be nested: `wire::json::NESTING` of the device half.
const NESTING: u64 = 8;

/// A walk down the calls.
#[derive(Default)]
struct Walk {
    path: Vec<u64>,
    /// Depths of functions that were walked to the end.
    known: BTreeMap<u64, u64>,
    /// Functions that can come to themselves again.
    circles: BTreeSet<u64>,
}

/// The direct calls of an image.
pub(crate) struct Calls<'i> {
    image: &'i Image,
    /// Callees by caller, both by address.
    from: BTreeMap<u64, BTreeSet<u64>>,
}

impl<'i> Calls<'i> {
    pub(crate) fn of(image: &'i Image) -> Self {
        let from = image.functions.iter().map(|(&address, function)| {
            let callees = Self::callees(image, address, address + function.len);
            (address, callees)
        });
        Calls { image, from: from.collect() }
    }

    fn callees(image: &Image, from: u64, to: u64) -> BTreeSet<u64> {
        let half = |address: u64| {
            let at = usize::try_from(address.checked_sub(image.base)?).ok()?;
            image.text.get(at..at + 2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        };
        let mut callees = BTreeSet::new();
        let mut at = from;
        while at < to {
            if let Some(data) = image.data.iter().find(|data| data.contains(&at)) {
                at = data.end;
                continue;
            }
            let (Some(first), second) = (half(at), half(at + 2)) else { break };
            let is_long = first >> 11 >= 0b11101;
            if let (true, Some(second)) = (is_long, second)
                && let Some(target) = branch(at, first, second)
                && image.functions.contains_key(&target)
                // A jump to its own start is a loop; a call of itself is a call.
                && (target != from || second & CALL != 0)
            {
                callees.insert(target);
            }
            at += if is_long { 4 } else { 2 };
        }
        callees
    }

    /// Bytes of stack of the deepest chain of calls from `name`; `None` where it is not there.
    ///
    /// Calls that go in circles are counted [`NESTING`] times: the only ones read nested values.
    pub(crate) fn deepest(&self, name: &str) -> Option<u64> {
        let mut functions = self.image.functions.iter();
        let (&start, _) = functions.find(|(_, function)| function.name == name)?;
        let mut walk = Walk::default();
        let depth = self.depth(start, &mut walk);
        let circles: u64 = walk.circles.iter().map(|&address| self.frame(address)).sum();
        Some(depth + circles * (NESTING - 1))
    }

    fn frame(&self, address: u64) -> u64 {
        self.image.functions.get(&address).and_then(|function| function.frame).unwrap_or(0)
    }

    fn depth(&self, at: u64, walk: &mut Walk) -> u64 {
        if let Some(&depth) = walk.known.get(&at) {
            return depth;
        }
        if let Some(begin) = walk.path.iter().position(|&above| above == at) {
            walk.circles.extend(&walk.path[begin..]);
            return 0;
        }
        if self.image.functions.get(&at).is_none_or(|function| is_panic(&function.name)) {
            return 0;
        }
        walk.path.push(at);
        let callees = self.from.get(&at).into_iter().flatten();
        let below = callees.map(|&callee| self.depth(callee, walk)).max().unwrap_or(0);
        walk.path.pop();
        let depth = self.frame(at) + below;
        walk.known.insert(at, depth);
        depth
    }

    /// Ways into a panic: `caller -> what panics`, for callers that are not of the panic machinery.
    pub(crate) fn panics(&self) -> Vec<String> {
        let name = |address: &u64| self.image.functions.get(address).map(|f| f.name.as_str());
        let mut ways = BTreeSet::new();
        for (caller, callees) in &self.from {
            let Some(caller) = name(caller).filter(|caller| !is_panic(caller)) else { continue };
            let panics = callees.iter().filter_map(name).filter(|callee| is_panic(callee));
            ways.extend(panics.map(|panic| format!("{} -> {}", short(caller), short(panic))));
        }
        ways.into_iter().collect()
    }

    /// Those of [`Calls::panics`] that are the guard of an `async` function against another poll after
    /// its end: nobody polls one that is done.
    pub(crate) fn is_resume(way: &str) -> bool {
        way.ends_with("panic_const_async_fn_resumed")
    }

    /// Functions of `core::fmt`: nothing of ours formats.
    pub(crate) fn formatting(&self) -> usize {
        self.named(&["core::fmt"])
    }

    /// How many functions of a plugin host or of an allocator were linked: none belong in a device
    /// that has no plugins.
    pub(crate) fn hosting(&self) -> usize {
        self.named(&["coreota_plugin", "wasm", "linked_list_allocator", "__rust_alloc", "alloc::"])
    }

    /// How many functions have one of these in their name.
    fn named(&self, words: &[&str]) -> usize {
        let names = self.image.functions.values().map(|function| function.name.as_str());
        names.filter(|name| words.iter().any(|word| name.contains(word))).count()
    }
}

/// What tells `BL` from `B.W` in the second half of an instruction.
const CALL: u16 = 0x4000;

/// Where `BL` or `B.W` at `at` goes (ARMv7-M ARM, A7.7.18 T1 and A7.7.12 T4).
fn branch(at: u64, first: u16, second: u16) -> Option<u64> {
    let is_branch = first >> 11 == 0b11110 && second & 0x9000 == 0x9000;
    let bit = |half: u16, index: u32| u32::from(half >> index & 1);
    let sign = bit(first, 10);
    let (i1, i2) = (1 ^ bit(second, 13) ^ sign, 1 ^ bit(second, 11) ^ sign);
    let (high, low) = (u32::from(first & 0x3ff), u32::from(second & 0x7ff));
    let offset = sign << 24 | i1 << 23 | i2 << 22 | high << 12 | low << 1;
    let signed = i64::from(offset) - i64::from(sign << 25);
    is_branch.then(|| (at + 4).checked_add_signed(signed)).flatten()
}

fn is_panic(name: &str) -> bool {
    name.contains("core::panicking")
        || name.contains("unwrap_failed")
        || name.contains("expect_failed")
        || name.contains("slice_error_fail")
        || name.contains("len_mismatch_fail")
        || name.contains("slice_index_fail")
        || name.contains("rust_begin_unwind")
}

/// A name without the types in it, which can be longer than a page.
fn short(name: &str) -> String {
    let mut depth = 0usize;
    let mut text = String::new();
    for char in name.chars() {
        match char {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth <= 1 => text.push(char),
            _ => (),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_go_where_the_manual_says() {
        // bl +4 and bl -4 as any assembler writes them.
        assert_eq!(branch(0x1000, 0xf000, 0xf802), Some(0x1008));
        assert_eq!(branch(0x1000, 0xf7ff, 0xfffc), Some(0xffc));
        // b.w forward; movw r0, #0 is no branch.
        assert_eq!(branch(0x1000, 0xf000, 0xb800), Some(0x1004));
        assert_eq!(branch(0x1000, 0xf240, 0x0000), None);
    }

    #[test]
    fn names_are_told_without_their_types() {
        assert_eq!(short("<a::Update<V, 4096>>::step"), "a::Update::step");
    }
}
