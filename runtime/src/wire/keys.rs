//! Which of its known keys a map has shown: a key that stands twice means two things at once.

use crate::error::Failure;

/// The known keys seen, up to 32, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(u32);

impl Keys {
    /// Notes known key number `key`.
    ///
    /// # Errors
    /// [`Failure::DuplicateKey`] where it was seen before.
    pub(crate) fn once(&mut self, key: u32) -> Result<(), Failure> {
        let bit = 1u32.checked_shl(key).unwrap_or(0);
        if self.0 & bit != 0 {
            return Err(Failure::DuplicateKey);
        }
        self.0 |= bit;
        Ok(())
    }
}
