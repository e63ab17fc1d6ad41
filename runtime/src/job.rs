//! Job protocols: how a device hears of jobs and reports on them. Pure: bytes in, values out.
//!
//! A protocol keeps the one execution the device works on (its name, and whatever the provider
//! wants to hear again, like a version number); it performs no I/O and knows no time.

pub mod aws_iot;

use crate::{
    error::Failure,
    message::{Draft, Message},
    plugin::{Plug, Plugged},
    version::Version,
    wire::Writer,
};

/// Longest name of a job, in bytes.
pub const NAME_MAX: usize = 64;

/// What to ask the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Ask {
    /// The next job, without starting it.
    Peek,
    /// The next job, started by the asking.
    Start,
    /// The job this protocol works on (see [`JobProtocol::adopt`]); answered by an offer of it
    /// while it goes on, by [`Heard::Over`] once it does not.
    Current,
}

/// What the provider is told of the current job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Status<'a> {
    /// Accepted: the download begins.
    Started,
    /// So many blocks of so many are in the slot.
    Receiving {
        /// Blocks in the slot.
        received: u32,
        /// Blocks of the file.
        total: u32,
    },
    /// Verified and staged; about to reboot.
    Staged {
        /// Version that runs now.
        running: Version,
    },
    /// The new image runs on trial and tests itself.
    Testing {
        /// Version that ran before.
        from: Version,
    },
    /// The new image is confirmed.
    Succeeded {
        /// Version that runs now.
        running: Version,
        /// Version that ran before.
        from: Version,
    },
    /// The job is done, without a new image: plugins are installed, an order was followed.
    Done {
        /// What there is now: ASCII without quotes.
        note: &'a str,
    },
    /// The update ended without the new image.
    Failed {
        /// Why.
        why: Failure,
        /// More words, or nothing: ASCII without quotes.
        note: &'a str,
    },
    /// The device does not want this job. Protocols that refuse a rejection of a started job
    /// report it as failed.
    Rejected {
        /// Why.
        why: Failure,
        /// More words, or nothing: ASCII without quotes.
        note: &'a str,
    },
}

impl Status<'_> {
    /// Whether the job is over with this: such a report is repeated until accepted.
    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Status::Succeeded { .. }
                | Status::Done { .. }
                | Status::Failed { .. }
                | Status::Rejected { .. }
        )
    }
}

/// A job the provider offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'m> {
    /// The provider's name of the job, at most [`NAME_MAX`] bytes.
    pub name: &'m str,
    /// Whether the provider counts it as started: by this very asking, or before a reboot.
    pub started: bool,
    /// The job document, for the parser chain: whole, but as yet unread.
    pub document: &'m [u8],
}

/// What an incoming message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'m> {
    /// A job, asked for or pushed.
    Offer(Offer<'m>),
    /// There is no job.
    NoJob,
    /// The current job is over for the provider: cancelled, timed out or removed.
    Over,
    /// The last report was accepted.
    Accepted,
    /// The last report or question was not accepted, but may be repeated: what was out of date
    /// has been brought up to date.
    Again,
    /// The last report or question was refused for good.
    Refused(Failure),
    /// Something about the current job changed, without saying what: [`Ask::Current`] tells.
    Changed,
    /// A message of this protocol that breaks its rules, and which: as if it had not come.
    Malformed(Failure),
    /// Something else of this protocol, without meaning for the update.
    Ignored,
    /// Not a message of this protocol.
    NotMine,
}

/// A job protocol, pure.
pub trait JobProtocol: Sized {
    /// The protocol of the device of that name.
    ///
    /// # Errors
    /// [`Failure::BadText`] where the provider would not allow the name.
    fn new(thing: &str) -> Result<Self, Failure>;

    /// Writes the `index`th topic to subscribe to; `false` after the last.
    fn subscription(&self, index: usize, topic: &mut Writer<'_>) -> bool;

    /// Makes `name` the current job, as after a reboot, when only the journal knows it.
    ///
    /// # Errors
    /// [`Failure::BadText`] where `name` is not a name of a job.
    fn adopt(&mut self, name: &str) -> Result<(), Failure>;

    /// Writes the message that asks.
    ///
    /// # Errors
    /// [`Failure::MessageTooLong`] where `draft` is too small.
    fn ask(&mut self, ask: Ask, draft: &mut Draft<'_>) -> Result<(), Failure>;

    /// Writes the message that reports on the current job.
    ///
    /// # Errors
    /// [`Failure::MessageTooLong`] where `draft` is too small; [`Failure::Misconfigured`] where
    /// there is no current job.
    fn report(&mut self, status: &Status<'_>, draft: &mut Draft<'_>) -> Result<(), Failure>;

    /// Says what a message means. An [`Offer`] becomes the current job by [`JobProtocol::take`].
    fn hear<'m>(&mut self, message: Message<'m>) -> Heard<'m>;

    /// Makes the job last offered the current one.
    ///
    /// # Errors
    /// [`Failure::Misconfigured`] where none was offered.
    fn take(&mut self) -> Result<(), Failure>;

    /// Name of the current job; empty where there is none, as behind [`Heard::Over`] or an accepted
    /// final report.
    fn current(&self) -> &str;

    /// Takes a step with the plugin in `slot`, where this protocol is hosted there.
    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
        let _ = (slot, step);
        None
    }
}
