//! Events in, actions out: what the numbers of the ABI mean to a [`Blocks`] or a [`Jobs`].

use crate::{
    Arrival, Ask, Blocks, Draft, Error, Failure, Geometry, Heard, Jobs, Status, Wanted, Writer,
    abi::{Event, Hear, Input, Kind, Record, Report, Span, Tag},
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

/// Records of one answer: the most are of a job offered.
pub(crate) const RECORDS: usize = 3;

/// What a plugin wants done, as the records that say so.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) records: [Record; RECORDS],
    pub(crate) count: usize,
}

impl Answer {
    /// Nothing is to be done.
    pub const NOTHING: Self =
        Answer { records: [Record { tag: 0, x: 0, a: 0, b: 0, c: 0 }; RECORDS], count: 0 };

    #[inline(never)]
    fn say(&mut self, tag: Tag, x: u16, bytes: &[u8], c: u32) {
        if let Some(record) = self.records.get_mut(self.count) {
            let Span { at, len } = place(bytes);
            *record = Record { tag: tag.number(), x, a: at, b: len, c };
            self.count += 1;
        }
    }

    fn say_number(&mut self, tag: Tag, x: u16, number: u32) {
        if let Some(record) = self.records.get_mut(self.count) {
            *record = Record { x, ..tag.number_record(number) };
            self.count += 1;
        }
    }

    fn publish(&mut self, draft: Draft<'_>) -> Result<(), Failure> {
        let (topic, payload) = draft.finish().ok_or(Failure::MessageTooLong)?;
        let topic_len = u16::try_from(topic.len()).map_err(|_| Failure::MessageTooLong)?;
        self.say(Tag::Publish, topic_len, payload, place(topic).at);
        Ok(())
    }
}

/// Where bytes are, as 32 bits can say it: wholly, in a plugin.
pub(crate) fn place(bytes: &[u8]) -> Span {
    Span { at: core::ptr::from_ref(bytes).cast::<u8>().addr() as u32, len: bytes.len() as u32 }
}

/// A protocol of either kind, for the macros.
#[doc(hidden)]
pub trait Protocols {
    /// Before anything is known.
    const NEW: Self;
    /// Of which kind.
    const KIND: Kind;

    /// Hears an event and says what is to be done; spans are in `input` or `scratch`.
    ///
    /// # Errors
    /// What is refused.
    fn event(
        &mut self,
        event: Event,
        input: Input<'_>,
        scratch: &mut [u8],
        answer: &mut Answer,
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
        answer: &mut Answer,
    ) -> Result<(), Error> {
        let Input { a, b, x, y, z } = input;
        let wanted = Wanted { first: x, bits: u64::from(z) << 32 | u64::from(y) };
        match event {
            Event::Start => self.0.start(a)?,
            Event::Connected => {
                subscribe(scratch, answer, |topic| self.0.subscription(x, topic))?;
            }
            Event::Open => {
                let file = u8::try_from(z).map_err(|_| Failure::BadNumber)?;
                self.0.open(a, Geometry { size: x, block: y, file })?;
            }
            Event::Wanted => {
                let mut draft = Draft::new(scratch);
                self.0.request(wanted, &mut draft);
                answer.publish(draft)?;
            }
            Event::Message => match self.0.accept(Message { topic: a, payload: b }, wanted)? {
                Arrival::Block { index, bytes } => {
                    answer.say(Tag::Block, bytes.x(), bytes.raw, index);
                }
                Arrival::Refused(why) => {
                    answer.say_number(Tag::GiveUp, 0, why.number().into());
                }
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
        answer: &mut Answer,
    ) -> Result<(), Error> {
        let Input { a, b, x, .. } = input;
        match event {
            Event::Start => self.0.start(a)?,
            Event::Connected => {
                subscribe(scratch, answer, |topic| self.0.subscription(x, topic))?;
            }
            Event::Adopt => self.0.adopt(a)?,
            Event::Ask => {
                let ask = Ask::from_number(x).ok_or(Failure::BadNumber)?;
                let mut draft = Draft::new(scratch);
                self.0.ask(ask, &mut draft)?;
                answer.publish(draft)?;
            }
            Event::Report => {
                let mut draft = Draft::new(scratch);
                self.0.report(&status(input)?, &mut draft)?;
                answer.publish(draft)?;
            }
            Event::Message => heard(self.0.hear(Message { topic: a, payload: b })?, answer),
            Event::Take => self.0.take()?,
            _ => {}
        }
        Ok(())
    }
}

fn subscribe(
    scratch: &mut [u8],
    answer: &mut Answer,
    write: impl FnOnce(&mut Writer<'_>) -> bool,
) -> Result<(), Failure> {
    let mut topic = Writer::new(scratch);
    if write(&mut topic) {
        answer.say(Tag::Subscribe, 0, topic.finish().ok_or(Failure::MessageTooLong)?, 0);
    }
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

fn heard(heard: Heard<'_>, answer: &mut Answer) {
    let (hear, why) = match heard {
        Heard::Offer(offer) => {
            answer.say(Tag::Job, 0, offer.name, 0);
            answer.say(Tag::Document, 0, offer.document, 0);
            (if offer.started { Hear::OfferStarted } else { Hear::Offer }, 0)
        }
        Heard::NoJob => (Hear::NoJob, 0),
        Heard::Over => (Hear::Over, 0),
        Heard::Accepted => (Hear::Accepted, 0),
        Heard::Again => (Hear::Again, 0),
        Heard::Refused(why) => (Hear::Refused, why.number()),
        Heard::Changed => (Hear::Changed, 0),
        Heard::Ignored => (Hear::Ignored, 0),
    };
    answer.say_number(Tag::Hear, hear.number(), why.into());
}
