//! A pull reader for JSON over borrowed bytes, made to be small: a plugin's code is the device's RAM,
//! some seven bytes for each.

use core::slice::Iter;

use crate::{Descriptor, Failure, Field, Member, is};

/// A reader somewhere in a document.
///
/// It remembers the first thing that was wrong instead of returning it from every call: from then on
/// there are no more keys and elements, texts are empty and numbers 0, and [`Json::end`] tells.
///
/// It is strict about what it reads, and lenient about what it steps over: a value that nobody reads
/// is passed by its brackets and quotes, control characters between values are passed like white space,
/// and an escape is looked at by whoever undoes it.
#[derive(Clone, Debug)]
pub struct Json<'a> {
    // An iterator has one pointer to move: what interpreters do slowest is to load and to store.
    rest: Iter<'a, u8>,
    /// Just behind an opening bracket: no comma comes before the next key or element.
    fresh: bool,
    /// The string that was read last has escapes.
    escaped: bool,
    wrong: Option<Failure>,
}

/// Behind the last byte.
const END: u32 = 0x100;

impl<'a> Json<'a> {
    /// A reader at the start of a document.
    pub fn new(document: &'a [u8]) -> Self {
        Json { rest: document.iter(), fresh: true, escaped: false, wrong: None }
    }

    /// Notes what is wrong, unless something was before: what stands behind is not looked at.
    #[inline(never)]
    pub fn fail(&mut self, why: Failure) {
        self.rest = [].iter();
        self.wrong = self.wrong.or(Some(why));
    }

    /// Steps over white space and the byte behind it, which it returns.
    #[inline(never)]
    fn next(&mut self) -> u32 {
        let mut rest = self.rest.clone();
        let byte = next(&mut rest);
        self.rest = rest;
        byte
    }

    /// Steps over `byte`, which has to come next.
    #[inline(always)]
    fn expect(&mut self, byte: u8, otherwise: Failure) {
        if self.next() != u32::from(byte) {
            self.fail(otherwise);
        }
    }

    /// Enters an object; [`Failure::WrongType`] where something else stands there.
    pub fn object(&mut self) {
        self.enter(b'{'.into());
    }

    #[inline(never)]
    fn enter(&mut self, bracket: u32) {
        self.fresh = true;
        if self.next() != bracket {
            self.fail(Failure::WrongType);
        }
    }

    /// The next key of the object entered, as it stands between its quotes, or `None` behind its end.
    pub fn key(&mut self) -> Option<&'a [u8]> {
        let mut rest = self.rest.clone();
        let mut fresh = core::mem::take(&mut self.fresh);
        let mut comma = false;
        let byte = loop {
            let byte = next(&mut rest);
            if fresh || byte != u32::from(b',') {
                break byte;
            }
            (fresh, comma) = (true, true);
        };
        let from = rest.as_slice();
        self.rest = rest;
        if byte == u32::from(b'}') && !comma {
            return None;
        }
        if byte != u32::from(b'"') || !fresh {
            self.fail(Failure::BadJson);
            return None;
        }
        let len = self.string();
        self.expect(b':', Failure::BadJson);
        from.get(..len)
    }

    /// Enters an array; [`Failure::WrongType`] where something else stands there.
    pub fn array(&mut self) {
        self.enter(b'['.into());
    }

    /// Whether another element of the array entered comes next.
    pub fn element(&mut self) -> bool {
        let before = self.rest.clone();
        let byte = self.next();
        let fresh = core::mem::take(&mut self.fresh);
        if byte == u32::from(b']') {
            return false;
        }
        if fresh {
            self.rest = before;
        } else if byte != u32::from(b',') {
            self.fail(Failure::BadJson);
        }
        self.wrong.is_none()
    }

    /// Reads a string; [`Failure::WrongType`] where something else stands there,
    /// [`Failure::BadJson`] where it does not end or holds a control character.
    pub fn text(&mut self) -> Field<'a> {
        let first = self.next();
        self.text_from(first)
    }

    /// The same, behind its first byte.
    #[inline(never)]
    fn text_from(&mut self, first: u32) -> Field<'a> {
        if first != u32::from(b'"') {
            self.fail(Failure::WrongType);
        }
        let rest = self.rest.as_slice();
        let raw = rest.get(..self.string()).unwrap_or_default();
        Field { escaped: self.escaped, ..Field::plain(raw) }
    }

    /// Steps over what is left of a string, and its end; its length, none that is where it is wrong.
    /// Notes whether there are escapes.
    #[inline(never)]
    fn string(&mut self) -> usize {
        self.escaped = false;
        let mut rest = self.rest.clone();
        while let Some(&byte) = rest.next() {
            // Most bytes are above.
            if byte > b'"' {
                if byte == b'\\' {
                    self.escaped = true;
                    rest.next();
                }
            } else if byte == b'"' {
                let len = self.rest.len() - rest.len() - 1;
                self.rest = rest;
                return len;
            } else if byte < b' ' {
                break;
            }
        }
        self.fail(Failure::BadJson);
        usize::MAX
    }

    /// Steps over `null`, if it comes next: as good as absent.
    pub fn null(&mut self) -> bool {
        let before = self.rest.clone();
        let first = self.next();
        let null = first == u32::from(b'n');
        if null {
            self.scalar(first);
        } else {
            self.rest = before;
        }
        null
    }

    /// Reads a whole number; [`Failure::WrongType`] where something else stands there,
    /// [`Failure::BadNumber`] where it is over `u32::MAX`, or has a sign, a fraction or an exponent.
    pub fn number(&mut self) -> u32 {
        let first = self.next();
        self.number_from(first)
    }

    /// The same, behind its first byte.
    #[inline(never)]
    fn number_from(&mut self, first: u32) -> u32 {
        let rest = self.rest.as_slice();
        let len = self.scalar(first);
        let mut number = first.wrapping_sub(u32::from(b'0'));
        let mut digits = rest.get(..len.wrapping_sub(1)).unwrap_or_default().iter();
        // It is not ended by a fraction, an exponent or a letter.
        let good = number <= 9
            && digits.all(|byte| {
                let digit = u32::from(byte.wrapping_sub(b'0'));
                let fits = digit <= 9 && number <= (u32::MAX - digit) / 10;
                number = number.wrapping_mul(10).wrapping_add(digit);
                fits
            });
        if !good {
            let number = (u32::from(b'-')..=u32::from(b'9')).contains(&first);
            self.fail(if number { Failure::BadNumber } else { Failure::WrongType });
            return 0;
        }
        number
    }

    /// Steps over what is left of a number or a literal that begins with `first`: how long all of it
    /// is, 0 where that begins none. What cannot be in either is stepped over, too.
    #[inline(never)]
    fn scalar(&mut self, first: u32) -> usize {
        let (mut rest, mut byte, mut len) = (self.rest.clone(), first, 0);
        // With 0x20 set, square brackets are braces, and letters lower case.
        while byte > u32::from(b'*')
            && byte | 0x20 < u32::from(b'{')
            && byte != u32::from(b',')
            && byte != u32::from(b':')
        {
            len += 1;
            self.rest = rest.clone();
            byte = rest.next().map_or(END, |byte| u32::from(*byte));
        }
        len
    }

    /// Steps over a value, whatever it is.
    pub fn skip(&mut self) {
        let (mut depth, mut rest) = (0u32, self.rest.clone());
        loop {
            let byte = next(&mut rest);
            // With 0x20 set, square brackets are braces.
            let bracket = byte | 0x20;
            if bracket == u32::from(b'{') {
                depth += 1;
            } else if depth > 0 && bracket == u32::from(b'}') {
                depth -= 1;
            } else if depth == 0 || byte != u32::from(b',') && byte != u32::from(b':') {
                self.rest = rest;
                if byte == u32::from(b'"') {
                    self.string();
                } else if self.scalar(byte) == 0 {
                    return self.fail(Failure::BadJson);
                }
                rest = self.rest.clone();
            }
            if depth == 0 {
                self.rest = rest;
                return;
            }
        }
    }

    /// Reads the value of `key` into the descriptor, if the table has the key; `null` is as good as
    /// absent, and a text that has been read before a [`Failure::DuplicateKey`].
    pub fn member(&mut self, key: &[u8], table: &[Member], to: &mut Descriptor<'a>) -> bool {
        let Some(member) = table.iter().find(|member| is(key, member.key)) else { return false };
        let first = self.next();
        if first == u32::from(b'n') {
            self.scalar(first);
            return true;
        }
        let (mut field, mut number) = (Field::plain(&[] as &[u8]), 0);
        if member.number {
            number = self.number_from(first);
        } else {
            field = Field { coding: member.coding, ..self.text_from(first) };
        }
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
        if self.next() != END {
            self.fail(Failure::BadJson);
        }
        self.wrong.map_or(Ok(()), Err)
    }
}

/// Steps over white space and the byte behind it, which it returns. In place where that saves a call
/// and the loads and stores around it: what interpreters do slowest.
#[inline(always)]
fn next(rest: &mut Iter<'_, u8>) -> u32 {
    loop {
        match rest.next() {
            None => return END,
            // Other control characters are let pass along.
            Some(..=b' ') => {}
            Some(byte) => return u32::from(*byte),
        }
    }
}
