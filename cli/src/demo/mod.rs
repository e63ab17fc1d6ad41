//! The demo: a provider and a device as processes of their own, and what they say as a story.
//!
//! | room | holds |
//! |---|---|
//! | [`story`] | the acts: what is published, and what must come of it |
//! | [`plugins`] | the other story: a device is taught |
//! | [`subject`] | the device: a simulated one, or real firmware in an emulator |
//! | [`process`] | children that say JSON lines, and that do not outlive the demo |
//! | [`show`] | how it looks |
//!
//! Nothing is staged for the audience: every command is one that a person could type, every number
//! is counted, and whatever does not go as told ends the demo with an error.

mod plugins;
pub(crate) mod process;
mod show;
mod story;
pub(crate) mod subject;

use std::path::Path;

use crate::error::Result;
use crate::out::Out;
use subject::Subject;

/// Tells the story in an empty folder.
pub(crate) fn run(
    subject: Subject,
    dir: &Path,
    kept: bool,
    plugins: bool,
    out: &Out,
) -> Result<()> {
    let demo = story::Demo::begin(subject, dir, kept, out)?;
    match plugins {
        true => demo.tell_of_plugins(),
        false => demo.tell(),
    }
}
