//! Orders about plugins: job documents that bring no file.
//!
//! ```json
//! {"coreota":{"plugins":"list"}}
//! {"coreota":{"plugins":"disable","name":"acme"}}
//! {"coreota":{"plugins":"enable","name":"acme"}}
//! {"coreota":{"plugins":"remove","name":"acme"}}
//! ```
//! Like every job document an order is not signed. So it can take a plugin away, which is no more
//! than a provider can do by sending no jobs, and bring back one that was verified; it can not bring
//! one in.

use super::{NAME_MAX, store::State};
use crate::{
    error::Failure,
    wire::{Json, NESTING},
};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Order {
    /// Tell which plugins there are.
    List,
    /// Change how the one in this slot stands.
    Set(u8, State),
}

/// The order in a document, where it is one; `names` are those of the slots.
pub(crate) fn read(document: &[u8], names: &[&str]) -> Option<Result<Order, Failure>> {
    let mut json = Json::new(document);
    json.object().ok()?;
    if !json.key().ok()??.is("coreota") {
        return None;
    }
    Some(body(&mut json, names))
}

fn body(json: &mut Json<'_>, names: &[&str]) -> Result<Order, Failure> {
    let (mut verb, mut name) = (None, None);
    json.object()?;
    while let Some(key) = json.key()? {
        if key.is("plugins") {
            verb = Some(json.text()?);
        } else if key.is("name") {
            name = Some(json.text()?);
        } else {
            json.skip(NESTING)?;
        }
    }
    while json.key()?.is_some() {
        json.skip(NESTING)?;
    }
    json.end()?;
    let verb = verb.ok_or(Failure::MissingField)?;
    if verb.is("list") {
        return Ok(Order::List);
    }
    let states =
        [("enable", State::Active), ("disable", State::Disabled), ("remove", State::Removed)];
    let state = states.iter().find(|(word, _)| verb.is(word)).ok_or(Failure::BadText)?.1;
    let name = name.ok_or(Failure::MissingField)?;
    let mut slots = (0_u8..).zip(names);
    let slot = slots.find(|(_, slot)| slot.len() <= NAME_MAX && name.is(slot));
    Ok(Order::Set(slot.ok_or(Failure::NoPlugin)?.0, state))
}
