//! Parsers and their chain: the first that knows a job document wins.

pub mod afr_ota;
pub mod table;

use crate::{
    descriptor::Descriptor,
    error::Failure,
    plugin::{Plug, Plugged},
};

/// What a parser makes of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parse<'a> {
    /// It knows the document, and this is the file asked for.
    Descriptor(Descriptor<'a>),
    /// Another parser may know it; the reason is reported when none does.
    NotMine(Failure),
    /// It knows the format, and the document breaks its rules: nobody else is asked.
    Malformed(Failure),
}

/// Makes a [`Descriptor`] of a job document.
///
/// A document is bytes from outside: any input must give an answer, in time bounded by its length.
pub trait Parser {
    /// The name `ota.toml` gives it; reported when no parser knows a document.
    fn name(&self) -> &'static str;

    /// Reads the description of the job's file number `index` (0 is the first in the document).
    fn parse<'a>(&'a mut self, document: &'a [u8], index: u8) -> Parse<'a>;

    /// Takes a step with the plugin in `slot`, where this parser hosts it.
    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
        let _ = (slot, step);
        None
    }
}

/// Hears from a chain which parser declined, and why.
pub trait Declined {
    /// `parser` says the document is not its own.
    fn declined(&mut self, parser: &str, why: Failure);
}

/// Parsers in the order they are asked: a tuple of them.
pub trait Chain {
    /// Asks one after the other; `NotMine` of all becomes [`Failure::UnknownJob`].
    fn parse<'a>(
        &'a mut self,
        document: &'a [u8],
        index: u8,
        declined: &mut impl Declined,
    ) -> Parse<'a>;

    /// Takes a step with the plugin in `slot`, where a parser of this chain hosts it.
    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged;
}

macro_rules! chain {
    ($($parser:ident $field:tt),*) => {
        impl<$($parser: Parser),*> Chain for ($($parser,)*) {
            fn parse<'a>(
                &'a mut self,
                document: &'a [u8],
                index: u8,
                declined: &mut impl Declined,
            ) -> Parse<'a> {
                $(
                    let name = self.$field.name();
                    match self.$field.parse(document, index) {
                        Parse::NotMine(why) => declined.declined(name, why),
                        verdict => return verdict,
                    }
                )*
                Parse::NotMine(Failure::UnknownJob)
            }

            fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
                $(
                    if let Some(done) = self.$field.plug(slot, step) {
                        return Some(done);
                    }
                )*
                None
            }
        }
    };
}
chain!(A 0);
chain!(A 0, B 1);
chain!(A 0, B 1, C 2);
chain!(A 0, B 1, C 2, D 3);
chain!(A 0, B 1, C 2, D 3, E 4);
chain!(A 0, B 1, C 2, D 3, E 4, F 5);
