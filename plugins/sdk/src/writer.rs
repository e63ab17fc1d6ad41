//! What protocols write topics and payloads with, over the plugin's own memory.

/// Writes bytes one after the other; asked only at the end whether all fitted.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    // May be beyond the buffer: then something did not fit.
    len: usize,
}

impl<'b> Writer<'b> {
    /// An empty writer over `buffer`.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Writer { buffer, len: 0 }
    }

    /// Appends bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        // All of them or none: one instruction of an interpreter, whatever their number.
        if let Some(to) = self.buffer.get_mut(self.len..end) {
            to.copy_from_slice(bytes);
        }
        self.len = end;
    }

    /// Appends a number in four bytes, the lowest first.
    pub fn word(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }

    /// Appends a number in decimal.
    pub fn number(&mut self, number: u32) {
        if number > 9 {
            self.number(number / 10);
        }
        self.put(&[b'0' + (number % 10) as u8]);
    }

    /// Appends `digits` hexadecimal digits of a number, lower case.
    pub fn hex(&mut self, number: u32, digits: u32) {
        for at in (0..digits).rev() {
            let nibble = (number.checked_shr(at * 4).unwrap_or(0) & 0xf) as u8;
            self.put(&[if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }]);
        }
    }

    /// How many bytes were written, with those that did not fit.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What was written, or `None` where something did not fit.
    pub fn finish(self) -> Option<&'b [u8]> {
        self.buffer.get(..self.len)
    }
}

/// A message being written: first its topic, then, behind [`Draft::payload`], its payload.
#[derive(Debug)]
pub struct Draft<'b> {
    writer: Writer<'b>,
    topic: usize,
}

impl<'b> Draft<'b> {
    /// An empty message over `buffer`.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Draft { writer: Writer::new(buffer), topic: 0 }
    }

    /// Writes on at the topic.
    pub fn topic(&mut self) -> &mut Writer<'b> {
        &mut self.writer
    }

    /// Ends the topic; what is written from here on is the payload.
    pub fn payload(&mut self) -> &mut Writer<'b> {
        self.topic = self.writer.len();
        &mut self.writer
    }

    /// Topic and payload, or `None` where something did not fit.
    pub fn finish(self) -> Option<(&'b [u8], &'b [u8])> {
        let topic = self.topic;
        self.writer.finish()?.split_at_checked(topic)
    }
}
