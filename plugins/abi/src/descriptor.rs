//! What a parser answers: a job's description of one file, as records.

use crate::{Fault, Field, Record, Span, Tag, numbered};

numbered! {
    /// A kind of signature; `c` of a signature's record.
    pub enum Algorithm: u8, "ALGORITHM" {
        /// ECDSA on NIST P-256 over SHA-256; signatures are DER
        1 EcdsaP256 "ECDSA_P256",
        /// Ed25519 over a SHA-256 digest; signatures are 64 bytes
        2 Ed25519 "ED25519",
    }
}

numbered! {
    /// What a file is.
    pub enum Content: u8, "CONTENT" {
        /// firmware
        0 Image "IMAGE",
        /// a plugin
        1 Plugin "PLUGIN",
        /// a table for the core's table parser
        2 Table "TABLE",
    }
}

/// One file of a job. Nothing of it is believed: it decides only what is worth a download.
///
/// `B` is where bytes are: a [`Span`] for the host, a slice in the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor<B> {
    /// Length of the file in bytes, not 0.
    pub size: u32,
    /// The provider's number of the file.
    pub file: u8,
    /// How many files the job has; at least 1.
    pub files: u8,
    /// What the file is.
    pub content: Content,
    /// Name of the stream that carries it.
    pub stream: Option<Field<B>>,
    /// Where to fetch it by a request.
    pub url: Option<Field<B>>,
    /// SHA-256 of the file.
    pub sha256: Option<Field<B>>,
    /// A signature over the SHA-256 of the file.
    pub signature: Option<(Algorithm, Field<B>)>,
    /// Version of the file, `major.minor.revision[+build]`.
    pub version: Option<Field<B>>,
    /// Board the file is for.
    pub board: Option<Field<B>>,
    /// Name of the protocol that carries it.
    pub protocol: Option<Field<B>>,
}

impl<B> Default for Descriptor<B> {
    fn default() -> Self {
        Descriptor {
            size: 0,
            file: 0,
            files: 1,
            content: Content::Image,
            stream: None,
            url: None,
            sha256: None,
            signature: None,
            version: None,
            board: None,
            protocol: None,
        }
    }
}

impl<B: Copy> Descriptor<B> {
    /// Most records that a descriptor is.
    pub const RECORDS: usize = 11;

    /// Tells the records that say this; `place` says where bytes are in memory.
    pub fn records(&self, place: impl Fn(B) -> Span, tell: &mut impl FnMut(Record)) {
        for (tag, number) in [
            (Tag::Size, self.size),
            (Tag::File, self.file.into()),
            (Tag::Files, self.files.into()),
            (Tag::Content, self.content.number().into()),
        ] {
            tell(tag.number_record(number));
        }
        let (algorithm, signature) = match self.signature {
            Some((algorithm, field)) => (u32::from(algorithm.number()), Some(field)),
            None => (0, None),
        };
        for (tag, field, c) in [
            (Tag::Stream, self.stream, 0),
            (Tag::Url, self.url, 0),
            (Tag::Sha256, self.sha256, 0),
            (Tag::Signature, signature, algorithm),
            (Tag::Version, self.version, 0),
            (Tag::Board, self.board, 0),
            (Tag::Protocol, self.protocol, 0),
        ] {
            if let Some(Field { raw, coding, escaped }) = field {
                let field = Field { raw: place(raw), coding, escaped };
                tell(Record { c, ..field.record(tag) });
            }
        }
    }

    /// The same, its bytes elsewhere.
    ///
    /// # Errors
    /// Those of `place`.
    pub fn try_map<C, E>(
        self,
        mut place: impl FnMut(B) -> Result<C, E>,
    ) -> Result<Descriptor<C>, E> {
        let mut move_ = |field: Option<Field<B>>| match field {
            Some(field) => field.try_map(&mut place).map(Some),
            None => Ok(None),
        };
        Ok(Descriptor {
            size: self.size,
            file: self.file,
            files: self.files,
            content: self.content,
            stream: move_(self.stream)?,
            url: move_(self.url)?,
            sha256: move_(self.sha256)?,
            version: move_(self.version)?,
            board: move_(self.board)?,
            protocol: move_(self.protocol)?,
            signature: match self.signature {
                Some((algorithm, field)) => Some((algorithm, field.try_map(&mut place)?)),
                None => None,
            },
        })
    }
}

impl Descriptor<Span> {
    /// Reads a parser's records.
    ///
    /// # Errors
    /// [`Fault::Missing`] without a size, or with neither stream nor URL; [`Fault::Twice`] where a known
    /// tag stands twice, [`Fault::Number`] where a number is out of range.
    pub fn read(records: impl Iterator<Item = Record>) -> Result<Self, Fault> {
        let mut descriptor = Descriptor::default();
        let mut seen = 0u32;
        for record in records {
            let Some(tag) = Tag::from_number(record.tag) else { continue };
            // Descriptor tags are below 32; the others say nothing here.
            let Some(bit) = 1u32.checked_shl(tag.number().into()) else { continue };
            if seen & bit != 0 {
                return Err(Fault::Twice);
            }
            seen |= bit;
            let field = || Field::read(record).map(Some);
            match tag {
                Tag::Size => descriptor.size = number(record, 1, u32::MAX)?,
                Tag::File => descriptor.file = number(record, 0, u8::MAX.into())? as u8,
                Tag::Files => descriptor.files = number(record, 1, u8::MAX.into())? as u8,
                Tag::Content => {
                    let content = number(record, 0, u8::MAX.into())? as u8;
                    descriptor.content = Content::from_number(content).ok_or(Fault::Number)?;
                }
                Tag::Stream => descriptor.stream = field()?,
                Tag::Url => descriptor.url = field()?,
                Tag::Sha256 => descriptor.sha256 = field()?,
                Tag::Version => descriptor.version = field()?,
                Tag::Board => descriptor.board = field()?,
                Tag::Protocol => descriptor.protocol = field()?,
                Tag::Signature => {
                    let algorithm = u8::try_from(record.c).ok().and_then(Algorithm::from_number);
                    let algorithm = algorithm.ok_or(Fault::Number)?;
                    descriptor.signature = Some((algorithm, Field::read(record)?));
                }
                _ => {}
            }
        }
        match descriptor {
            Descriptor { size: 0, .. } | Descriptor { stream: None, url: None, .. } => {
                Err(Fault::Missing)
            }
            whole => Ok(whole),
        }
    }
}

/// The number of a record.
fn number(record: Record, least: u32, most: u32) -> Result<u32, Fault> {
    match (record.a, record.b) {
        (number, 0) if (least..=most).contains(&number) => Ok(number),
        _ => Err(Fault::Number),
    }
}
