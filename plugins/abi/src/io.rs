//! The io block: where the plugin wants its input and where it puts its records.

use crate::{Fault, RECORD_LEN, RECORDS_MAX, Record, Span};

/// Length of an io block in memory, in bytes.
pub const IO_LEN: u32 = 16;

/// Four little-endian `u32` in the plugin's memory, at a multiple of 4, which do not change once the
/// module is instantiated: the host reads them once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Io {
    /// Address of the input buffer.
    pub input: u32,
    /// Its length in bytes: longer input is refused by the host.
    pub input_cap: u32,
    /// Address of the records, a multiple of 4.
    pub output: u32,
    /// How many records fit there.
    pub output_cap: u32,
}

impl Io {
    /// Reads the block at `at`.
    ///
    /// # Errors
    /// [`Fault::Io`] where it or one of its buffers is outside `memory` or not aligned.
    pub fn read(memory: &[u8], at: i32) -> Result<Self, Fault> {
        let block = Span { at: at as u32, len: IO_LEN }.of(memory).map_err(|_| Fault::Io)?;
        let mut words = block.chunks_exact(4).map(|word| word.try_into().map(u32::from_le_bytes));
        let mut word = || words.next().and_then(Result::ok).ok_or(Fault::Io);
        let io = Io { input: word()?, input_cap: word()?, output: word()?, output_cap: word()? };
        let records = io.output_cap.checked_mul(RECORD_LEN).ok_or(Fault::Io)?;
        let input = Span { at: io.input, len: io.input_cap };
        let output = Span { at: io.output, len: records };
        if input.of(memory).is_err()
            || output.of(memory).is_err()
            || !(at as u32 | io.output).is_multiple_of(4)
        {
            return Err(Fault::Io);
        }
        Ok(io)
    }

    /// The `count` records a call left.
    ///
    /// # Errors
    /// [`Fault::Count`] where there is no room for so many.
    pub fn records<'m>(
        &self,
        memory: &'m [u8],
        count: u32,
    ) -> Result<impl Iterator<Item = Record> + use<'m>, Fault> {
        if count > self.output_cap.min(RECORDS_MAX) {
            return Err(Fault::Count);
        }
        let bytes = Span { at: self.output, len: count * RECORD_LEN }.of(memory)?;
        Ok(bytes.chunks_exact(RECORD_LEN as usize).filter_map(|bytes| {
            // Always so long: the chunks are exact.
            bytes.try_into().ok().map(Record::from_bytes)
        }))
    }
}
