//! Messages of a publish/subscribe link, in and out, over caller-owned buffers.

use crate::{error::Failure, wire::Writer};

/// A message that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'m> {
    /// Where it was published.
    pub topic: &'m str,
    /// What it says.
    pub payload: &'m [u8],
}

/// A message being written: topic and payload, each in a buffer of the caller.
#[derive(Debug)]
pub struct Draft<'b> {
    /// Where it will be published.
    pub topic: Writer<'b>,
    /// What it will say.
    pub payload: Writer<'b>,
}

impl<'b> Draft<'b> {
    /// An empty message over two buffers.
    pub fn new(topic: &'b mut [u8], payload: &'b mut [u8]) -> Self {
        Draft { topic: Writer::new(topic), payload: Writer::new(payload) }
    }

    /// An empty message over one buffer, whose first `topic` bytes are for the topic.
    #[inline(never)]
    pub fn split(buffer: &'b mut [u8], topic: usize) -> Self {
        let (topic, payload) = buffer.split_at_mut_checked(topic).unwrap_or_default();
        Draft::new(topic, payload)
    }

    /// The finished message.
    ///
    /// # Errors
    /// [`Failure::MessageTooLong`] where either part outgrew its buffer.
    pub fn finish(&self) -> Result<Message<'_>, Failure> {
        let topic = core::str::from_utf8(self.topic.finish()?).map_err(|_| Failure::BadText)?;
        Ok(Message { topic, payload: self.payload.finish()? })
    }
}
