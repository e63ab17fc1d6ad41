//! Events in, actions out: what the numbers of the ABI mean to a [`Blocks`] or a [`Jobs`].

use crate::{
    Arrival, Ask, Blocks, Draft, Error, Failure, Geometry, Heard, Jobs, Status, Wanted, Writer,
    abi::{Action, Event, Hear, Input, Kind, Report},
    jobs::Reason,
};

/// A message that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'m> {
    /// Where it was published.
    pub topic: &'m [u8],
    /// What it says.
    pub payload: &'m [u8],
}

/// Says what a plugin wants done.
type Tell<'t> = &'t mut dyn for<'a> FnMut(Action<&'a [u8]>);

/// A protocol of either kind, for the macros.
#[doc(hidden)]
pub trait Protocols {
    /// Before anything is known.
    const NEW: Self;
    /// Of which kind.
    const KIND: Kind;

    /// Hears an event and tells its actions, which borrow from `input` or `scratch`.
    ///
    /// # Errors
    /// What is refused.
    fn event(
        &mut self,
        event: Event,
        input: Input<'_>,
        scratch: &mut [u8],
        tell: Tell<'_>,
    ) -> Result<(), Error>;
}

/// A block protocol.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Blocking<T>(pub T);

impl<T: Blocks> Protocols for Blocking<T> {
    const NEW: Self = Blocking(T::NEW);
    const KIND: Kind = Kind::Blocks;

    fn event(
        &mut self,
        event: Event,
        input: Input<'_>,
        scratch: &mut [u8],
        tell: Tell<'_>,
    ) -> Result<(), Error> {
        let Input { a, b, x, y, z } = input;
        let wanted = Wanted { first: x, bits: u64::from(z) << 32 | u64::from(y) };
        match event {
            Event::Start => self.0.start(a)?,
            Event::Connected => {
                subscribe(scratch, tell, |topic| self.0.subscription(x, topic))?;
            }
            Event::Open => {
                let file = u8::try_from(z).map_err(|_| Failure::BadNumber)?;
                self.0.open(a, Geometry { size: x, block: y, file })?;
            }
            Event::Wanted => {
                let mut draft = Draft::new(scratch);
                self.0.request(wanted, &mut draft);
                publish(draft, tell)?;
            }
            Event::Message => match self.0.accept(Message { topic: a, payload: b }, wanted)? {
                Arrival::Block { index, bytes } => tell(Action::Block { index, bytes }),
                Arrival::Refused(why) => tell(Action::GiveUp(why)),
            },
            // An event of another kind of plugin, or of a newer host: nothing to do.
            _ => {}
        }
        Ok(())
    }
}

/// A job protocol.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Jobbing<T>(pub T);

impl<T: Jobs> Protocols for Jobbing<T> {
    const NEW: Self = Jobbing(T::NEW);
    const KIND: Kind = Kind::Jobs;

    fn event(
        &mut self,
        event: Event,
        input: Input<'_>,
        scratch: &mut [u8],
        tell: Tell<'_>,
    ) -> Result<(), Error> {
        let Input { a, b, x, .. } = input;
        match event {
            Event::Start => self.0.start(a)?,
            Event::Connected => {
                subscribe(scratch, tell, |topic| self.0.subscription(x, topic))?;
            }
            Event::Adopt => self.0.adopt(a)?,
            Event::Ask => {
                let ask = Ask::from_number(x).ok_or(Failure::BadNumber)?;
                let mut draft = Draft::new(scratch);
                self.0.ask(ask, &mut draft)?;
                publish(draft, tell)?;
            }
            Event::Report => {
                let mut draft = Draft::new(scratch);
                self.0.report(&status(input)?, &mut draft)?;
                publish(draft, tell)?;
            }
            Event::Message => heard(self.0.hear(Message { topic: a, payload: b })?, tell),
            Event::Take => self.0.take()?,
            _ => {}
        }
        Ok(())
    }
}

fn subscribe(
    scratch: &mut [u8],
    tell: Tell<'_>,
    write: impl FnOnce(&mut Writer<'_>) -> bool,
) -> Result<(), Failure> {
    let mut topic = Writer::new(scratch);
    if write(&mut topic) {
        tell(Action::Subscribe(topic.finish().ok_or(Failure::MessageTooLong)?));
    }
    Ok(())
}

fn publish(draft: Draft<'_>, tell: Tell<'_>) -> Result<(), Failure> {
    let (topic, payload) = draft.finish().ok_or(Failure::MessageTooLong)?;
    tell(Action::Publish { topic, payload });
    Ok(())
}

/// What a report's input says.
fn status(input: Input<'_>) -> Result<Status<'_>, Failure> {
    let Input { a, b, x, y, z } = input;
    let reason = Reason { code: y, text: a, note: b };
    Ok(match Report::from_number(x).ok_or(Failure::BadNumber)? {
        Report::Started => Status::Started,
        Report::Receiving => Status::Receiving { received: y, total: z },
        Report::Staged => Status::Staged { running: a },
        Report::Testing => Status::Testing { from: b },
        Report::Succeeded => Status::Succeeded { running: a, from: b },
        Report::Failed => Status::Failed(reason),
        Report::Rejected => Status::Rejected(reason),
    })
}

fn heard(heard: Heard<'_>, tell: Tell<'_>) {
    let (hear, why) = match heard {
        Heard::Offer(offer) => {
            tell(Action::Job(offer.name));
            tell(Action::Document(offer.document));
            (if offer.started { Hear::OfferStarted } else { Hear::Offer }, None)
        }
        Heard::NoJob => (Hear::NoJob, None),
        Heard::Over => (Hear::Over, None),
        Heard::Accepted => (Hear::Accepted, None),
        Heard::Again => (Hear::Again, None),
        Heard::Refused(why) => (Hear::Refused, Some(why)),
        Heard::Changed => (Hear::Changed, None),
        Heard::Ignored => (Hear::Ignored, None),
    };
    tell(Action::Hear(hear, why));
}
