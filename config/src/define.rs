//! How a key is defined: once. A `table!` is a Rust struct whose fields are the keys of a TOML table;
//! the same lines make the struct, its reader, the JSON schema and the reference page.
//!
//! ```text
//! table! {
//!     /// What the table is about.
//!     pub struct Retry {
//!         /// What the key says.
//!         at_most: Millis = "5 min",      // `at-most`, with its default in TOML
//!         attempts: Count<1, 255>,        // no default: must be given
//!         note: Option<Text>,             // may be absent
//!     }
//! }
//! ```

mod containers;
mod macros;
mod reader;

pub use containers::{Choice, Named, Overlay, Part};
pub(crate) use macros::{choice, default, kinds, table};
pub(crate) use reader::{Reader, kebab, kind, wrong_form};

use crate::diagnostic::{Errors, listed};
use crate::tree::Node;

/// A type a key can have.
pub trait Value: Sized {
    /// What the file may say here.
    fn shape() -> Shape;

    /// Reads it; `None` means that the errors have been told.
    fn read(node: &Node, errors: &mut Errors) -> Option<Self>;

    /// What stands where the key is absent and has no default; `None`: it must be given.
    fn absent() -> Option<Self> {
        None
    }

    /// What stands in for a value that must be given and is not, once that has been told.
    fn missing() -> Option<Self> {
        None
    }
}

/// What the file may say at a place: the schema and the reference are views of it.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A word or a value with a unit.
    Text {
        /// As an error calls it: `a size such as "4 KiB"`.
        form: String,
        /// The regular expression it matches, where there is one.
        pattern: Option<String>,
        /// A bare whole number is the same value.
        or_integer: Option<(u64, u64)>,
    },
    /// A whole number between two bounds.
    Integer(u64, u64),
    /// A number from 0 to 1.
    Fraction,
    /// `true` or `false`.
    Boolean,
    /// One of some words, each with what it means.
    Choice(Vec<(&'static str, &'static str)>),
    /// A table with these keys.
    Table(TableShape),
    /// A table whose `kind` decides its other keys.
    Kinds(Vec<(&'static str, TableShape)>),
    /// A list of at least one.
    List(Box<Shape>),
    /// A list that may be empty.
    Choices(Box<Shape>),
    /// A table whose keys are names the writer chooses.
    Named(Box<Shape>),
    /// Part of a table: the same keys, none of them required.
    Part(Box<Shape>),
    /// One of two ways to say it.
    Either(Box<Shape>, Box<Shape>),
}

/// The keys of a table.
#[derive(Clone, Debug)]
pub struct TableShape {
    /// What the table is about.
    pub doc: &'static str,
    /// Its keys, in the order they are best written.
    pub keys: Vec<Key>,
}

/// A key of a table.
#[derive(Clone, Debug)]
pub struct Key {
    /// As the file writes it.
    pub name: String,
    /// What it says.
    pub doc: &'static str,
    /// What it may say.
    pub shape: Shape,
    /// What stands where it is absent, in TOML.
    pub default: Option<&'static str>,
    /// Whether it must be given.
    pub required: bool,
}

impl Shape {
    /// What would be right, in a few words.
    pub fn form(&self) -> String {
        match self {
            Shape::Text { form, .. } => form.clone(),
            Shape::Integer(min, max) => format!("a whole number from {min} to {max}"),
            Shape::Fraction => "a number from 0 to 1".into(),
            Shape::Boolean => "`true` or `false`".into(),
            Shape::Choice(words) => {
                let words: Vec<String> =
                    words.iter().map(|(word, _)| format!("{word:?}")).collect();
                words.join(" or ")
            }
            Shape::Table(table) => match table.keys.as_slice() {
                [Key { name, shape: of @ Shape::Choice(_), .. }] => {
                    format!("{{ {name} = {} }}", of.form())
                }
                _ => "a table".into(),
            },
            Shape::Named(_) => "a table of named tables".into(),
            Shape::Part(whole) => whole.form(),
            Shape::Kinds(kinds) => {
                let kinds: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
                format!("a table whose `kind` is one of {}", listed(&kinds))
            }
            Shape::List(of) => format!("a list, each {}", of.form()),
            Shape::Choices(of) => format!("a list, which may be empty, each {}", of.form()),
            Shape::Either(one, other) => format!("{} or {}", one.form(), other.form()),
        }
    }
}
