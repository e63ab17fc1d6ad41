//! What values are put in: what may be absent, lists, named tables, parts of a table.

use super::{Shape, Value, wrong_form};
use crate::diagnostic::{At, Errors};
use crate::tree::{Data, Entry, Node};
use crate::values::Name;
use std::marker::PhantomData;

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
    fn absent() -> Option<Self> {
        V::absent().map(|absent| Self(Some(absent)))
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

/// A choice among what is declared elsewhere: a list that may be empty.
#[derive(Clone, Debug)]
pub struct Choice<V>(pub Vec<At<V>>);

impl<V: Value> Value for Choice<V> {
    fn shape() -> Shape {
        Shape::Choices(Box::new(V::shape()))
    }
    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        match &node.data {
            Data::List(nodes) if nodes.is_empty() => Some(Self(Vec::new())),
            Data::List(_) => Vec::read(node, errors).map(Self),
            _ => wrong_form(node, errors),
        }
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
            let name = Name::read(&name, errors);
            let value = V::read(&entry.node, errors);
            Some((At::new(name?.0, entry.span.clone()), value?))
        };
        Some(Self(entries.iter().filter_map(named).collect()))
    }
}

/// Part of a table that is read elsewhere, laid over the whole: kept as it was written.
#[derive(Clone, Debug)]
pub struct Overlay<V>(pub Option<Node>, PhantomData<V>);

impl<V: Value> Value for Overlay<V> {
    fn shape() -> Shape {
        Shape::Part(Box::new(V::shape()))
    }
    fn read(node: &Node, _: &mut Errors) -> Option<Self> {
        Some(Self(Some(node.clone()), PhantomData))
    }
    fn absent() -> Option<Self> {
        Some(Self(None, PhantomData))
    }
}
