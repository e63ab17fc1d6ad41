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

use crate::diagnostic::{At, Errors, Span, did_you_mean, listed, nearest};
use crate::tree::{self, Data, Entry, Node};

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
    /// A list.
    List(Box<Shape>),
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
            Shape::Either(one, other) => format!("{} or {}", one.form(), other.form()),
        }
    }
}

/// Notes that a value is not of the form asked for.
pub(crate) fn wrong_form<V: Value>(node: &Node, errors: &mut Errors) -> Option<V> {
    let wrong = format!("{} does not fit here", node.data);
    errors.add(node.span.clone(), wrong, format!("write {}", V::shape().form()));
    None
}

/// A table being read: tells its unknown keys, then gives out the known ones.
pub(crate) struct Reader<'a> {
    span: &'a Span,
    entries: &'a [Entry],
}

impl<'a> Reader<'a> {
    pub(crate) fn open<V: Value>(
        node: &'a Node,
        known: &[&str],
        errors: &mut Errors,
    ) -> Option<Self> {
        let Data::Table(entries) = &node.data else {
            return wrong_form::<V>(node, errors).and(None);
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let right = did_you_mean(&entry.key, known, "this table has no keys");
            errors.add(entry.span.clone(), format!("unknown key `{}`", entry.key), right);
        }
        Some(Self { span: &node.span, entries })
    }

    pub(crate) fn key<V: Value>(
        &self,
        name: &str,
        default: Option<&str>,
        errors: &mut Errors,
    ) -> Option<At<V>> {
        if let Some(entry) = self.entries.iter().find(|entry| entry.key == name) {
            return V::read(&entry.node, errors)
                .map(|value| At::new(value, entry.span.start..value_end(entry)));
        }
        let absent = match default {
            Some(text) => {
                let node = tree::parse_value(text, self.span.clone())?;
                V::read(&node, errors)
            }
            None => V::absent().or_else(|| self.missing::<V>(name, errors)),
        };
        absent.map(|value| At::new(value, self.span.clone()))
    }

    fn missing<V: Value>(&self, name: &str, errors: &mut Errors) -> Option<V> {
        // A misspelt key is told once, as unknown: not also as missing.
        let misspelt = |entry: &Entry| nearest(&entry.key, [name]).is_some();
        if !self.entries.iter().any(misspelt) {
            let right = format!("add it: {}", V::shape().form());
            errors.add(self.span.clone(), format!("`{name}` is missing"), right);
        }
        V::missing()
    }
}

/// A value on the line of its key is marked with it; one that spans lines is not.
fn value_end(entry: &Entry) -> usize {
    match &entry.node.data {
        Data::Table(_) | Data::List(_) => entry.span.end,
        _ => entry.node.span.end.max(entry.span.end),
    }
}

/// `at_most` → `at-most`.
pub(crate) fn kebab(field: &str) -> String {
    field.trim_start_matches("r#").replace('_', "-")
}

/// Defines tables; see the module.
macro_rules! table {
    ($($(#[doc = $doc:literal])+ pub struct $name:ident {
        $($(#[doc = $key_doc:literal])+ $key:ident: $type:ty $(= $default:tt)?,)*
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[doc = $key_doc])+ pub $key: $crate::diagnostic::At<$type>,)*
        }

        impl $name {
            pub(crate) fn keys() -> $crate::define::TableShape {
                $crate::define::TableShape {
                    doc: concat!($($doc, "\n"),+),
                    keys: vec![$($crate::define::Key {
                        name: $crate::define::kebab(stringify!($key)),
                        doc: concat!($($key_doc, "\n"),+),
                        shape: <$type as $crate::define::Value>::shape(),
                        default: $crate::define::default!($($default)?),
                        required: $crate::define::default!($($default)?).is_none()
                            && <$type as $crate::define::Value>::absent().is_none(),
                    }),*],
                }
            }
        }

        impl $crate::define::Value for $name {
            fn shape() -> $crate::define::Shape {
                $crate::define::Shape::Table(Self::keys())
            }

            fn read(
                node: &$crate::tree::Node,
                errors: &mut $crate::diagnostic::Errors,
            ) -> Option<Self> {
                let known = [$($crate::define::kebab(stringify!($key))),*];
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                #[allow(unused_variables, reason = "a table may have no keys but its kind")]
                let table = $crate::define::Reader::open::<Self>(node, &known, errors)?;
                $(let $key = table.key::<$type>(
                    &$crate::define::kebab(stringify!($key)), $crate::define::default!($($default)?), errors);)*
                Some(Self { $($key: $key?),* })
            }
        }
    )+};
}

/// The default of a key in TOML, which writes literals as Rust does.
macro_rules! default {
    () => {
        None::<&'static str>
    };
    ($default:tt) => {
        Some(stringify!($default))
    };
}

/// Defines words to choose from: an enum whose variants are written as given.
macro_rules! choice {
    ($($(#[doc = $doc:literal])+ pub enum $name:ident {
        $($(#[doc = $word_doc:literal])+ $variant:ident = $word:literal,)*
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $word_doc])+ $variant),* }

        impl $name {
            /// As the file writes it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl $crate::define::Value for $name {
            fn shape() -> $crate::define::Shape {
                $crate::define::Shape::Choice(vec![$(($word, concat!($($word_doc, "\n"),+))),*])
            }

            fn read(
                node: &$crate::tree::Node,
                errors: &mut $crate::diagnostic::Errors,
            ) -> Option<Self> {
                match &node.data {
                    $($crate::tree::Data::Text(word) if word == $word => Some(Self::$variant),)*
                    $crate::tree::Data::Text(word) => {
                        let right = $crate::diagnostic::did_you_mean(word, &[$($word),*], "");
                        errors.add(node.span.clone(), format!("unknown word `{word}`"), right);
                        None
                    }
                    _ => $crate::define::wrong_form(node, errors),
                }
            }
        }
    )+};
}

/// Defines tables of several kinds: an enum of `table!`s, told apart by the key `kind`.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ pub enum $name:ident as $what:literal {
        $($word:literal => $variant:ident,)*
    })+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug)]
        #[allow(clippy::large_enum_variant, reason = "a file has a handful of them")]
        pub enum $name { $(#[doc = concat!("`kind = \"", $word, "\"`")] $variant($variant)),* }

        impl $name {
            /// As the file writes its `kind`.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $word),* }
            }
        }

        impl $crate::define::Value for $name {
            fn shape() -> $crate::define::Shape {
                $crate::define::Shape::Kinds(vec![$(($word, $variant::keys())),*])
            }

            fn read(
                node: &$crate::tree::Node,
                errors: &mut $crate::diagnostic::Errors,
            ) -> Option<Self> {
                let (kind, span, rest) = $crate::define::kind::<Self>(node, errors)?;
                match kind.as_str() {
                    $($word => Some(Self::$variant(
                        <$variant as $crate::define::Value>::read(&rest, errors)?)),)*
                    _ => {
                        let right = $crate::diagnostic::did_you_mean(&kind, &[$($word),*], "");
                        errors.add(span, format!(concat!("unknown ", $what, " `{}`"), kind), right);
                        None
                    }
                }
            }
        }
    )+};
}
pub(crate) use {choice, default, kinds, table};

/// The `kind` of a table, where it stands, and the table without it.
pub(crate) fn kind<V: Value>(node: &Node, errors: &mut Errors) -> Option<(String, Span, Node)> {
    let Data::Table(entries) = &node.data else {
        return wrong_form::<V>(node, errors).and(None);
    };
    let reader = Reader { span: &node.span, entries };
    let Some(entry) = node.get("kind") else {
        reader.missing::<V>("kind", errors);
        return None;
    };
    let Data::Text(kind) = &entry.node.data else {
        return wrong_form::<V>(&entry.node, errors).and(None);
    };
    let mut rest = node.clone();
    if let Data::Table(entries) = &mut rest.data {
        entries.retain(|entry| entry.key != "kind");
    }
    Some((kind.clone(), entry.node.span.clone(), rest))
}

impl<V: Value> Value for Option<V> {
    fn shape() -> Shape {
        V::shape()
    }
    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        V::read(node, errors).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// A value whose errors do not hide the errors of its neighbours: bad or absent, it is told and left empty.
#[derive(Clone, Debug)]
pub struct Part<V>(pub Option<V>);

impl<V: Value> Value for Part<V> {
    fn shape() -> Shape {
        V::shape()
    }
    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        Some(Self(V::read(node, errors)))
    }
    fn missing() -> Option<Self> {
        Some(Self(None))
    }
}

/// A list of at least one; where an element is wrong, there is no list.
impl<V: Value> Value for Vec<At<V>> {
    fn shape() -> Shape {
        Shape::List(Box::new(V::shape()))
    }
    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let Data::List(nodes) = &node.data else {
            return wrong_form(node, errors);
        };
        if nodes.is_empty() {
            let right = format!("name at least one: {}", V::shape().form());
            errors.add(node.span.clone(), "the list is empty", right);
            return None;
        }
        let element = |node: &Node| Some(At::new(V::read(node, errors)?, node.span.clone()));
        let elements: Vec<Option<At<V>>> = nodes.iter().map(element).collect();
        elements.into_iter().collect()
    }
}

/// A table whose keys are names of the writer's choice, in the order of the file; at least one.
/// An entry that is wrong is told and left out.
#[derive(Clone, Debug)]
pub struct Named<V>(pub Vec<(At<String>, V)>);

impl<V: Value> Value for Named<V> {
    fn shape() -> Shape {
        Shape::Named(Box::new(V::shape()))
    }
    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let Data::Table(entries) = &node.data else {
            return wrong_form(node, errors);
        };
        if entries.is_empty() {
            errors.add(node.span.clone(), "the table is empty", "name at least one in it");
        }
        let named = |entry: &Entry| {
            let name = Node { span: entry.span.clone(), data: Data::Text(entry.key.clone()) };
            let name = crate::values::Name::read(&name, errors);
            let value = V::read(&entry.node, errors);
            Some((At::new(name?.0, entry.span.clone()), value?))
        };
        Some(Self(entries.iter().filter_map(named).collect()))
    }
}

/// Part of a table that is read elsewhere, laid over the whole: kept as it was written.
#[derive(Clone, Debug)]
pub struct Overlay<V>(pub Option<Node>, std::marker::PhantomData<V>);

impl<V: Value> Value for Overlay<V> {
    fn shape() -> Shape {
        Shape::Part(Box::new(V::shape()))
    }
    fn read(node: &Node, _: &mut Errors) -> Option<Self> {
        Some(Self(Some(node.clone()), std::marker::PhantomData))
    }
    fn absent() -> Option<Self> {
        Some(Self(None, std::marker::PhantomData))
    }
}
