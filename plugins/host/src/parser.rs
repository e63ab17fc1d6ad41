//! Plugins that are parsers, behind the core's [`Parser`].

use coreota::{
    descriptor::{Algorithm, Descriptor},
    error::Failure,
    field::{Coding, Field},
    parser::{Parse, Parser},
    plugin::{Content, Plug, Plugged},
};
use coreota_plugin_abi::{self as abi, Answer, Kind, Span};

use crate::{
    Home, Usage,
    plugin::{Plugin, broken},
};

/// A parser whose format a plugin knows.
///
/// Whatever goes wrong with the plugin, the document is [`Parse::NotMine`], with a failure of blame
/// plugin as the reason: the next parser of the chain is asked, and where none knows the document
/// the reason is reported.
pub struct PluginParser {
    plugin: Plugin,
}

impl PluginParser {
    /// The parser that lives at `home`. A module that is compiled in is loaded when first used.
    pub const fn new(home: Home) -> Self {
        PluginParser { plugin: Plugin::new(home, Kind::Parser) }
    }
    /// Loads the module that is compiled in, instead of at the first document.
    ///
    /// # Errors
    /// Why it is not loaded: [`Failure::NoPlugin`] where its slot is empty.
    pub fn load(&mut self) -> Result<(), Failure> {
        self.plugin.wake()
    }

    /// What the plugin takes of its arena.
    pub fn usage(&mut self) -> Usage {
        self.plugin.usage()
    }

    /// Fuel that the last document burned.
    pub const fn burned(&self) -> u32 {
        self.plugin.burned()
    }

    fn read(&mut self, document: &[u8], index: u8) -> Result<Parse<'_>, Failure> {
        let result = self.plugin.call(|input| {
            input.get_mut(..document.len())?.copy_from_slice(document);
            Some((u32::try_from(document.len()).ok()?, index.into()))
        })?;
        let count = match Answer::read(result).map_err(broken)? {
            Answer::Records(count) => count,
            Answer::NotMine(why) => return Ok(Parse::NotMine(failure(why))),
            Answer::Malformed(why) => return Ok(Parse::Malformed(failure(why))),
        };
        let (memory, _, records) = self.plugin.answer(count)?;
        let told = abi::Descriptor::<Span>::read(records).map_err(broken)?;
        let told = told.try_map(|span| span.of(memory)).map_err(broken)?;
        Ok(Parse::Descriptor(descriptor(told)))
    }
}

impl Parser for PluginParser {
    fn name(&self) -> &'static str {
        self.plugin.home().name
    }

    fn parse<'a>(&'a mut self, document: &'a [u8], index: u8) -> Parse<'a> {
        self.read(document, index).unwrap_or_else(Parse::NotMine)
    }

    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
        (self.plugin.home().slot == Some(slot)).then(|| self.plugin.plug(step))
    }
}

/// The core's failure of the same number.
pub(crate) fn failure(why: abi::Failure) -> Failure {
    Failure::from_code(why.number()).unwrap_or(Failure::PluginAnswer)
}

pub(crate) fn field(field: abi::Field<&[u8]>) -> Field<'_> {
    let coding = match field.coding {
        abi::Coding::Plain => Coding::Plain,
        abi::Coding::Base64 => Coding::Base64,
        abi::Coding::Hex => Coding::Hex,
    };
    Field { raw: field.raw, coding, escaped: field.escaped }
}

fn descriptor(told: abi::Descriptor<&[u8]>) -> Descriptor<'_> {
    Descriptor {
        size: told.size,
        file: told.file,
        files: told.files,
        content: match told.content {
            abi::Content::Image => Content::Image,
            abi::Content::Plugin => Content::Plugin,
            abi::Content::Table => Content::Table,
        },
        protocol: told.protocol.map(field),
        stream: told.stream.map(field),
        url: told.url.map(field),
        sha256: told.sha256.map(field),
        signature: told.signature.map(|(algorithm, signature)| {
            let algorithm = match algorithm {
                abi::Algorithm::EcdsaP256 => Algorithm::EcdsaP256,
                abi::Algorithm::Ed25519 => Algorithm::Ed25519,
            };
            (algorithm, field(signature))
        }),
        version: told.version.map(field),
        board: told.board.map(field),
    }
}
