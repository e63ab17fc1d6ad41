//! What a parser answers: a list of what the job says about one file, in any order.

use core::marker::PhantomData;

use crate::{Algorithm, Content, Failure, Field, abi::Tag};

/// There is an entry for each tag.
const ENTRIES: usize = crate::abi::Descriptor::<&[u8]>::RECORDS;

/// What a job says about one file. [`Tag::Size`] has to be said, and one of [`Tag::Stream`] and
/// [`Tag::Url`]; each tag once.
#[derive(Clone, Copy, Debug)]
pub struct Descriptor<'a> {
    entries: [Entry<'a>; ENTRIES],
    len: usize,
    /// Bit `tag` is set once it is said.
    said: u32,
    document: PhantomData<&'a [u8]>,
}

/// One thing said: in a plugin the very record.
#[cfg(target_family = "wasm")]
type Entry<'a> = crate::abi::Record;

/// One thing said.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    tag: Tag,
    field: Field<'a>,
    number: u32,
}

impl<'a> Descriptor<'a> {
    /// Nothing is said yet.
    pub const fn new() -> Self {
        #[cfg(target_family = "wasm")]
        let nothing = crate::abi::Record { tag: 0, x: 0, a: 0, b: 0, c: 0 };
        #[cfg(not(target_family = "wasm"))]
        let nothing = Entry { tag: Tag::Size, field: Field::plain(&[]), number: 0 };
        Descriptor { entries: [nothing; ENTRIES], len: 0, said: 0, document: PhantomData }
    }

    /// Whether something is said of `tag`.
    pub const fn has(&self, tag: Tag) -> bool {
        self.said >> (tag.number() & 31) & 1 == 1
    }

    /// Says something with a number: [`Tag::Size`], [`Tag::File`], [`Tag::Files`].
    ///
    /// # Errors
    /// Those of [`Descriptor::put`].
    pub fn put_number(&mut self, tag: Tag, number: u32) -> Result<(), Failure> {
        self.put_by(tag, &const { Field::plain(&[]) }, number)
    }

    /// Says what the file is; firmware if nothing is said.
    ///
    /// # Errors
    /// [`Failure::DuplicateKey`] where it has been said.
    pub fn put_content(&mut self, content: Content) -> Result<(), Failure> {
        self.put_number(Tag::Content, content.number().into())
    }

    /// Says something with a text: the other tags, but for signatures.
    ///
    /// # Errors
    /// [`Failure::DuplicateKey`] where it has been said.
    pub fn put_field(&mut self, tag: Tag, field: Field<'a>) -> Result<(), Failure> {
        self.put(tag, field, 0)
    }

    /// Says which signature there is.
    ///
    /// # Errors
    /// [`Failure::DuplicateKey`] where one has been named.
    pub fn put_signature(&mut self, algorithm: Algorithm, field: Field<'a>) -> Result<(), Failure> {
        self.put(Tag::Signature, field, algorithm.number().into())
    }

    /// Says something: a field, a number, or both.
    ///
    /// # Errors
    /// [`Failure::DuplicateKey`] where it has been said, [`Failure::BadNumber`] where only a size may
    /// be so large, [`Failure::SizeZero`] where that is 0.
    #[inline(always)]
    pub fn put(&mut self, tag: Tag, field: Field<'a>, number: u32) -> Result<(), Failure> {
        self.put_by(tag, &field, number)
    }

    /// By reference: an empty field is a constant then, and no code.
    #[inline(never)]
    fn put_by(&mut self, tag: Tag, field: &Field<'a>, number: u32) -> Result<(), Failure> {
        let bit = 1 << (tag.number() & 31);
        let size = bit == 1 << Tag::Size.number();
        if self.said & bit != 0 {
            return Err(Failure::DuplicateKey);
        }
        if size && number == 0 {
            return Err(Failure::SizeZero);
        }
        if !size && number > 0xff {
            return Err(Failure::BadNumber);
        }
        self.said |= bit;
        // There is an entry for each tag of descriptors; others mean nothing in one.
        if let Some(entry) = self.entries.get_mut(self.len) {
            *entry = said(tag, *field, number);
            self.len += 1;
        }
        Ok(())
    }

    /// Whether a host can use it.
    #[cfg(any(target_family = "wasm", feature = "native"))]
    pub(crate) const fn check(&self) -> Result<(), Failure> {
        if !self.has(Tag::Size) {
            Err(Failure::MissingField)
        } else if !self.has(Tag::Stream) && !self.has(Tag::Url) {
            Err(Failure::NoTransport)
        } else {
            Ok(())
        }
    }
}

#[cfg(target_family = "wasm")]
fn said(tag: Tag, field: Field<'_>, number: u32) -> crate::abi::Record {
    let crate::abi::Span { at, len } = crate::protocol::place(field.raw);
    // What is said with a number has no bytes; and where nothing stands is no matter.
    let a = if len == 0 { number } else { at };
    crate::abi::Record { tag: tag.number(), x: field.x(), a, b: len, c: number }
}

#[cfg(not(target_family = "wasm"))]
fn said(tag: Tag, field: Field<'_>, number: u32) -> Entry<'_> {
    Entry { tag, field, number }
}

/// In a plugin: the records.
#[cfg(target_family = "wasm")]
impl Descriptor<'_> {
    /// Forgets what was said.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.said = 0;
    }

    pub(crate) fn count(&self) -> u32 {
        // The entries are no more; so much the compiler does not see.
        self.len as u32 & 0xf
    }

    pub(crate) fn records(&self) -> &[crate::abi::Record] {
        &self.entries
    }
}

/// Elsewhere: what was said, for tests and for the native adapter.
#[cfg(not(target_family = "wasm"))]
impl<'a> Descriptor<'a> {
    /// What is said with a text, where something is.
    pub fn field(&self, tag: Tag) -> Option<Field<'a>> {
        self.entry(tag).map(|entry| entry.field)
    }

    /// What is said with a number, where something is; of a signature its algorithm.
    pub fn number(&self, tag: Tag) -> Option<u32> {
        self.entry(tag).map(|entry| entry.number)
    }

    fn entry(&self, tag: Tag) -> Option<&Entry<'a>> {
        self.entries.iter().take(self.len).find(|entry| entry.tag == tag)
    }
}

impl Default for Descriptor<'_> {
    fn default() -> Self {
        Self::new()
    }
}
