//! Job protocols: how a device hears of jobs and reports on them.

use crate::{Ask, Draft, Error, Failure, Message, Writer};

/// What the provider is told of the current job. Versions are texts, `major.minor.revision[+build]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        running: &'a [u8],
    },
    /// The new image runs on trial and tests itself.
    Testing {
        /// Version that ran before.
        from: &'a [u8],
    },
    /// The new image is confirmed.
    Succeeded {
        /// Version that runs now.
        running: &'a [u8],
        /// Version that ran before.
        from: &'a [u8],
    },
    /// The update ended without the new image.
    Failed(Reason<'a>),
    /// The device does not want this job.
    Rejected(Reason<'a>),
}

/// Why a job ended without its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// Number of the failure: the high byte says who is to blame.
    pub code: u32,
    /// The failure in words: ASCII without quotes.
    pub text: &'a [u8],
    /// More words, or nothing.
    pub note: &'a [u8],
}

/// A job the provider offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'m> {
    /// The provider's name of the job, 1 to 64 bytes.
    pub name: &'m [u8],
    /// Whether the provider counts it as started.
    pub started: bool,
    /// The job document, for the parser chain.
    pub document: &'m [u8],
}

/// What a message means.
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
    /// The last report or question was not accepted, but may be repeated.
    Again,
    /// The last report or question was refused for good.
    Refused(Failure),
    /// Something about the current job changed; [`Ask::Current`] tells what.
    Changed,
    /// Something else of this protocol, without meaning for the update.
    Ignored,
}

/// A job protocol. It keeps what it has to remember of the current job.
pub trait Jobs: Sized {
    /// The protocol before anything is known.
    const NEW: Self;

    /// Learns the name of the thing, once and first.
    ///
    /// # Errors
    /// [`Failure::BadText`] where the provider would not allow it.
    fn start(&mut self, thing: &[u8]) -> Result<(), Failure>;

    /// Writes the `index`th topic to subscribe to; `false` after the last.
    fn subscription(&self, index: u32, topic: &mut Writer<'_>) -> bool;

    /// Makes `name` the current job, as after a reboot, when only the journal knows it.
    ///
    /// # Errors
    /// [`Failure::BadText`] where it is not the name of a job.
    fn adopt(&mut self, name: &[u8]) -> Result<(), Failure>;

    /// Writes the message that asks.
    ///
    /// # Errors
    /// [`Failure::Misconfigured`] where there is no current job to ask about.
    fn ask(&mut self, ask: Ask, draft: &mut Draft<'_>) -> Result<(), Failure>;

    /// Writes the message that reports on the current job.
    ///
    /// # Errors
    /// [`Failure::Misconfigured`] where there is none.
    fn report(&mut self, status: &Status<'_>, draft: &mut Draft<'_>) -> Result<(), Failure>;

    /// Says what a message means.
    ///
    /// # Errors
    /// [`Error::NotMine`] where it is not of this protocol, [`Error::Malformed`] where it breaks
    /// a rule: as if it had not come.
    fn hear<'m>(&mut self, message: Message<'m>) -> Result<Heard<'m>, Error>;

    /// Makes the job last offered the current one.
    ///
    /// # Errors
    /// [`Failure::Misconfigured`] where none was offered.
    fn take(&mut self) -> Result<(), Failure>;
}
