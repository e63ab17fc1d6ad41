//! The file as a tree of values, each with the place it was read from.
//! Knows TOML, and nothing of what the keys mean.

use crate::diagnostic::{Errors, Span};
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One value of the file.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands; for a `[table]` the header.
    pub span: Span,
    /// What it is.
    pub data: Data,
}

/// What a [`Node`] holds.
#[derive(Clone, Debug)]
pub enum Data {
    /// `"…"`
    Text(String),
    /// `42`; numbers that 64 bits do not hold are kept as [`Data::Other`].
    Integer(i64),
    /// `0.25`
    Number(f64),
    /// `true` or `false`
    Boolean(bool),
    /// `[…]` and `[[…]]`
    List(Vec<Node>),
    /// `{…}` and `[…]`, in the order of the file
    Table(Vec<Entry>),
    /// What no key of ours takes: a date, or a number out of all bounds.
    Other(&'static str),
}

/// One `key = value`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key, unquoted.
    pub key: String,
    /// Where the key stands.
    pub span: Span,
    /// Its value.
    pub node: Node,
}

/// The tree of a whole file; what TOML itself refuses goes to `errors`, the rest is still read.
pub(crate) fn parse(text: &str, errors: &mut Errors) -> Node {
    let (table, refused) = DeTable::parse_recoverable(text);
    for error in refused {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().replace('\n', ", ");
        errors.add(span, message, "TOML 1.1 as https://toml.io/ has it");
    }
    Node { span: 0..0, data: Data::Table(entries(table.into_inner())) }
}

/// The tree of one value written in TOML: how defaults are declared.
pub(crate) fn parse_value(text: &str, span: Span) -> Option<Node> {
    let mut node = node(DeValue::parse(text).ok()?);
    node.span = span;
    Some(node)
}

fn entries(table: DeTable<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| Entry {
            span: key.span(),
            key: key.into_inner().into_owned(),
            node: node(value),
        })
        .collect();
    entries.sort_by_key(|entry| entry.span.start);
    entries
}

fn node(value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let data = match value.into_inner() {
        DeValue::String(text) => Data::Text(text.into_owned()),
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .map_or(Data::Other("a number beyond 64 bits"), Data::Integer),
        DeValue::Float(digits) => {
            digits.as_str().parse().map_or(Data::Other("a number"), Data::Number)
        }
        DeValue::Boolean(value) => Data::Boolean(value),
        DeValue::Datetime(_) => Data::Other("a date"),
        DeValue::Array(list) => Data::List(list.into_iter().map(node).collect()),
        DeValue::Table(table) => Data::Table(entries(table)),
    };
    Node { span, data }
}

impl Node {
    /// The entry of that key, where this is a table that has it.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Table(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// This table with `over` laid upon it: tables merge key by key, everything else is replaced.
    /// Every value keeps the place it was written at.
    pub(crate) fn overlaid(&self, over: &Node) -> Node {
        let (Data::Table(below), Data::Table(above)) = (&self.data, &over.data) else {
            return over.clone();
        };
        let mut entries = below.clone();
        for entry in above {
            match entries.iter_mut().find(|old| old.key == entry.key) {
                Some(old) => {
                    let node = old.node.overlaid(&entry.node);
                    *old = Entry { node, ..entry.clone() };
                }
                None => entries.push(entry.clone()),
            }
        }
        Node { span: self.span.clone(), data: Data::Table(entries) }
    }
}

/// The kind of value, as an error calls it.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::Text(text) => write!(f, "{text:?}"),
            Data::Integer(value) => write!(f, "{value}"),
            Data::Number(value) => write!(f, "{value}"),
            Data::Boolean(value) => write!(f, "{value}"),
            Data::List(_) => f.write_str("a list"),
            Data::Table(_) => f.write_str("a table"),
            Data::Other(what) => f.write_str(what),
        }
    }
}
