//! The same plugin as part of the firmware: adapters to the core's own traits.
//!
//! For boards without room for a wasm host, and for tests that compare a plugin with what the core
//! has. A block is checked here as the wasm host checks it.

use coreota::{
    descriptor, error, field,
    message::{self},
    parser::Parse,
    plugin, transport, wire,
};

use crate::{
    Arrival, Blocks, Coding, Descriptor, Draft, Error, Failure, Field, Geometry, Message, Tag,
    Wanted, Writer,
};

/// Room for one topic or one message of a protocol, in bytes.
const SCRATCH: usize = 640;

/// A parser function as a parser of the core.
#[derive(Clone, Copy, Debug)]
pub struct Parser {
    name: &'static str,
    parse: crate::Parse,
}

impl Parser {
    /// The parser of that name.
    pub const fn new(name: &'static str, parse: crate::Parse) -> Self {
        Parser { name, parse }
    }
}

impl coreota::parser::Parser for Parser {
    fn name(&self) -> &'static str {
        self.name
    }

    fn parse<'a>(&'a mut self, document: &'a [u8], index: u8) -> Parse<'a> {
        let mut file = Descriptor::new();
        let read = (self.parse)(document, index, &mut file);
        match read.and_then(|()| Ok(file.check()?)) {
            Ok(()) => Parse::Descriptor(descriptor_of(&file)),
            Err(Error::NotMine(why)) => Parse::NotMine(failure(why)),
            Err(Error::Malformed(why)) => Parse::Malformed(failure(why)),
        }
    }
}

/// A [`Blocks`] as a block protocol of the core.
#[derive(Clone, Debug)]
pub struct Transport<T> {
    blocks: T,
    geometry: Geometry,
}

impl<T: Blocks> transport::BlockProtocol for Transport<T> {
    fn new(thing: &str) -> Result<Self, error::Failure> {
        let mut blocks = T::NEW;
        blocks.start(thing.as_bytes()).map_err(failure)?;
        Ok(Transport { blocks, geometry: Geometry::NONE })
    }

    fn open(&mut self, place: &str, geometry: transport::Geometry) -> Result<(), error::Failure> {
        let transport::Geometry { size, block, file } = geometry;
        let geometry = Geometry { size, block, file };
        self.blocks.open(place.as_bytes(), geometry).map_err(failure)?;
        self.geometry = geometry;
        Ok(())
    }

    fn subscription(&self, index: usize, topic: &mut wire::Writer<'_>) -> bool {
        let Ok(index) = u32::try_from(index) else { return false };
        let mut room = [0; SCRATCH];
        let mut writer = Writer::new(&mut room);
        let found = self.blocks.subscription(index, &mut writer);
        if let Some(text) = writer.finish() {
            topic.put(text);
        }
        found
    }

    fn request(
        &mut self,
        wanted: transport::Wanted,
        draft: &mut message::Draft<'_>,
    ) -> Result<(), error::Failure> {
        let mut room = [0; SCRATCH];
        let mut message = Draft::new(&mut room);
        self.blocks.request(wanted_of(wanted), &mut message);
        let (topic, payload) = message.finish().ok_or(error::Failure::MessageTooLong)?;
        draft.topic.put(topic);
        draft.payload.put(payload);
        draft.topic.finish()?;
        draft.payload.finish().map(|_| ())
    }

    fn accept(
        &mut self,
        message: message::Message<'_>,
        wanted: transport::Wanted,
        into: &mut [u8],
    ) -> transport::Arrival {
        let message = Message { topic: message.topic.as_bytes(), payload: message.payload };
        match self.blocks.accept(message, wanted_of(wanted)) {
            Ok(Arrival::Block { index, bytes }) => {
                let len = self.geometry.block_len(index).filter(|_| wanted.contains(index));
                let bytes = field_of(bytes);
                match len.map(|len| (len, bytes.decode(into).map(<[u8]>::len))) {
                    Some((len, Ok(found))) if found == len as usize => {
                        transport::Arrival::Block { index, len }
                    }
                    Some((_, Err(why))) => transport::Arrival::Ignored(why),
                    _ => transport::Arrival::Ignored(error::Failure::BadBlock),
                }
            }
            Ok(Arrival::Refused(why)) => transport::Arrival::Refused(failure(why)),
            Err(Error::NotMine(_)) => transport::Arrival::NotMine,
            Err(Error::Malformed(why)) => transport::Arrival::Ignored(failure(why)),
        }
    }
}

/// The core's failure of the same number.
pub fn failure(why: Failure) -> error::Failure {
    // Every failure that a plugin can name is one of the core's: a test says so.
    error::Failure::from_code(why.number()).unwrap_or(error::Failure::PluginAnswer)
}

/// The core's descriptor of the same content.
pub fn descriptor_of<'a>(file: &Descriptor<'a>) -> descriptor::Descriptor<'a> {
    let field = |tag| file.field(tag).map(field_of);
    // No number but a size is more than 255.
    let small = |tag, or| file.number(tag).map_or(or, |number| number as u8);
    let algorithm = match small(Tag::Signature, 0) {
        2 => descriptor::Algorithm::Ed25519,
        _ => descriptor::Algorithm::EcdsaP256,
    };
    descriptor::Descriptor {
        size: file.number(Tag::Size).unwrap_or(0),
        file: small(Tag::File, 0),
        files: small(Tag::Files, 1),
        content: plugin::Content::from_number(small(Tag::Content, 0).into()).unwrap_or_default(),
        protocol: field(Tag::Protocol),
        stream: field(Tag::Stream),
        url: field(Tag::Url),
        sha256: field(Tag::Sha256),
        signature: field(Tag::Signature).map(|field| (algorithm, field)),
        version: field(Tag::Version),
        board: field(Tag::Board),
    }
}

fn field_of(field: Field<'_>) -> field::Field<'_> {
    let coding = match field.coding {
        Coding::Plain => field::Coding::Plain,
        Coding::Base64 => field::Coding::Base64,
        Coding::Hex => field::Coding::Hex,
    };
    field::Field { raw: field.raw, coding, escaped: field.escaped }
}

const fn wanted_of(wanted: transport::Wanted) -> Wanted {
    Wanted { first: wanted.first, bits: wanted.bits }
}
