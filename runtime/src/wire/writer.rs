//! A cursor over a caller's buffer that remembers an overflow instead of cutting short.

use super::copy;
use crate::error::Failure;

/// Writes bytes one after the other; asks only at the end whether all fitted.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    // Bytes written, or `None` once one did not fit.
    len: Option<usize>,
}

impl<'b> Writer<'b> {
    /// An empty writer over `buffer`.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Writer { buffer, len: Some(0) }
    }

    /// Forgets what was written.
    pub fn clear(&mut self) {
        self.len = Some(0);
    }

    /// Appends bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.len = self.len.and_then(|len| {
            let end = len.checked_add(bytes.len())?;
            copy(bytes, self.buffer.get_mut(len..end)?)?;
            Some(end)
        });
    }

    /// Appends text.
    pub fn text(&mut self, text: &str) {
        self.put(text.as_bytes());
    }

    /// Appends a number in decimal.
    pub fn number(&mut self, mut value: u32) {
        let mut digits = [b'0'; 10];
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit += (value % 10) as u8;
            value /= 10;
            used += 1;
            if value == 0 {
                break;
            }
        }
        self.put(digits.get(digits.len() - used..).unwrap_or_default());
    }

    /// Appends `digits` hexadecimal digits of a number, lower case.
    pub fn hex(&mut self, value: u32, digits: u32) {
        for at in (0..digits).rev() {
            let nibble = (value.checked_shr(at * 4).unwrap_or(0) & 0xf) as u8;
            self.put(&[if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }]);
        }
    }

    /// Whether all that was written fitted.
    ///
    /// # Errors
    /// As of [`finish`](Self::finish).
    #[inline]
    pub(crate) fn whole(&self) -> Result<(), Failure> {
        self.len.map(|_| ()).ok_or(Failure::MessageTooLong)
    }

    /// What was written.
    ///
    /// # Errors
    /// [`Failure::MessageTooLong`] where something did not fit.
    pub fn finish(&self) -> Result<&[u8], Failure> {
        self.len.and_then(|len| self.buffer.get(..len)).ok_or(Failure::MessageTooLong)
    }
}
