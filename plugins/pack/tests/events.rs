//! The protocol samples live through the events beside them, in the host that devices have; and what
//! differs, or is no event, is told.

use std::alloc::System;
use std::fs;
use std::path::PathBuf;

use coreota::{job::JobProtocol, transport::BlockProtocol};
use coreota_plugin_pack::{
    events::{Events, read},
    samples_folder,
};
use coreota_plugins::{Arena, Home, Hosted, Limits, PluginAlloc, PluginBlocks, PluginJobs, Stack};

#[global_allocator]
static ALLOCATOR: PluginAlloc<System> = PluginAlloc(System);

/// A home for the module of a sample.
macro_rules! home {
    ($name:ident, $sample:literal) => {
        struct $name;
        impl Hosted for $name {
            const HOME: Home = {
                static ARENA: Arena<{ 32 * 1024 }> = Arena::new();
                static STACK: Stack<{ 16 * 1024 }> = Stack::new();
                Home {
                    name: $sample,
                    slot: None,
                    module: Some(include_bytes!(concat!(
                        "../../samples/",
                        $sample,
                        "/",
                        $sample,
                        ".wasm"
                    ))),
                    limits: Limits::DEFAULT,
                    arena: || ARENA.handle(),
                    stack: || STACK.handle(),
                }
            };
        }
    };
}
home!(Raw, "raw-blocks");
home!(Lines, "line-jobs");

fn blocks(events: &Events) -> Result<(), String> {
    let mut protocol = PluginBlocks::<Raw>::new(&events.thing).expect("a name");
    events.happen_to_blocks(&mut protocol, |_| ())
}

fn jobs(events: &Events) -> Result<(), String> {
    let mut protocol = PluginJobs::<Lines>::new(&events.thing).expect("a name");
    events.happen_to_jobs(&mut protocol, |_| ())
}

#[test]
fn the_samples_make_of_events_what_is_expected() {
    let of = |sample: &str| read(&samples_folder().join(sample).join("events")).expect("readable");
    let (raw, lines) = (of("raw-blocks"), of("line-jobs"));
    assert!(raw.iter().chain(&lines).map(Events::count).sum::<usize>() > 15);
    for events in &raw {
        blocks(events).unwrap_or_else(|why| panic!("{why}"));
    }
    for events in &lines {
        jobs(events).unwrap_or_else(|why| panic!("{why}"));
    }
    // Events of the other kind are none of theirs.
    let why = blocks(&lines[0]).expect_err("of jobs");
    assert!(why.contains("is an event of job protocols"), "{why}");
}

/// A folder of a test's own, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("events-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("writable");
        fs::write(path.join("it.toml"), text).expect("writable");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_differs_is_told_event_by_event() {
    let text = r#"
        [[event]]
        on = { open = { place = "fw", size = 130, block = 64 } }
        expect = { refused = "BadText" }
        [[event]]
        on = { wanted = [0] }
        expect = { publish = { topic = "raw-blocks/thing/fw/get", text = "please" } }
        [[event]]
        on = "connected"
        expect = { subscribe = [] }
    "#;
    let folder = Folder::with("differ", text);
    let events = read(&folder.0).expect("events").remove(0);
    let why = blocks(&events).expect_err("all of it differs");
    for part in [
        "event 1, `open`: came to done, not to refused BadText",
        "event 2, `wanted`: came to publish raw-blocks/thing/fw/get 0000000040000000000000000100000000000000, \
         not to publish raw-blocks/thing/fw/get 706c65617365",
        "event 3, `connected`: came to subscribe raw-blocks/thing/fw/data",
    ] {
        assert!(why.contains(part), "{part} in {why}");
    }
    assert_eq!(why.lines().count(), 3);
}

#[test]
fn what_is_no_event_is_told() {
    for (text, what) in [
        ("[[event]]\non = \"conected\"\nexpect = \"done\"", "conected"),
        ("[[event]]\non = \"take\"", "expect"),
        ("[[event]]\non = { wanted = [] }\nexpect = \"done\"", "event 1: no block is wanted"),
        (
            "[[event]]\non = { wanted = [1, 65] }\nexpect = \"done\"",
            "block 65 is more than 63 behind",
        ),
        ("[[event]]\non = \"take\"\nexpect = { refused = \"Nope\" }", "`Nope` is no failure"),
        (
            "[[event]]\non = { message = { topic = \"t\" } }\nexpect = \"over\"",
            "`text` or as `hex`",
        ),
        (
            "[[event]]\non = { message = { topic = \"t\", hex = \"0g\" } }\nexpect = \"over\"",
            "`0g` is not",
        ),
        (
            "[[event]]\non = { report = { staged = \"one\" } }\nexpect = \"over\"",
            "`one` is no version",
        ),
    ] {
        let folder = Folder::with("none", text);
        let why = read(&folder.0).expect_err(text);
        assert!(why.contains(what) && why.contains("it.toml"), "{what} in {why}");
    }
}
