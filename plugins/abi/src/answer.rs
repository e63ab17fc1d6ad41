//! What a call returns.

use crate::{Failure, Fault};

/// The result of a call, an `i32`.
///
/// `0` or more is the number of records. Less is a refusal: `-(verdict << 16 | failure)`, where the
/// verdict is 1 for not mine and 2 for malformed, and the failure a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// So many records stand in the output buffer.
    Records(u32),
    /// The document or message is somebody else's; why this plugin thinks so.
    NotMine(Failure),
    /// It is this plugin's and breaks a rule, which.
    Malformed(Failure),
}

impl Answer {
    /// Number of the verdict "not mine".
    pub const NOT_MINE: i32 = 1;
    /// Number of the verdict "malformed".
    pub const MALFORMED: i32 = 2;

    /// The result that says so.
    pub const fn result(self) -> i32 {
        match self {
            Answer::Records(count) if count <= i32::MAX as u32 => count as i32,
            Answer::Records(_) => i32::MAX,
            Answer::NotMine(why) => -(Self::NOT_MINE << 16 | why.number() as i32),
            Answer::Malformed(why) => -(Self::MALFORMED << 16 | why.number() as i32),
        }
    }

    /// What a result says.
    ///
    /// # Errors
    /// [`Fault::Result`] where it says nothing.
    pub const fn read(result: i32) -> Result<Self, Fault> {
        if result >= 0 {
            return Ok(Answer::Records(result as u32));
        }
        let refusal = result.unsigned_abs();
        let Some(why) = Failure::from_number(refusal as u16) else { return Err(Fault::Result) };
        match (refusal >> 16) as i32 {
            Self::NOT_MINE => Ok(Answer::NotMine(why)),
            Self::MALFORMED => Ok(Answer::Malformed(why)),
            _ => Err(Fault::Result),
        }
    }
}
