//! Talking to the provider: connect, ask, tell, hear.

use super::{Offered, Orchestrator, plan::Scales};
use crate::{
    blocking::{ClockBlocking as _, LinkBlocking as _},
    error::Failure,
    hooks::Hooks,
    job::{Ask, Heard, JobProtocol, Status},
    link::{Clock, Delivery, LinkFault, MessageLink},
    message::Draft,
    pipeline::Pipeline,
    wire::Writer,
};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

/// Longest topic in bytes, as AWS IoT limits it.
pub(super) const TOPIC_MAX: usize = 256;
/// Longest message of a job protocol or a transport, in bytes.
pub(super) const PAYLOAD_MAX: usize = 384;

/// The block buffer is free whenever something is written to the provider: a block is in it only
/// from the moment it came until it is programmed.
pub(super) const DRAFT_MAX: usize = TOPIC_MAX + PAYLOAD_MAX;

/// An empty message in the block buffer.
pub(super) fn draft(buffer: &mut [u8]) -> Draft<'_> {
    Draft::split(buffer, TOPIC_MAX)
}

/// What the device can hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// There is no connection.
    Nothing,
    /// The job topics are subscribed.
    Jobs,
    /// Those of the open file as well.
    Blocks,
}

/// What a message meant, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Nothing came.
    Silence,
    /// A job; see `offered`.
    Offer,
    NoJob,
    Over,
    Accepted,
    Again,
    Refused(Failure),
    /// Nothing that matters now.
    Other,
}

/// What the device says to its job source.
#[derive(Clone, Copy, Debug)]
pub(super) enum Say<'s> {
    Ask(Ask),
    Report(&'s Status<'s>),
}

/// What became of a report or a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Yes,
    /// The job is over for the provider.
    Over,
    Refused(Failure),
    NoAnswer,
}

/// The failure a link's fault stands for.
pub(super) const fn failure(fault: LinkFault) -> Failure {
    match fault {
        LinkFault::Down => Failure::LinkDown,
        LinkFault::TooLong => Failure::MessageTooLong,
        LinkFault::Refused => Failure::ProviderRefused,
    }
}

/// Subscribes to every topic that `topics` writes.
#[also_blocking]
pub(super) async fn subscribe<L: MessageLink>(
    link: &mut L,
    buffer: &mut [u8],
    topics: impl Fn(usize, &mut Writer<'_>) -> bool,
) -> Result<(), Failure> {
    for index in 0.. {
        let mut draft = draft(buffer);
        if !topics(index, &mut draft.topic) {
            break;
        }
        link.subscribe(draft.finish()?.topic).await.map_err(failure)?;
    }
    Ok(())
}

/// Publishes what was drafted.
#[also_blocking]
pub(super) async fn publish<L: MessageLink>(
    link: &mut L,
    draft: Draft<'_>,
    how: Delivery,
) -> Result<(), Failure> {
    link.publish(draft.finish()?, how).await.map_err(failure)
}

#[also_blocking]
impl<P, F, L, C, H, const BLOCK: usize> Orchestrator<P, F, L, C, H, BLOCK>
where
    P: Pipeline,
    F: NorFlash,
    L: MessageLink,
    C: Clock,
    H: Hooks,
{
    /// Connects and subscribes to the job topics, where that is not so already.
    pub(super) async fn connect(&mut self) -> Result<(), Failure> {
        if self.reach != Reach::Nothing {
            return Ok(());
        }
        self.link.connect().await.map_err(failure)?;
        let jobs = &self.jobs;
        subscribe(&mut self.link, self.update.scratch(), |index, topic| {
            jobs.subscription(index, topic)
        })
        .await?;
        self.reach = Reach::Jobs;
        Ok(())
    }

    /// Says something; the answer comes through [`pump`](Self::pump).
    pub(super) async fn say(&mut self, what: Say<'_>) -> Result<(), Failure> {
        let mut draft = draft(self.update.scratch());
        match what {
            Say::Ask(ask) => self.jobs.ask(ask, &mut draft)?,
            Say::Report(status) => self.jobs.report(status, &mut draft)?,
        }
        publish(&mut self.link, draft, Delivery::AtLeastOnce).await
    }

    /// Waits for one message and says what it means. Where an offer is welcome, it is thought
    /// through at once, since its bytes are gone with the next message.
    pub(super) async fn pump(&mut self, within_ms: u32, welcome: bool) -> Result<Signal, Failure> {
        let message = match self.link.receive(within_ms).await {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(Signal::Silence),
            Err(LinkFault::TooLong) => {
                self.trouble(Failure::MessageTooLong);
                return Ok(Signal::Other);
            }
            Err(fault) => return Err(failure(fault)),
        };
        Ok(match self.jobs.hear(message) {
            Heard::Offer(_) if !welcome => Signal::Offer,
            Heard::Offer(offer) => {
                let now_ms = self.clock.now_ms();
                let scales = Scales::<P, H> {
                    parsers: &mut self.parsers,
                    journal: &self.journal,
                    plugins: &self.plugins,
                    hooks: &mut self.hooks,
                    running: self.running,
                    now_ms,
                    deferred: &mut self.deferred,
                };
                let outcome = scales.consider(offer);
                self.offered =
                    Some(Offered { started: offer.started, outcome: self.open(outcome) });
                Signal::Offer
            }
            Heard::NoJob => Signal::NoJob,
            Heard::Over => Signal::Over,
            Heard::Accepted => Signal::Accepted,
            Heard::Again => Signal::Again,
            Heard::Refused(why) => Signal::Refused(why),
            Heard::Malformed(why) => {
                self.trouble(why);
                Signal::Other
            }
            // Outside of a download the next question tells anyway.
            Heard::Changed | Heard::Ignored | Heard::NotMine => Signal::Other,
        })
    }

    /// Asks for the current job's state at the provider, so that it can be reported on.
    pub(super) async fn refresh(&mut self) -> Result<Told, Failure> {
        match self.exchange(Say::Ask(Ask::Current), 1).await? {
            Told::NoAnswer => Err(Failure::NoAnswer),
            told => Ok(told),
        }
    }

    /// Reports, and waits for the provider's word, up to `tries` times.
    pub(super) fn tell(
        &mut self,
        status: &Status<'_>,
        tries: u8,
    ) -> impl Future<Output = Result<Told, Failure>> {
        self.exchange(Say::Report(status), tries)
    }

    async fn exchange(&mut self, what: Say<'_>, tries: u8) -> Result<Told, Failure> {
        // A report that was refused for what is now brought up to date goes out again at once, and
        // does not count; but not for ever.
        let (mut tries, mut again) = (tries, 2_u8);
        while let Some(left) = tries.checked_sub(1) {
            tries = left;
            self.say(what).await?;
            let deadline = self.deadline();
            while let Some(left) = self.left(deadline) {
                return Ok(match (self.pump(left, false).await?, what) {
                    (Signal::Accepted, Say::Report(_)) => Told::Yes,
                    // Only its state was wanted; the job is dealt with already.
                    (Signal::Offer, Say::Ask(_)) => Told::Yes,
                    (Signal::Over, _) | (Signal::NoJob, Say::Ask(_)) => Told::Over,
                    (Signal::Refused(why), _) => Told::Refused(why),
                    (Signal::Again, Say::Report(_)) => {
                        if let Some(left) = again.checked_sub(1) {
                            (tries, again) = (tries.saturating_add(1), left);
                        }
                        break;
                    }
                    _ => continue,
                });
            }
        }
        Ok(Told::NoAnswer)
    }

    /// Reports the end of a job until the provider has taken it in, one way or another. A link
    /// that goes down meanwhile is an error: the caller comes back.
    pub(super) async fn tell_final(&mut self, status: &Status<'_>) -> Result<(), Failure> {
        self.hooks.status(self.jobs.current(), status);
        loop {
            let told = self.tell(status, 1).await?;
            match told {
                Told::Yes | Told::Over => return Ok(()),
                Told::Refused(why) => self.trouble(why),
                Told::NoAnswer => {}
            }
            // A provider that refused may offer the job again at once: not at the speed of the
            // network.
            let ms = self.pace.pause();
            self.clock.wait_ms(ms).await;
            if !matches!(told, Told::NoAnswer) {
                return Ok(());
            }
        }
    }

    fn deadline(&mut self) -> u32 {
        self.clock.now_ms().wrapping_add(P::RETRY.after_ms)
    }

    fn left(&mut self, deadline: u32) -> Option<u32> {
        let left = deadline.wrapping_sub(self.clock.now_ms());
        (left as i32 > 0).then_some(left)
    }
}
