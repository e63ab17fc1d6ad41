//! The demo: a provider and a device as processes of their own, and what they say as a story.
//!
//! | room | holds |
//! |---|---|
//! | [`story`] | the acts: what is published, and what must come of it |
//! | [`process`] | children that say JSON lines, and that do not outlive the demo |
//! | [`show`] | how it looks |
//!
//! Nothing is staged for the audience: every command is one that a person could type, every number
//! is counted, and whatever does not go as told ends the demo with an error.

mod process;
mod show;
mod story;

use std::path::Path;

use sim_device::BoardName;

use crate::error::Result;
use crate::out::Out;

/// Tells the story in an empty folder.
pub(crate) fn run(board: BoardName, dir: &Path, kept: bool, out: &Out) -> Result<()> {
    story::Demo::begin(board, dir, kept, out)?.tell()
}
