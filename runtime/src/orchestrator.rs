//! The orchestrator: a device's whole conversation with its provider, its flash and its bootloader.
//!
//! ```text
//! boot ─ settle: journal, bootloader, digest of what runs ─┬─ trial ─► self-test ─► confirm ─┐
//!                                                          └─ settled ◄──────────────────────┘
//! connect ─► tell how the last update ended, until accepted
//!         ─► ask for a job ─► parsers ─► plan ─► decide ─┬─ reject ─► tell
//!                                                        ├─ defer ─► ask again later
//!                                                        └─ accept ─► tell ─► download ─► reset
//! ```
//! Everything that decides is pure and elsewhere: job protocol, parsers, [`Update`], verifier.
//! Here is the I/O, written once as `async`; [`run_blocking`](Orchestrator::run_blocking) runs the same
//! text without (see [`blocking`](crate::blocking)).
//!
//! What is `inline(never)` here and below was found so: one function of all that is called once keeps little
//! in registers and addresses everything from far away, and takes a twentieth more flash.

mod download;
mod plan;
mod plugins;
mod settle;
mod talk;
mod trial;

pub use plan::{PLACE_MAX, PROTOCOL_MAX, Plan, plan};

use crate::{
    blocking::ClockBlocking as _,
    error::Failure,
    hooks::Hooks,
    job::{Ask, JobProtocol, Status},
    journal::{Event, Journal},
    link::{Clock, MessageLink},
    pipeline::{Accept, Pipeline},
    plugin::{Content, Plugins},
    trace::info,
    transport::BlockProtocol,
    update::{Terms, Update, pace::Pace},
    verify::Rules,
    version::Version,
};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;
use plan::Outcome;
use settle::Standing;
use talk::{DRAFT_MAX, Reach, Say, Signal, Told};

/// What only the board can give.
#[derive(Debug)]
pub struct Parts<'t, F, L, C, H> {
    /// The device's name at the provider.
    pub thing: &'t str,
    /// The version that runs: what the signed bytes of the running image say.
    pub running: Version,
    /// The flash that `[board.NAME]` describes.
    pub flash: F,
    /// The connection to the broker.
    pub link: L,
    /// Time.
    pub clock: C,
    /// The application's part.
    pub hooks: H,
}

/// Why [`Orchestrator::run`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum End {
    /// [`Hooks::reset`] returned: start the bootloader.
    Reset,
}

/// A job that was offered, but for what the job protocol, the update and the transport know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offered {
    started: bool,
    /// Where it is to be taken: the fingerprint of its file.
    outcome: Outcome<[u8; 32]>,
}

/// A device that updates itself, by the pipeline `P` with a buffer of `BUFFER` bytes for blocks.
// In this order: the block buffer is the update's, at its end, and nothing is behind it.
#[derive(Debug)]
#[repr(C)]
pub struct Orchestrator<P: Pipeline, F, L, C, H, const BUFFER: usize> {
    reach: Reach,
    flash: F,
    link: L,
    clock: C,
    hooks: H,
    running: Version,
    /// When a deferred job is asked about again, by the clock; `None` while none is.
    deferred: Option<u32>,
    pace: Pace,
    parsers: P::Parsers,
    boot: P::Boot,
    plugins: P::Plugins,
    /// The offer that was heard last, thought through; its file is opened.
    offered: Option<Offered>,
    journal: Journal,
    jobs: P::Jobs,
    transport: P::Transport,
    update: Update<P::Verifier, BUFFER>,
}

#[also_blocking]
impl<P, F, L, C, H, const BUFFER: usize> Orchestrator<P, F, L, C, H, BUFFER>
where
    P: Pipeline,
    F: NorFlash,
    L: MessageLink,
    C: Clock,
    H: Hooks,
{
    /// Puts the parts together; does nothing yet.
    ///
    /// # Errors
    /// [`Failure::BadText`] where the provider would not allow the thing's name.
    #[inline(never)]
    pub fn new(mut parts: Parts<'_, F, L, C, H>) -> Result<Self, Failure> {
        const {
            assert!(
                (P::LAYOUT.write as usize).is_multiple_of(F::WRITE_SIZE)
                    && (P::LAYOUT.write as usize).is_multiple_of(F::READ_SIZE),
                "`write` in ota.toml is not a multiple of the flash driver's word"
            );
            assert!(
                (P::LAYOUT.erase as usize).is_multiple_of(F::ERASE_SIZE),
                "`erase` in ota.toml is not a multiple of the flash driver's erase unit"
            );
            assert!(BUFFER >= DRAFT_MAX && BUFFER >= P::BLOCK as usize, "the buffer is too small");
            assert!(P::LAYOUT.write <= 32, "`write` in ota.toml is above 32 bytes");
        }
        let layout = P::LAYOUT;
        let terms = Terms {
            write: layout.write,
            erase: layout.erase,
            rewrite: layout.rewrite,
            window: P::WINDOW,
            report_every: P::POLICY.report_every,
            retry: P::RETRY,
        };
        // FNV-1a: devices that start in the same instant must not ask in the same instant.
        let seed = parts.thing.bytes().fold(parts.clock.now_ms() ^ 0x811c_9dc5, |seed, byte| {
            (seed ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        Ok(Orchestrator {
            flash: parts.flash,
            link: parts.link,
            clock: parts.clock,
            hooks: parts.hooks,
            jobs: P::Jobs::new(parts.thing)?,
            parsers: P::parsers(),
            transport: P::Transport::new(parts.thing)?,
            boot: P::boot(),
            plugins: P::plugins(),
            journal: Journal::new(layout),
            running: parts.running,
            update: Update::new(
                P::verifier(),
                Rules { running: parts.running, ..P::RULES },
                terms,
                seed,
            ),
            pace: Pace::new(P::RETRY, seed.rotate_left(16)),
            reach: Reach::Nothing,
            offered: None,
            deferred: None,
        })
    }

    /// Runs the device: settles what the last boot left, then waits for jobs and installs them.
    /// Ends when the device is to be reset.
    #[inline(never)]
    pub async fn run(&mut self) -> End {
        if P::Plugins::ANY {
            self.bring_up_all().await;
        }
        let standing = match self.settle().await {
            Ok(Standing::Trial) => self.trial().await,
            standing => standing,
        };
        match standing {
            Ok(Standing::Reset) => return self.reset(),
            Ok(_) => {}
            Err(why) => self.trouble(why),
        }
        loop {
            match self.serve().await {
                Ok(End::Reset) => return self.reset(),
                Err(why) => self.trouble(why),
            }
            self.reach = Reach::Nothing;
            let ms = self.pace.pause();
            self.clock.wait_ms(ms).await;
        }
    }

    /// The parts again, as after [`End::Reset`] on a simulated device.
    pub fn into_parts(self) -> (F, L, C, H) {
        (self.flash, self.link, self.clock, self.hooks)
    }

    fn trouble(&mut self, why: Failure) {
        info!("trouble: {}", why.text());
        self.hooks.trouble(why);
    }

    fn reset(&mut self) -> End {
        info!("reset");
        self.hooks.reset();
        End::Reset
    }

    /// Serves the provider while the link stands. An error ends the connection.
    #[inline(never)]
    async fn serve(&mut self) -> Result<End, Failure> {
        self.connect().await?;
        self.pace.reset();
        loop {
            self.tell_ending().await?;
            self.ask_next().await?;
            let heard = self.pace.patience(false).max(1000);
            let mut next_ask = self.clock.now_ms().wrapping_add(heard);
            // Until it is time to ask again, or a job was dealt with.
            loop {
                let left = next_ask.wrapping_sub(self.clock.now_ms());
                if left as i32 <= 0 {
                    break;
                }
                match self.pump(left, true).await? {
                    Signal::Offer => match self.offered.take() {
                        Some(offer) if matches!(offer.outcome, Outcome::Later) => {
                            self.pace.reset();
                            next_ask = self.next_poll();
                        }
                        Some(offer) => {
                            self.pace.reset();
                            let mut dealt = self.deal(&offer).await;
                            if P::Plugins::ANY && dealt != Ok(Standing::Reset) {
                                dealt = self.tend(&offer.outcome, dealt).await;
                            }
                            if dealt? == Standing::Reset {
                                return Ok(End::Reset);
                            }
                            break;
                        }
                        None => {}
                    },
                    Signal::NoJob => {
                        self.pace.reset();
                        next_ask = self.next_poll();
                    }
                    Signal::Silence => {
                        self.pace.silence();
                        break;
                    }
                    _ => {}
                }
            }
        }
    }

    /// When to ask again while nothing is pushed: the poll, or the end of a deferral.
    fn next_poll(&mut self) -> u32 {
        let now = self.clock.now_ms();
        let poll = P::POLICY.poll_ms.min(i32::MAX as u32);
        let wait = match self.deferred {
            Some(until) => poll.min(until.wrapping_sub(now).min(poll)),
            None => poll,
        };
        now.wrapping_add(wait)
    }

    async fn ask_next(&mut self) -> Result<(), Failure> {
        // Asking to start would take the decision out of the hook's hands.
        let ask = match P::POLICY.accept {
            Accept::Always => Ask::Start,
            Accept::Ask => Ask::Peek,
        };
        self.say(Say::Ask(ask)).await
    }

    /// Takes, refuses or puts off one job.
    async fn deal(&mut self, offer: &Offered) -> Result<Standing, Failure> {
        self.jobs.take()?;
        match &offer.outcome {
            Outcome::Take(fingerprint) => {
                if !offer.started {
                    match self.tell(&Status::Started, 3).await? {
                        Told::Yes => {}
                        Told::Over | Told::Refused(_) => return Ok(Standing::Settled),
                        Told::NoAnswer => return Err(Failure::NoAnswer),
                    }
                }
                self.hooks.status(self.jobs.current(), &Status::Started);
                Ok(match (self.install(fingerprint).await?, self.update.content()) {
                    (Ok(()), Content::Image) => Standing::Reset,
                    // A plugin runs already; the provider offers its job again, for what else is
                    // in it.
                    (Ok(()), _) | (Err(_), _) => Standing::Settled,
                })
            }
            Outcome::Refuse(why, note) => {
                info!("job {} refused: {}", self.jobs.current(), why.text());
                self.tell_final(&Status::Rejected { why: *why, note: &note.0 }).await?;
                Ok(Standing::Settled)
            }
            // What is about plugins is done behind this.
            Outcome::Here | Outcome::Order(_) | Outcome::Later => Ok(Standing::Settled),
        }
    }

    /// Tells the provider how the recorded update ended, where it does not know yet.
    async fn tell_ending(&mut self) -> Result<(), Failure> {
        let Some(record) = self.journal.record() else { return Ok(()) };
        let from = record.from;
        let (status, why) = match self.journal.last() {
            Some(Event::Succeeded) => (Status::Succeeded { running: self.running, from }, None),
            Some(Event::Failed(why)) => (Status::Failed { why, note: "" }, Some(why)),
            _ => return Ok(()),
        };
        let known = self.jobs.current() == record.job;
        if !known {
            // Only the journal remembers this job: its state at the provider must be asked for.
            self.jobs.adopt(&record.job)?;
        }
        if known || !matches!(self.refresh().await?, Told::Over) {
            self.tell_final(&status).await?;
        }
        self.journal.append(&mut self.flash, Event::Told(why)).await
    }
}
