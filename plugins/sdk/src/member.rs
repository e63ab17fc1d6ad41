//! Tables of which member of an object is which field of the descriptor: smaller than code.

use crate::{Coding, Tag};

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub(crate) key: &'static str,
    pub(crate) tag: Tag,
    pub(crate) coding: Coding,
    /// What the tag says of it.
    pub(crate) number: bool,
}

impl Member {
    /// A number, or a text that is the value: which, the tag says.
    pub const fn new(key: &'static str, tag: Tag) -> Self {
        Self::coded(key, tag, Coding::Plain)
    }

    /// A text that encodes the value.
    pub const fn coded(key: &'static str, tag: Tag, coding: Coding) -> Self {
        Member { key, tag, coding, number: tag.is_number() }
    }
}
