//! Whose source an instruction comes from, by the image's line tables.
//!
//! What a crate inlined from another is the other's; what it inlined from the standard library is its
//! own.

use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian};
use object::{Object, ObjectSection};
use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};

/// In the paths of the standard library, wherever it was built.
const STANDARD: [&str; 5] =
    ["/rustc/", "/rust/library/", "/rust/deps/", "library/core/", "library/alloc/"];
/// Our own packages on a device, by their folders.
const OURS: [(&str, &str); 3] = [
    ("runtime/src/", "coreota"),
    ("mcuboot/src/", "coreota-mcuboot"),
    ("plugins/host/src/", "coreota-plugins"),
];

/// Where something comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The package.
    pub(crate) name: String,
    /// `update.rs:12`
    pub(crate) at: String,
    /// The guard of an `async` function against another poll after its end: nobody polls one that is done.
    pub(crate) is_resume: bool,
}

/// The line tables of an image.
pub(crate) struct Origins<'d>(addr2line::Context<EndianSlice<'d, LittleEndian>>);

impl<'d> Origins<'d> {
    /// Of a linked program. Without line tables nothing is known of any address.
    pub(crate) fn of(elf: &Path, bytes: &'d [u8]) -> Result<Self> {
        let failed = |why: String| Error::file("understand", elf, why);
        let file = object::File::parse(bytes).map_err(|why| failed(why.to_string()))?;
        let dwarf = Dwarf::load(|id| -> object::Result<_> {
            let section = file.section_by_name(id.name());
            let data = section.map_or(Ok(&[][..]), |section| section.data())?;
            Ok(EndianSlice::new(data, LittleEndian))
        });
        let dwarf = dwarf.map_err(|why| failed(why.to_string()))?;
        let context = addr2line::Context::from_dwarf(dwarf);
        context.map(Origins).map_err(|why| failed(why.to_string()))
    }

    /// Where in which crate this comes from; `None` for the standard library, and where nothing tells.
    pub(crate) fn place(&self, address: u64) -> Option<Place> {
        let mut frames = self.0.find_frames(address).skip_all_loads().ok()?;
        let mut is_resume = false;
        while let Ok(Some(frame)) = frames.next() {
            let function = frame.function.as_ref().and_then(|name| name.raw_name().ok());
            is_resume |= function.is_some_and(|name| name.contains("async_fn_resumed"));
            let Some(location) = frame.location else { continue };
            if let Some((name, path)) = location.file.and_then(package) {
                let line = location.line.unwrap_or(0);
                return Some(Place {
                    name: name.to_owned(),
                    at: format!("{path}:{line}"),
                    is_resume,
                });
            }
        }
        None
    }

    /// Bytes of code by the file of coreota, from its `src`, that they were written in, wherever they were
    /// inlined.
    pub(crate) fn of_coreota(&self, from: u64, to: u64) -> BTreeMap<String, u64> {
        let mut files = BTreeMap::new();
        let Ok(rows) = self.0.find_location_range(from, to) else { return files };
        for (at, len, location) in rows {
            if let Some(("coreota", path)) = location.file.and_then(package) {
                let end = at.saturating_add(len).min(to);
                *files.entry(path.to_owned()).or_default() += end.saturating_sub(at.max(from));
            }
        }
        files
    }
}

/// Of a file, the package it is in and its path from there; `None` for the standard library's.
fn package(file: &str) -> Option<(&str, &str)> {
    if let Some((_, path)) = file.split_once("/registry/src/") {
        // `INDEX/NAME-VERSION/src/lib.rs`
        let (_, path) = path.split_once('/')?;
        let (folder, path) = path.split_once('/')?;
        let mut dashes = folder.match_indices('-');
        let digit = |at: usize| folder[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        let version = dashes.find(|(at, _)| digit(*at));
        return Some((version.map_or(folder, |(at, _)| &folder[..at]), path));
    }
    if STANDARD.iter().any(|part| file.contains(part)) {
        return None;
    }
    let ours = OURS.iter().find_map(|(folder, name)| Some((*name, file.split_once(folder)?.1)));
    Some(ours.unwrap_or(("the firmware", file)))
}

#[cfg(test)]
mod tests {
    use super::package;

    #[test]
    fn files_belong_to_packages() {
        for (file, expected) in [
            (
                "/a/registry/src/index-1949cf/rust-mqtt-0.6.0/src/io/read.rs",
                Some(("rust-mqtt", "src/io/read.rs")),
            ),
            ("/a/registry/src/index-1949cf/p256-0.14.0/src/lib.rs", Some(("p256", "src/lib.rs"))),
            ("/a/runtime/src/update.rs", Some(("coreota", "update.rs"))),
            ("/a/mcuboot/src/swap.rs", Some(("coreota-mcuboot", "swap.rs"))),
            ("src/bin/firmware/main.rs", Some(("the firmware", "src/bin/firmware/main.rs"))),
            ("/rustc/0123/library/core/src/option.rs", None),
            ("/usr/lib/rustlib/src/rust/library/core/src/slice/mod.rs", None),
        ] {
            assert_eq!(package(file), expected, "{file}");
        }
    }
}
