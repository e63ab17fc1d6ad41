//! Bytes and text on the wire, over caller-owned buffers.

mod writer;

pub use writer::Writer;

use crate::{error::Failure, field::Field};

pub(crate) fn decode(_field: &Field<'_>, _into: &mut [u8]) -> Result<usize, Failure> {
    Err(Failure::BadEncoding)
}
