//! A pull reader for JSON over borrowed bytes, made to be small: a plugin's code is the device's RAM,
//! some seven bytes for each.

use crate::{Descriptor, Failure, Field, Member, is};

/// A reader somewhere in a document.
///
/// It remembers the first thing that was wrong instead of returning it from every call: from then on
/// there are no more keys and elements, texts are empty and numbers 0, and [`Json::end`] tells.
///
/// It is strict about what it reads, and lenient about what it steps over: a value that nobody reads
/// is passed by its brackets and quotes, and an escape is looked at by whoever undoes it.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    document: &'a [u8],
    at: usize,
    /// Just behind an opening bracket: no comma comes before the next key or element.
    fresh: bool,
    wrong: Option<Failure>,
}

impl<'a> Json<'a> {
    /// A reader at the start of a document.
    pub fn new(document: &'a [u8]) -> Self {
        Json { document, at: 0, fresh: true, wrong: None }
    }

    /// Notes what is wrong, unless something was before: what stands behind is not looked at.
    #[inline(never)]
    pub fn fail(&mut self, why: Failure) {
        self.document = &[];
        self.wrong = self.wrong.or(Some(why));
    }

    /// The byte at hand; 0, which JSON has nowhere, at the end.
    fn byte(&self) -> u8 {
        self.document.get(self.at).copied().unwrap_or(0)
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> u8 {
        loop {
            match self.byte() {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return byte,
            }
        }
    }

    /// Steps over `byte` if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// Steps over `byte`, which has to come next.
    fn expect(&mut self, byte: u8, otherwise: Failure) {
        if !self.takes(byte) {
            self.fail(otherwise);
        }
    }

    /// Whether more comes before `bracket`; the comma, or the bracket, is stepped over.
    fn more(&mut self, bracket: u8) -> bool {
        let fresh = core::mem::take(&mut self.fresh);
        if self.takes(bracket) {
            return false;
        }
        if !fresh {
            self.expect(b',', Failure::BadJson);
        }
        self.wrong.is_none()
    }

    /// Enters an object; [`Failure::WrongType`] where something else stands there.
    pub fn object(&mut self) {
        self.fresh = true;
        self.expect(b'{', Failure::WrongType);
    }

    /// The next key of the object entered, as it stands between its quotes, or `None` behind its end.
    pub fn key(&mut self) -> Option<&'a [u8]> {
        if !self.more(b'}') {
            return None;
        }
        let key = self.text();
        self.expect(b':', Failure::BadJson);
        Some(key.raw)
    }

    /// Enters an array; [`Failure::WrongType`] where something else stands there.
    pub fn array(&mut self) {
        self.fresh = true;
        self.expect(b'[', Failure::WrongType);
    }

    /// Whether another element of the array entered comes next.
    pub fn element(&mut self) -> bool {
        self.more(b']')
    }

    /// Reads a string; [`Failure::WrongType`] where something else stands there,
    /// [`Failure::BadJson`] where it does not end or holds a control character.
    pub fn text(&mut self) -> Field<'a> {
        self.expect(b'"', Failure::WrongType);
        let from = self.at;
        let mut escaped = false;
        loop {
            match self.byte() {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 1;
                }
                ..b' ' => {
                    self.fail(Failure::BadJson);
                    break;
                }
                _ => {}
            }
            self.at += 1;
        }
        let raw = self.document.get(from..self.at).unwrap_or_default();
        self.at += 1;
        Field { escaped, ..Field::plain(raw) }
    }

    /// Steps over `null`, if it comes next: as good as absent.
    pub fn null(&mut self) -> bool {
        let null = self.peek() == b'n';
        if null {
            self.skip();
        }
        null
    }

    /// Reads a whole number; [`Failure::WrongType`] where something else stands there,
    /// [`Failure::BadNumber`] where it is over `u32::MAX`, or has a sign, a fraction or an exponent.
    pub fn number(&mut self) -> u32 {
        let first = self.peek();
        let mut number = 0u64;
        while self.byte().is_ascii_digit() && number <= u32::MAX.into() {
            number = number * 10 + u64::from(self.byte() - b'0');
            self.at += 1;
        }
        match u32::try_from(number) {
            // A number is not ended by a fraction, an exponent or a letter.
            Ok(number) if first.is_ascii_digit() && !is_scalar(self.byte()) => return number,
            _ if matches!(first, b'-'..=b'9') => self.fail(Failure::BadNumber),
            _ => self.fail(Failure::WrongType),
        }
        0
    }

    /// Steps over a value, whatever it is.
    pub fn skip(&mut self) {
        let mut depth = 0u32;
        loop {
            let byte = self.peek();
            if byte == b'"' {
                self.text();
            } else {
                self.at += 1;
                match byte {
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth > 0 => depth -= 1,
                    b',' | b':' if depth > 0 => {}
                    _ if is_scalar(byte) => {
                        while is_scalar(self.byte()) {
                            self.at += 1;
                        }
                    }
                    _ => {
                        self.fail(Failure::BadJson);
                        depth = 0;
                    }
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Reads the value of `key` into the descriptor, if the table has the key; `null` is as good as
    /// absent, and a text that has been read before a [`Failure::DuplicateKey`].
    pub fn member(&mut self, key: &[u8], table: &[Member], to: &mut Descriptor<'a>) -> bool {
        let Some(member) = table.iter().find(|member| is(key, member.key)) else { return false };
        let nothing = Field::plain(&[] as &[u8]);
        let (field, number) = match (self.null(), member.tag.is_number()) {
            (true, _) => return true,
            (_, true) => (nothing, self.number()),
            _ => (Field { coding: member.coding, ..self.text() }, 0),
        };
        self.check(to.put(member.tag, field, number));
        true
    }

    /// Notes what went wrong elsewhere, as if it were the reader's.
    pub fn check(&mut self, result: Result<(), Failure>) {
        if let Err(why) = result {
            self.fail(why);
        }
    }

    /// Behind the document: nothing may follow.
    ///
    /// # Errors
    /// The first thing that was wrong.
    pub fn end(&mut self) -> Result<(), Failure> {
        if self.peek() != 0 || self.at < self.document.len() {
            self.fail(Failure::BadJson);
        }
        self.wrong.map_or(Ok(()), Err)
    }
}

/// Whether `byte` can stand in a number or a literal; those that cannot in either are let pass.
fn is_scalar(byte: u8) -> bool {
    // With 0x20 set, square brackets are braces.
    byte > b'*' && !matches!(byte | 0x20, b',' | b':' | b'{' | b'}')
}
