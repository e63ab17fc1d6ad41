//! Which of its known keys a map has shown: a key that stands twice means two things at once.

use super::Text;
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

    /// Which of the `names` a key of a JSON object is, if any. A table, because comparing with each
    /// name in code of its own takes more flash than all the rest of a parser.
    ///
    /// # Errors
    /// [`Failure::DuplicateKey`] where it was seen before.
    pub(crate) fn known(
        &mut self,
        key: Text<'_>,
        names: &[&str],
    ) -> Result<Option<usize>, Failure> {
        let known = names.iter().position(|name| key.is(name));
        if let Some(known) = known {
            self.once(known as u32)?;
        }
        Ok(known)
    }
}
