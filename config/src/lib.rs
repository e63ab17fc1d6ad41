//! `ota.toml`: the only reader of it, for the macro, the host tool and their tests.
//!
//! Three functions over one model: [`load`] a file, [`check()`] what it says, [`emit()`] the orchestrator
//! of a board.
//!
//! ```text
//! ota.toml ─ load ─► Document ─ check ─► Model ─ emit ─► declarations
//!                    (a tree     (every         (for one board)
//!                    with places) error, or none)
//! ```
//!
//! Every key is defined once, in [`keys`]: the struct, its reader, `ota.schema.json` (`schema`) and
//! `docs/ota-toml.md` (`reference`) come from the same lines. The last two, and expansions
//! to read (`emit::format`), are behind the feature `host`: the macro does without.

pub mod check;
pub mod define;
pub mod der;
pub mod diagnostic;
mod document;
pub mod emit;
pub mod keys;
pub mod memory;
pub mod model;
#[cfg(feature = "host")]
pub mod reference;
#[cfg(feature = "host")]
pub mod schema;
pub mod tree;
pub mod values;
mod wasm;

pub use check::check;
pub use document::{Document, load};
pub use emit::{emit, expand};
pub use model::Model;
