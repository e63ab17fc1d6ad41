//! Drives an [`Update`](crate::update::Update): does what its actions say.

use super::{
    Orchestrator,
    plan::{Note, Outcome, Plan},
    talk::{self, Reach, Say, Told, draft, failure},
};
use crate::{
    blocking::{ClockBlocking as _, FlashBlocking as _, LinkBlocking as _},
    boot::Boot,
    error::{Blame, Failure},
    flash,
    hooks::Hooks,
    job::{Ask, Heard, JobProtocol, Status},
    journal::{self, Proof, Record},
    layout::Region,
    link::{Clock, Delivery, LinkFault, MessageLink},
    pipeline::Pipeline,
    plugin::{Content, Plugins},
    trace::info,
    transport::{Arrival, BlockProtocol, Geometry, Wanted},
    update::{Action, Area, Event},
    verify::{Proven, Verified},
};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

#[also_blocking]
impl<P, F, L, C, H, const BLOCK: usize> Orchestrator<P, F, L, C, H, BLOCK>
where
    P: Pipeline,
    F: NorFlash,
    L: MessageLink,
    C: Clock,
    H: Hooks,
{
    /// Downloads, verifies and stages a file, resuming what the journal knows of it. The inner
    /// result is how it ended, and is in the journal.
    pub(super) async fn install(
        &mut self,
        fingerprint: &[u8; 32],
    ) -> Result<Result<(), Failure>, Failure> {
        let known = self.resumable(fingerprint);
        let (mut attempt, mut resumed) = (known.unwrap_or(1), known.is_some());
        let result = loop {
            info!("job {}, attempt {}, resumed: {}", self.jobs.current(), attempt, resumed);
            if resumed {
                self.journal.rename(&mut self.flash, self.jobs.current()).await?;
            } else {
                self.begin(fingerprint, attempt).await?;
            }
            let result = self.drive().await;
            // The next file has topics of its own.
            if self.reach == Reach::Blocks {
                self.reach = Reach::Jobs;
            }
            match result {
                // Bytes may have been damaged on the way; a bad signature stays bad, but cannot
                // be told from damage.
                Err(why) if why.blame() == Blame::Image && attempt < P::POLICY.attempts => {
                    self.trouble(why);
                    (attempt, resumed) = (attempt.saturating_add(1), false);
                }
                result => break result,
            }
        };
        if let Err(why) = result {
            info!("failed: {}", why.text());
            self.journal.append(&mut self.flash, journal::Event::Failed(why)).await?;
            return Ok(result);
        }
        if P::Plugins::ANY && self.update.content() != Content::Image {
            info!("plugin installed");
            self.journal.append(&mut self.flash, journal::Event::Told(None)).await?;
            return Ok(result);
        }
        info!("staged");
        let status = Status::Staged { running: self.running };
        self.hooks.status(self.jobs.current(), &status);
        // Telemetry: the reset must not wait for it for long.
        if self.reach != Reach::Nothing
            && let Err(why) = self.tell(&status, 3).await
        {
            self.trouble(why);
        }
        Ok(result)
    }

    /// The attempt that the journal's record can be resumed as, where it is of the opened file.
    fn resumable(&self, fingerprint: &[u8; 32]) -> Option<u8> {
        let record = self.journal.record()?;
        let Geometry { size, block, .. } = self.update.geometry();
        let same =
            record.fingerprint == *fingerprint && (record.size, record.block) == (size, block);
        let going_on = matches!(self.journal.last(), None | Some(journal::Event::Staging));
        (same && going_on).then_some(record.attempt)
    }

    async fn begin(&mut self, fingerprint: &[u8; 32], attempt: u8) -> Result<(), Failure> {
        let Geometry { size, block, file } = self.update.geometry();
        let job = self.jobs.current().try_into().map_err(|_| Failure::BadText)?;
        let (fingerprint, from) = (*fingerprint, self.running);
        if P::Plugins::ANY && self.update.content() != Content::Image {
            self.plugins.prepare(&mut self.flash).await?;
        }
        let record = Record { job, fingerprint, size, block, file, attempt, from };
        self.journal.begin(&mut self.flash, &record).await
    }

    /// Opens the file of a plan: all that is remembered of it until the next one.
    #[inline(never)]
    pub(super) fn open(&mut self, outcome: Outcome<Plan>) -> Outcome<[u8; 32]> {
        match outcome {
            Outcome::Take(plan) => match self.open_place(&plan) {
                Ok(()) => {
                    self.update.open(plan.claim, plan.geometry);
                    Outcome::Take(plan.fingerprint)
                }
                Err(why) => Outcome::Refuse(why, Note::default()),
            },
            Outcome::Here => Outcome::Here,
            Outcome::Order(order) => Outcome::Order(order),
            Outcome::Later => Outcome::Later,
            Outcome::Refuse(why, note) => Outcome::Refuse(why, note),
        }
    }

    fn open_place(&mut self, plan: &Plan) -> Result<(), Failure> {
        if !self.transport.choose(&plan.protocol) {
            return Err(Failure::NoTransport);
        }
        self.transport.open(&plan.place, plan.geometry)
    }

    async fn drive(&mut self) -> Result<(), Failure> {
        let slot = match self.update.content() {
            content if P::Plugins::ANY && content != Content::Image => self.plugins.room().region,
            _ => P::LAYOUT.slot,
        };
        let mut event = Event::Begin;
        loop {
            event = match self.update.step(event) {
                Action::Read { area, offset, into } => {
                    let region = region(slot, &self.journal, area);
                    done(flash::read(&mut self.flash, region, offset, into).await)
                }
                Action::Erase { area, from, to } => {
                    let region = region(slot, &self.journal, area);
                    match region.at(from, to.saturating_sub(from)) {
                        Some(at) => {
                            let erased = self.flash.erase(at, at + (to - from)).await;
                            done(erased.map_err(|_| Failure::Erase))
                        }
                        None => Event::Failed(Failure::Bounds),
                    }
                }
                Action::Program { area, offset, data } => {
                    let region = region(slot, &self.journal, area);
                    done(flash::program(&mut self.flash, region, offset, data).await)
                }
                Action::Void { first, count } => {
                    done(self.journal.void(&mut self.flash, first, count).await)
                }
                Action::Request(wanted) => done(self.request(wanted).await),
                Action::Receive { wanted, into, within_ms } => {
                    let ear = Ear { transport: &mut self.transport, jobs: &mut self.jobs };
                    ear.listen(&mut self.link, &mut self.clock, wanted, into, within_ms).await
                }
                Action::Wait { ms } => {
                    self.clock.wait_ms(ms).await;
                    Event::Done
                }
                Action::Report { received, total } => {
                    self.report(received, total).await;
                    Event::Done
                }
                Action::Install(Proven::Image(image)) => done(self.stage(image).await),
                Action::Install(Proven::Plugin(plugin)) if P::Plugins::ANY => {
                    done(self.stage_plugin(&plugin).await)
                }
                Action::Install(Proven::Plugin(_)) => Event::Failed(Failure::NoPlugin),
                Action::Finish(result) => return result,
            };
            if event == Event::Failed(Failure::LinkDown) {
                self.reach = Reach::Nothing;
            }
        }
    }

    /// Asks for blocks, over a new connection where the old one is gone.
    #[inline(never)]
    async fn request(&mut self, wanted: Wanted) -> Result<(), Failure> {
        if self.reach != Reach::Blocks {
            self.reach_blocks().await.map_err(|_| Failure::LinkDown)?;
        }
        let mut draft = draft(self.update.scratch());
        self.transport.request(wanted, &mut draft)?;
        talk::publish(&mut self.link, draft, Delivery::AtMostOnce).await
    }

    async fn reach_blocks(&mut self) -> Result<(), Failure> {
        self.connect().await?;
        let transport = &self.transport;
        talk::subscribe(&mut self.link, self.update.scratch(), |index, topic| {
            transport.subscription(index, topic)
        })
        .await?;
        self.reach = Reach::Blocks;
        Ok(())
    }

    /// Tells how far the download is; nobody waits for an answer.
    async fn report(&mut self, received: u32, total: u32) {
        let status = Status::Receiving { received, total };
        self.hooks.status(self.jobs.current(), &status);
        if let Err(why) = self.say(Say::Report(&status)).await {
            self.trouble(why);
        }
    }

    /// Hands the plugin to its host and its store.
    async fn stage_plugin(
        &mut self,
        plugin: &<P::Plugins as Plugins>::Proof,
    ) -> Result<(), Failure> {
        self.still_wanted().await?;
        self.take_in(plugin).await
    }

    /// While the file was read back nobody listened: was the job cancelled? A provider that does
    /// not answer has not cancelled anything.
    async fn still_wanted(&mut self) -> Result<(), Failure> {
        if self.reach != Reach::Nothing && self.refresh().await == Ok(Told::Over) {
            return Err(Failure::Cancelled);
        }
        Ok(())
    }

    /// Hands the image to the bootloader. The journal knows what is coming before the first flag
    /// is written, and that it is done after the last.
    #[inline(never)]
    async fn stage(&mut self, verified: Verified) -> Result<(), Failure> {
        self.still_wanted().await?;
        let proof =
            Proof { digest: verified.digest(), version: verified.version(), size: verified.size() };
        self.journal.prove(&mut self.flash, &proof).await?;
        self.journal.append(&mut self.flash, journal::Event::Staging).await?;
        self.boot.stage(&mut self.flash, verified).await?;
        self.journal.append(&mut self.flash, journal::Event::Staged).await
    }
}

fn region(slot: Region, journal: &journal::Journal, area: Area) -> Region {
    match area {
        Area::Slot => slot,
        // Without a record there are no marks, and an empty region refuses every access.
        Area::Marks => journal.marks().unwrap_or_default(),
    }
}

const fn done(result: Result<(), Failure>) -> Event {
    match result {
        Ok(()) => Event::Done,
        Err(why) => Event::Failed(why),
    }
}

/// Who messages are for while a download runs.
struct Ear<'a, T, J> {
    transport: &'a mut T,
    jobs: &'a mut J,
}

#[also_blocking]
impl<T: BlockProtocol, J: JobProtocol> Ear<'_, T, J> {
    /// Waits for a wanted block, or for news that end the wait.
    #[inline(never)]
    async fn listen<L: MessageLink, C: Clock>(
        mut self,
        link: &mut L,
        clock: &mut C,
        wanted: Wanted,
        into: &mut [u8],
        within_ms: u32,
    ) -> Event {
        let begun = clock.now_ms();
        loop {
            let after_ms = clock.now_ms().wrapping_sub(begun);
            let Some(left) = within_ms.checked_sub(after_ms).filter(|&left| left > 0) else {
                return Event::Silence;
            };
            let message = match link.receive(left).await {
                Ok(Some(message)) => message,
                Ok(None) => return Event::Silence,
                Err(LinkFault::TooLong) => return Event::Refused(Failure::MessageTooLong),
                Err(fault) => return Event::Failed(failure(fault)),
            };
            match self.transport.accept(message, wanted, into) {
                Arrival::Block { index, len } => {
                    let after_ms = clock.now_ms().wrapping_sub(begun);
                    return Event::Block { index, len, after_ms };
                }
                Arrival::Refused(why) => return Event::Refused(why),
                Arrival::Ignored(_) => {}
                Arrival::NotMine => {
                    let heard = self.jobs.hear(message);
                    if matches!(heard, Heard::Over) {
                        return Event::Failed(Failure::Cancelled);
                    }
                    // Cancelled, perhaps: the answer will tell. Anything else is progress that
                    // crossed another report, or a job for later.
                    if matches!(heard, Heard::Changed)
                        && let Err(why) = self.ask_current(link, into).await
                    {
                        return Event::Failed(why);
                    }
                }
            }
        }
    }

    async fn ask_current<L: MessageLink>(
        &mut self,
        link: &mut L,
        buffer: &mut [u8],
    ) -> Result<(), Failure> {
        let mut draft = draft(buffer);
        self.jobs.ask(Ask::Current, &mut draft)?;
        talk::publish(link, draft, Delivery::AtLeastOnce).await
    }
}
