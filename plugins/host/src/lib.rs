//! Hosts wasm plugins behind the traits of [`coreota`]: a parser or a protocol that came over the
//! air is one more implementation of [`Parser`](coreota::parser::Parser) or
//! [`BlockProtocol`](coreota::transport::BlockProtocol).
//!
//! From the outside in:
//!
//! | file | is |
//! |---|---|
//! | `parser.rs`, `blocks.rs`, `jobs.rs`, `talk.rs` | [`PluginParser`], [`PluginBlocks`], [`PluginJobs`]: check what a plugin says |
//! | `plugin.rs` | one plugin: comes in pieces or compiled in, is loaded, called, gone |
//! | `prescan.rs` | what is refused before the engine sees it, and why loading takes bounded time |
//! | `engine.rs`, `engine/` | what runs modules: wasmi, and room for another |
//! | `contain.rs` | runs it all on a stack and in an arena that can be given up: **why that is sound** |
//! | `alloc.rs`, `heap.rs`, `ram.rs` | memory: [`PluginAlloc`], [`Arena`] |
//! | `stack.rs`, `switch.rs`, `switch/` | the native [`Stack`], and the way there and back |
//!
//! # What a firmware does
//!
//! It installs the allocator, gives a plugin a [`Home`], and calls [`abandon`] from its panic handler.
//! The macro of `ota.toml` writes the home.
//!
//! ```
//! use coreota::parser::{Parse, Parser};
//! use coreota_plugins::{Arena, Home, Limits, PluginAlloc, PluginParser, Stack};
//! # use std::alloc::System;
//!
//! // `NoHeap` in place of `System` where the firmware has no heap.
//! #[global_allocator]
//! static ALLOCATOR: PluginAlloc<System> = PluginAlloc(System);
//! static STACK: Stack<{ 16 * 1024 }> = Stack::new();
//!
//! let mut parser = PluginParser::new(Home {
//!     name: "site-jobs",
//!     slot: Some(0),
//!     module: None,
//!     limits: Limits::DEFAULT,
//!     arena: || {
//!         static ARENA: Arena<{ 20 * 1024 }> = Arena::new();
//!         ARENA.handle()
//!     },
//!     stack: || STACK.handle(),
//! });
//! // Nothing came into its slot yet, and so it knows no document.
//! assert!(matches!(parser.parse(b"{}", 0), Parse::NotMine(_)));
//! ```
//!
//! # What a plugin can do
//!
//! Refuse. It has no imports, so it reads its input and its own memory and nothing else; what it
//! answers is checked like anything from the wire; time is bounded by fuel, memory by its arena,
//! and what ends it leaves everything else as it was.
#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

mod alloc;
mod blocks;
mod contain;
mod engine;
mod heap;
mod home;
mod jobs;
mod limits;
mod parser;
mod plugin;
mod prescan;
mod ram;
mod stack;
mod switch;
mod talk;

pub use alloc::{NoHeap, PluginAlloc};
pub use blocks::PluginBlocks;
pub use contain::abandon;
pub use heap::Usage;
pub use home::{Home, Hosted};
pub use jobs::PluginJobs;
pub use limits::Limits;
pub use parser::PluginParser;
pub use ram::{Arena, ArenaHandle};
pub use stack::{Stack, StackHandle};
pub use talk::{THING_MAX, TOPICS_MAX};
