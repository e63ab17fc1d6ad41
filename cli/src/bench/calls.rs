//! Who calls whom in an image, read from its instructions: the deepest stack, and who can panic.
//!
//! Direct calls and tail calls are followed. A call through a register is not, and is counted: the
//! device path has none of its own (no `dyn`, no function pointers), so what is left is formatting
//! in panics, which never return.

use std::collections::{BTreeMap, BTreeSet};

use super::branch::Reader;
use super::elf::Image;
use super::origin::Place;

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
    /// The address of each instruction that calls, by caller, with its callee.
    sites: BTreeMap<u64, Vec<(u64, u64)>>,
}

impl<'i> Calls<'i> {
    pub(crate) fn of(image: &'i Image) -> Self {
        let sites = image.functions.iter().map(|(&address, function)| {
            (address, Self::sites(image, address, address + function.len))
        });
        let sites: BTreeMap<u64, Vec<(u64, u64)>> = sites.collect();
        let callees = sites
            .iter()
            .map(|(&caller, sites)| (caller, sites.iter().map(|(_, callee)| *callee).collect()));
        let mut from: BTreeMap<u64, BTreeSet<u64>> = callees.collect();
        // What the compiler moved out of several functions belongs to each of them.
        let outlined = |address: &u64| {
            image.functions.get(address).is_some_and(|function| is_outlined(&function.name))
        };
        let moved: BTreeMap<u64, BTreeSet<u64>> = from
            .iter()
            .filter(|(at, _)| outlined(at))
            .map(|(at, all)| (*at, all.clone()))
            .collect();
        for callees in from.values_mut() {
            while let Some(part) = callees.iter().find(|&at| outlined(at)).copied() {
                callees.remove(&part);
                callees.extend(moved.get(&part).into_iter().flatten().filter(|&&at| at != part));
            }
        }
        Calls { image, from, sites }
    }

    fn sites(image: &Image, from: u64, to: u64) -> Vec<(u64, u64)> {
        let mut reader = Reader::of(image);
        let mut sites = Vec::new();
        let mut at = from;
        while at < to {
            if let Some(data) = image.data.iter().find(|data| data.contains(&at)) {
                at = data.end;
                continue;
            }
            let Some(step) = reader.step(at) else { break };
            if let Some(target) = step.target
                && image.functions.contains_key(&target)
                // A jump to its own start is a loop; a call of itself is a call.
                && (target != from || step.call)
            {
                sites.push((at, target));
            }
            at += step.len;
        }
        sites
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
            let ours = |name: &&str| !is_panic(name) && !is_outlined(name);
            let Some(caller) = name(caller).filter(ours) else { continue };
            let panics = callees.iter().filter_map(name).filter(|callee| is_panic(callee));
            ways.extend(panics.map(|panic| format!("{} -> {}", short(caller), short(panic))));
        }
        ways.into_iter().collect()
    }

    /// Where the instructions come from that call into a panic: `origin` tells it of an address, and nothing
    /// where it is the standard library. Then it is who calls that.
    pub(crate) fn panics_from(&self, origin: impl Fn(u64) -> Option<Place>) -> Vec<Place> {
        let name = |address: &u64| self.image.functions.get(address).map(|f| f.name.as_str());
        let named = |address: &u64| name(address).is_some_and(is_panic);
        let is_moved = |address: &u64| name(address).is_some_and(is_outlined);
        let mut panicking: BTreeSet<u64> =
            self.image.functions.keys().copied().filter(|address| named(address)).collect();
        let mut looked_at = BTreeSet::new();
        let mut places = Vec::new();
        loop {
            let mut through = BTreeSet::new();
            for (caller, sites) in &self.sites {
                if panicking.contains(caller) || is_moved(caller) {
                    continue;
                }
                for (at, callee) in sites {
                    // What was moved out of this function is still its own.
                    let targets = match (is_moved(callee), self.from.get(callee)) {
                        (true, Some(targets)) => targets.clone(),
                        _ => BTreeSet::from([*callee]),
                    };
                    let is_resume = |target: &u64| name(target).is_some_and(Self::is_resume);
                    let mut targets = targets.iter().filter(|target| !is_resume(target));
                    if !targets.any(|target| panicking.contains(target)) || !looked_at.insert(*at) {
                        continue;
                    }
                    match origin(*at) {
                        Some(place) => places.push(place),
                        None => drop(through.insert(*caller)),
                    }
                }
            }
            if through.is_empty() {
                return places;
            }
            panicking.extend(through);
        }
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

/// A part of functions that the compiler found in several of them, and made a function of.
fn is_outlined(name: &str) -> bool {
    name.starts_with("OUTLINED_FUNCTION_")
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
    fn names_are_told_without_their_types() {
        assert_eq!(short("<a::Update<V, 4096>>::step"), "a::Update::step");
    }
}
