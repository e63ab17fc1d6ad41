//! Plugins that are block protocols, behind the core's [`BlockProtocol`].

use core::marker::PhantomData;

use coreota::{
    error::Failure,
    message::{Draft, Message},
    plugin::{Plug, Plugged},
    transport::{Arrival, BlockProtocol, Geometry, Wanted},
    wire::Writer,
};
use coreota_plugin_abi::{Action, Event, Input, Kind};

use crate::{
    Hosted, Usage,
    parser::{failure, field},
    talk::{Said, Talk},
};

/// A block protocol that a plugin speaks: that of the jobs that ask for it by its name.
///
/// It says what to subscribe to and to publish, and points at the block in a message. Whether that
/// is a wanted block of exactly its length is decided here. Where the plugin breaks down, so does
/// the download it is used for, with the reason; the next one begins with a new instance.
pub struct PluginBlocks<H> {
    talk: Talk,
    geometry: Geometry,
    /// Why nothing is opened.
    lost: Option<Failure>,
    home: PhantomData<fn() -> H>,
}

impl<H> PluginBlocks<H> {
    /// What the plugin takes of its arena.
    pub fn usage(&mut self) -> Usage {
        self.talk.usage()
    }

    /// Fuel that the last event burned.
    pub fn burned(&mut self) -> u32 {
        self.talk.burned()
    }

    /// Remembers that the plugin broke down: what was opened is lost with it.
    fn lose<T>(&mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(why) = result {
            self.lost = Some(why);
        }
        result
    }

    fn try_open(&mut self, place: &str, geometry: Geometry) -> Result<(), Failure> {
        self.talk.wake()?;
        let Geometry { size, block, file } = geometry;
        let input =
            Input { a: place.as_bytes(), x: size, y: block, z: file.into(), ..Input::default() };
        let mut given_up = Ok(());
        let said = self.talk.hear(Event::Open, input, |action, _| {
            if let Action::GiveUp(why) = action {
                given_up = Err(failure(why));
            }
            Ok(())
        })?;
        said.done().and(given_up)
    }

    fn try_accept(
        &mut self,
        message: Message<'_>,
        wanted: Wanted,
        into: &mut [u8],
    ) -> Result<Arrival, Failure> {
        let geometry = self.geometry;
        let mut arrival = Arrival::Ignored(Failure::BadBlock);
        let input = Input { a: message.topic.as_bytes(), b: message.payload, ..numbers(wanted) };
        let said = self.talk.hear(Event::Message, input, |action, places| {
            match action {
                Action::Block { index, bytes } => {
                    let bytes = field(bytes.try_map(|span| places.of(span))?);
                    arrival = match geometry.block_len(index).filter(|_| wanted.contains(index)) {
                        None => Arrival::Ignored(Failure::BadBlock),
                        Some(len) => {
                            let room = into.get_mut(..len as usize);
                            match bytes.decode(room.ok_or(Failure::Misconfigured)?) {
                                Ok(block) if block.len() == len as usize => {
                                    Arrival::Block { index, len }
                                }
                                Ok(_) => Arrival::Ignored(Failure::BadBlock),
                                Err(why) => Arrival::Ignored(why),
                            }
                        }
                    };
                }
                Action::GiveUp(why) => arrival = Arrival::Refused(failure(why)),
                _ => {}
            }
            Ok(())
        })?;
        Ok(match said {
            Said::Done => arrival,
            Said::NotMine => Arrival::NotMine,
            Said::No(why) => Arrival::Ignored(why),
        })
    }
}

impl<H: Hosted> BlockProtocol for PluginBlocks<H> {
    fn new(thing: &str) -> Result<Self, Failure> {
        Ok(PluginBlocks {
            talk: Talk::new(H::HOME, Kind::Blocks, thing)?,
            geometry: Geometry::default(),
            lost: Some(Failure::NoPlugin),
            home: PhantomData,
        })
    }

    fn choose(&mut self, protocol: &str) -> bool {
        protocol == H::HOME.name
    }

    fn open(&mut self, place: &str, geometry: Geometry) -> Result<(), Failure> {
        (self.geometry, self.lost) = (geometry, None);
        let opened = self.try_open(place, geometry);
        self.lose(opened)
    }

    fn subscription(&self, index: usize, topic: &mut Writer<'_>) -> bool {
        self.lost.is_none() && self.talk.subscription(index, topic)
    }

    fn request(&mut self, wanted: Wanted, draft: &mut Draft<'_>) -> Result<(), Failure> {
        if let Some(why) = self.lost {
            return Err(why);
        }
        let published = self.talk.publish(Event::Wanted, numbers(wanted), draft);
        self.lose(published)
    }

    fn accept(&mut self, message: Message<'_>, wanted: Wanted, into: &mut [u8]) -> Arrival {
        if self.lost.is_some() {
            // Nothing is opened: the next request says why.
            return Arrival::NotMine;
        }
        match self.try_accept(message, wanted, into) {
            Ok(arrival) => arrival,
            // Longer than anything this protocol takes.
            Err(Failure::TooBig) => Arrival::NotMine,
            Err(why) => {
                self.lost = Some(why);
                Arrival::Refused(why)
            }
        }
    }

    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
        (H::HOME.slot == Some(slot)).then(|| {
            if step != Plug::Check {
                self.lost = Some(Failure::NoPlugin);
            }
            self.talk.plug(step)
        })
    }
}

/// Wanted blocks as the numbers of an event.
fn numbers(wanted: Wanted) -> Input<'static> {
    let [low, high] = [wanted.bits as u32, (wanted.bits >> 32) as u32];
    Input { x: wanted.first, y: low, z: high, ..Input::default() }
}
