//! What a protocol plugin answers.

use crate::{Failure, Fault, Field, Record, Span, Tag, numbered};

numbered! {
    /// What to ask the provider; `x` of [`Event::Ask`](crate::Event::Ask).
    pub enum Ask: u32, "ASK" {
        /// the next job, without starting it
        0 Peek "PEEK",
        /// the next job, started by the asking
        1 Start "START",
        /// the current job: an offer of it while it goes on, OVER once it does not
        2 Current "CURRENT",
    }
}

numbered! {
    /// What a report says; `x` of [`Event::Report`](crate::Event::Report).
    pub enum Report: u32, "REPORT" {
        /// accepted: the download begins
        0 Started "STARTED",
        /// y of z blocks are in the slot
        1 Receiving "RECEIVING",
        /// verified and staged, about to reboot. a: version that runs now
        2 Staged "STAGED",
        /// the new image runs on trial. b: version that ran before
        3 Testing "TESTING",
        /// confirmed. a: version that runs now, b: version that ran before
        4 Succeeded "SUCCEEDED",
        /// it ended without the new image. y: number of the failure, a: its words, b: more words
        5 Failed "FAILED",
        /// the device does not want the job. y: number of the failure, a: its words, b: more words
        6 Rejected "REJECTED",
    }
}

numbered! {
    /// What a message means to a job protocol; `x` of [`Tag::Hear`].
    pub enum Hear: u16, "HEAR" {
        /// a job is offered: JOB and DOCUMENT stand beside
        1 Offer "OFFER",
        /// the same, and the provider counts it as started
        2 OfferStarted "OFFER_STARTED",
        /// there is no job
        3 NoJob "NO_JOB",
        /// the current job is over for the provider
        4 Over "OVER",
        /// the last report was accepted
        5 Accepted "ACCEPTED",
        /// the last report or question was not accepted, but may be repeated
        6 Again "AGAIN",
        /// the last report or question was refused for good; a: a FAILURE
        7 Refused "REFUSED",
        /// something about the current job changed; ASK_CURRENT tells
        8 Changed "CHANGED",
        /// something else of this protocol, without meaning for the update
        9 Ignored "IGNORED",
    }
}

/// What a protocol plugin wants done, one record each. `B` is where bytes are: a [`Span`] for the
/// host, a slice in the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<B> {
    /// Subscribe to this topic.
    Subscribe(B),
    /// Publish this.
    Publish {
        /// Where to; at most 65,535 bytes.
        topic: B,
        /// What.
        payload: B,
    },
    /// A block of the file is there.
    Block {
        /// Its number.
        index: u32,
        /// Its bytes, which may still be encoded.
        bytes: Field<B>,
    },
    /// The provider refuses.
    GiveUp(Failure),
    /// What the message means.
    Hear(Hear, Option<Failure>),
    /// Name of the job offered.
    Job(B),
    /// Document of the job offered.
    Document(B),
}

impl<B> Action<B> {
    /// The same, its bytes elsewhere.
    ///
    /// # Errors
    /// Those of `place`.
    pub fn try_map<C, E>(self, mut place: impl FnMut(B) -> Result<C, E>) -> Result<Action<C>, E> {
        Ok(match self {
            Action::Subscribe(topic) => Action::Subscribe(place(topic)?),
            Action::Publish { topic, payload } => {
                Action::Publish { topic: place(topic)?, payload: place(payload)? }
            }
            Action::Block { index, bytes } => Action::Block { index, bytes: bytes.try_map(place)? },
            Action::GiveUp(why) => Action::GiveUp(why),
            Action::Hear(hear, why) => Action::Hear(hear, why),
            Action::Job(name) => Action::Job(place(name)?),
            Action::Document(document) => Action::Document(place(document)?),
        })
    }
}

impl Action<Span> {
    /// The record that says this; `len` of a topic beyond 65,535 cannot be said.
    pub const fn record(&self) -> Option<Record> {
        Some(match *self {
            Action::Subscribe(topic) => Tag::Subscribe.span_record(topic),
            Action::Publish { topic, .. } if topic.len > u16::MAX as u32 => return None,
            Action::Publish { topic, payload } => {
                let record = Tag::Publish.span_record(payload);
                Record { x: topic.len as u16, c: topic.at, ..record }
            }
            Action::Block { index, bytes } => Record { c: index, ..bytes.record(Tag::Block) },
            Action::GiveUp(why) => Tag::GiveUp.number_record(why.number() as u32),
            Action::Hear(hear, why) => {
                let why = match why {
                    Some(why) => why.number() as u32,
                    None => 0,
                };
                Record { x: hear.number(), ..Tag::Hear.number_record(why) }
            }
            Action::Job(name) => Tag::Job.span_record(name),
            Action::Document(document) => Tag::Document.span_record(document),
        })
    }

    /// What a record says, or `None` where its tag is unknown here and it is to be skipped.
    ///
    /// # Errors
    /// [`Fault::Number`] where one of its numbers is out of range.
    pub fn read(record: Record) -> Result<Option<Self>, Fault> {
        let failure = || {
            let number = u16::try_from(record.a).map_err(|_| Fault::Number)?;
            Failure::from_number(number).ok_or(Fault::Number)
        };
        Ok(Some(match Tag::from_number(record.tag) {
            Some(Tag::Subscribe) => Action::Subscribe(record.span()),
            Some(Tag::Publish) => Action::Publish {
                topic: Span { at: record.c, len: record.x.into() },
                payload: record.span(),
            },
            Some(Tag::Block) => Action::Block { index: record.c, bytes: Field::read(record)? },
            Some(Tag::GiveUp) => Action::GiveUp(failure()?),
            Some(Tag::Hear) => match Hear::from_number(record.x).ok_or(Fault::Number)? {
                Hear::Refused => Action::Hear(Hear::Refused, Some(failure()?)),
                hear => Action::Hear(hear, None),
            },
            Some(Tag::Job) => Action::Job(record.span()),
            Some(Tag::Document) => Action::Document(record.span()),
            _ => return Ok(None),
        }))
    }
}
