//! One pass over a document, along all pointers of a table.

use super::TableSpec;
use crate::{
    descriptor::Descriptor,
    error::Failure,
    field::Field,
    parser::Parse,
    wire::{Json, NESTING, Text, Unescape, Value, number},
};

/// What the document is by that table.
pub(super) fn parse<'a>(spec: &TableSpec<'_>, document: &'a [u8], index: u8) -> Parse<'a> {
    let mut walk = Walk::default();
    let read = walk.document(spec, document);
    let [size, _, stream, url, ..] = walk.present;
    match read.and_then(|()| walk.descriptor(spec)) {
        Err(why) if size && (stream || url) => Parse::Malformed(why),
        Err(why) => Parse::NotMine(why),
        Ok(_) if index > 0 => Parse::Malformed(Failure::NoSuchFile),
        Ok(descriptor) => Parse::Descriptor(descriptor),
    }
}

/// Size, file, stream, URL, SHA-256, signature, version, board, protocol: in this order everywhere
/// below. The first two are numbers, the others strings.
const FIELDS: usize = 9;

/// What is left of each field's pointer, for those that lead through the value at hand.
type Rests<'s> = [Option<&'s str>; FIELDS];

/// One pass over a document.
#[derive(Default)]
struct Walk<'a> {
    /// Whether something other than `null` stands where the field should.
    present: [bool; FIELDS],
    numbers: [Option<u64>; 2],
    texts: [Option<Text<'a>>; FIELDS],
    /// Bit `d` of each: step `d` of the pointer was taken.
    taken: [u16; FIELDS],
    /// The first thing wrong with a value; the walk goes on, to learn whose document it is.
    wrong: Option<Failure>,
}

impl<'a> Walk<'a> {
    fn document(&mut self, spec: &TableSpec<'_>, document: &'a [u8]) -> Result<(), Failure> {
        let rests = [
            Some(spec.size),
            spec.file,
            spec.stream,
            spec.url,
            spec.sha256.map(|coded| coded.path),
            spec.signature.map(|signed| signed.path),
            spec.version,
            spec.board,
            spec.protocol,
        ];
        let mut json = Json::new(document);
        self.value(&mut json, &rests, 0)?;
        json.end()?;
        self.wrong.map_or(Ok(()), Err)
    }

    fn value(&mut self, json: &mut Json<'a>, rests: &Rests<'_>, depth: u32) -> Result<(), Failure> {
        if rests.iter().all(Option::is_none) {
            return json.skip(NESTING);
        }
        if depth > NESTING {
            return Err(Failure::TooDeep);
        }
        for (field, rest) in rests.iter().enumerate() {
            if *rest == Some("") {
                let read = self.field(*json, field);
                self.note(read);
            }
        }
        match json.value()? {
            Value::Object => {
                while let Some(key) = json.key()? {
                    let below = self.step(rests, depth, |step| step_is(step, key));
                    self.value(json, &below, depth + 1)?;
                }
            }
            Value::Array => {
                let mut at = 0u64;
                while json.element()? {
                    let below = self.step(rests, depth, |step| {
                        // "0" or a number without leading zeros
                        let canonical = step == "0" || !step.starts_with('0');
                        canonical && number(step.as_bytes()) == Ok(at)
                    });
                    self.value(json, &below, depth + 1)?;
                    at += 1;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes the next step of every pointer whose step `is` the key or index at hand.
    fn step<'s>(&mut self, rests: &Rests<'s>, depth: u32, is: impl Fn(&str) -> bool) -> Rests<'s> {
        let mut below = Rests::default();
        let bit = 1u16.checked_shl(depth).unwrap_or(0);
        for ((below, rest), field) in below.iter_mut().zip(rests).zip(0..) {
            let Some(path) = rest.and_then(|rest| rest.strip_prefix('/')) else { continue };
            let (step, beyond) = match path.bytes().position(|byte| byte == b'/') {
                Some(at) => path.split_at_checked(at).unwrap_or((path, "")),
                None => (path, ""),
            };
            if !is(step) {
                continue;
            }
            let taken = self.taken.get_mut(field).map_or(0, |taken| {
                let before = *taken;
                *taken |= bit;
                before
            });
            if taken & bit != 0 {
                self.note(Err(Failure::DuplicateKey));
            } else {
                *below = Some(beyond);
            }
        }
        below
    }

    /// Reads the value that `json` stands at into a field.
    fn field(&mut self, mut json: Json<'a>, field: usize) -> Result<(), Failure> {
        let value = json.value()?;
        if value == Value::Null {
            return Ok(());
        }
        if let Some(present) = self.present.get_mut(field) {
            *present = true;
        }
        match (value, self.numbers.get_mut(field), self.texts.get_mut(field)) {
            (Value::Number(raw), Some(to), _) => *to = Some(number(raw)?),
            (Value::Text(text), None, Some(to)) => *to = Some(text),
            _ => return Err(Failure::WrongType),
        }
        Ok(())
    }

    fn note(&mut self, result: Result<(), Failure>) {
        self.wrong = self.wrong.or(result.err());
    }

    fn descriptor(&self, spec: &TableSpec<'_>) -> Result<Descriptor<'a>, Failure> {
        let [_, _, stream, url, sha256, signature, version, board, protocol] = self.texts;
        let [size, file] = self.numbers;
        let size = size.ok_or(Failure::NoSuchKey)?;
        if stream.is_none() && url.is_none() {
            return Err(Failure::NoSuchKey);
        }
        if size == 0 {
            return Err(Failure::SizeZero);
        }
        let coded = |text: Text<'a>, coding| Field { coding, ..text.into() };
        Ok(Descriptor {
            size: u32::try_from(size).map_err(|_| Failure::BadNumber)?,
            file: u8::try_from(file.unwrap_or(0)).map_err(|_| Failure::BadNumber)?,
            files: 1,
            stream: stream.map(Field::from),
            url: url.map(Field::from),
            sha256: sha256.zip(spec.sha256).map(|(text, how)| coded(text, how.coding)),
            signature: signature
                .zip(spec.signature)
                .map(|(text, how)| (how.algorithm, coded(text, how.coding))),
            version: version.map(Field::from),
            board: board.map(Field::from),
            protocol: protocol.map(Field::from),
            ..Descriptor::default()
        })
    }
}

/// Whether a step of a pointer, with `~0` for `~` and `~1` for `/`, is the key.
fn step_is(step: &str, key: Text<'_>) -> bool {
    let mut tilde = false;
    let steps = step.bytes().filter_map(|byte| {
        if core::mem::take(&mut tilde) {
            return Some(if byte == b'1' { b'/' } else { b'~' });
        }
        tilde = byte == b'~';
        (!tilde).then_some(byte)
    });
    match key.escaped {
        false => steps.eq(key.raw.iter().copied()),
        true => steps.map(Ok).eq(Unescape::new(key.raw)),
    }
}
