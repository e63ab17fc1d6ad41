//! Two block protocols of which each job uses the one it names.

use super::{Arrival, BlockProtocol, Geometry, Wanted};
use crate::{
    error::Failure,
    message::{Draft, Message},
    plugin::{Plug, Plugged},
    wire::Writer,
};

/// The protocol `A` or the protocol `B`; more of them as `Either<A, Either<B, C>>`.
#[derive(Clone, Debug)]
pub struct Either<A, B> {
    first: A,
    second: B,
    /// Whether the second was chosen.
    turned: bool,
}

impl<A: BlockProtocol, B: BlockProtocol> BlockProtocol for Either<A, B> {
    fn new(thing: &str) -> Result<Self, Failure> {
        Ok(Either { first: A::new(thing)?, second: B::new(thing)?, turned: false })
    }

    fn choose(&mut self, protocol: &str) -> bool {
        self.turned = !self.first.choose(protocol);
        !self.turned || self.second.choose(protocol)
    }

    fn open(&mut self, place: &str, geometry: Geometry) -> Result<(), Failure> {
        match self.turned {
            false => self.first.open(place, geometry),
            true => self.second.open(place, geometry),
        }
    }

    fn subscription(&self, index: usize, topic: &mut Writer<'_>) -> bool {
        match self.turned {
            false => self.first.subscription(index, topic),
            true => self.second.subscription(index, topic),
        }
    }

    fn request(&mut self, wanted: Wanted, draft: &mut Draft<'_>) -> Result<(), Failure> {
        match self.turned {
            false => self.first.request(wanted, draft),
            true => self.second.request(wanted, draft),
        }
    }

    fn accept(&mut self, message: Message<'_>, wanted: Wanted, into: &mut [u8]) -> Arrival {
        match self.turned {
            false => self.first.accept(message, wanted, into),
            true => self.second.accept(message, wanted, into),
        }
    }

    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
        self.first.plug(slot, step).or_else(|| self.second.plug(slot, step))
    }
}
