//! How a table is read: unknown keys told, known ones given out, missing ones told or filled in.

use super::Value;
use crate::diagnostic::{At, Errors, Span, did_you_mean, nearest};
use crate::tree::{self, Data, Entry, Node};

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
