//! Plugins: brought up after a boot, taken in when they were downloaded, ordered about.

use super::{Orchestrator, plan::Outcome, settle::Standing};
use crate::{
    error::Failure,
    flash,
    hooks::Hooks,
    job::{JobProtocol, Status},
    journal::Event,
    layout::Region,
    link::{Clock, MessageLink},
    parser::Chain,
    pipeline::Pipeline,
    plugin::{
        Plug,
        order::Order,
        slots::{Held, Plugins},
        store::State,
    },
    trace::info,
    transport::BlockProtocol,
    verify::{Claim, Hash, Next, Proven, Verifier},
    wire::Writer,
};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

#[also_blocking]
impl<P, F, L, C, H, const BUFFER: usize> Orchestrator<P, F, L, C, H, BUFFER>
where
    P: Pipeline,
    F: NorFlash,
    L: MessageLink,
    C: Clock,
    H: Hooks,
{
    /// Hands every plugin in the store to its host. One that does not verify or is refused is left
    /// out, and the device goes on without it.
    pub(super) async fn bring_up_all(&mut self) {
        if let Err(why) = self.plugins.open(&mut self.flash).await {
            return self.trouble(why);
        }
        for slot in 0..self.plugins.names().len() as u8 {
            self.bring_up(slot).await;
        }
    }

    async fn bring_up(&mut self, slot: u8) {
        let Some(Held { file, state: State::Active, .. }) = self.plugins.held(slot) else { return };
        let result = match self.prove(file).await {
            Ok(plugin) => self.load(slot, file, &plugin).await,
            Err(why) => Err(why),
        };
        if let Err(why) = result {
            self.trouble(why);
        }
    }

    /// Behind a job that was dealt with: does what an order says, and sees to the plugins that the job
    /// has ended.
    pub(super) async fn tend(
        &mut self,
        outcome: &Outcome<[u8; 32]>,
        mut dealt: Result<Standing, Failure>,
    ) -> Result<Standing, Failure> {
        let order = match outcome {
            // What it brings is here: which plugins there are now is the answer.
            Outcome::Here => Some(Order::List),
            Outcome::Order(order) => Some(*order),
            _ => None,
        };
        if let (Some(order), Ok(_)) = (order, &dealt) {
            dealt = self.obey(order).await.map(|()| Standing::Settled);
        }
        self.raise_fallen().await;
        dealt
    }

    /// Brings up again what ended by itself: out of memory, or of no use after a call that broke off.
    /// What ended it is reported, and bounded by [`Plugins::attend`].
    async fn raise_fallen(&mut self) {
        for slot in 0..self.plugins.names().len() as u8 {
            let checked = self.plug(slot, Plug::Check);
            if self.plugins.attend(slot, checked.is_ok())
                && let Err(why) = checked
            {
                info!("plugin {}: brought up again", slot);
                self.trouble(why);
                self.bring_up(slot).await;
            }
        }
    }

    /// Verifies a plugin in the store, as read back.
    async fn prove(&mut self, file: Region) -> Result<<P::Plugins as Plugins>::Proof, Failure> {
        let claim = Claim::plugin(file.len);
        let chunk = (self.update.scratch().len() & !7) as u32;
        let (verifier, rules, _) = self.update.verifier();
        let mut next = verifier.start(rules, &claim, chunk);
        loop {
            match next {
                Next::Read { offset, len } => {
                    let (verifier, rules, buffer) = self.update.verifier();
                    read_words(&mut self.flash, file, offset, len, buffer).await?;
                    let bytes = buffer.get(..len as usize).unwrap_or_default();
                    next = verifier.feed(rules, &claim, bytes);
                }
                Next::Verdict(Ok(Proven::Plugin(plugin))) => return Ok(plugin),
                Next::Verdict(Ok(Proven::Image(_))) => return Err(Failure::Format),
                Next::Verdict(Err(why)) => return Err(why),
            }
        }
    }

    /// Hands a verified file to the host of `slot`.
    async fn load(
        &mut self,
        slot: u8,
        file: Region,
        plugin: &<P::Plugins as Plugins>::Proof,
    ) -> Result<(), Failure> {
        let result = self.hand_over(slot, file, plugin).await;
        if result.is_err() {
            let _ = self.plug(slot, Plug::Stop);
        }
        result
    }

    /// Flash is read once more for it, and flash may answer otherwise than when the file was verified:
    /// so all of the file is hashed again on the way, and the host runs the module only where it is
    /// still the file that was proved.
    async fn hand_over(
        &mut self,
        slot: u8,
        file: Region,
        plugin: &<P::Plugins as Plugins>::Proof,
    ) -> Result<(), Failure> {
        let facts = P::Plugins::facts(plugin);
        self.plug(slot, Plug::Begin(facts))?;
        let (size, digest) = P::Plugins::file(plugin);
        let mut hash = Hash::new();
        let mut at = 0;
        while at < size {
            let buffer = self.update.scratch();
            let len = (size - at).min((buffer.len() & !7) as u32);
            read_words(&mut self.flash, file, at, len, buffer).await?;
            let bytes = buffer.get(..len as usize).unwrap_or_default();
            hash.update(bytes);
            // The module comes first; what is signed of it stands behind.
            let module = facts.len.saturating_sub(at).min(len) as usize;
            let step = Plug::Bytes(bytes.get(..module).unwrap_or_default());
            if module > 0 {
                plug(&mut self.parsers, &mut self.transport, &mut self.jobs, slot, step)?;
            }
            at += len;
        }
        if hash.so_far() != digest {
            return Err(Failure::Digest);
        }
        self.plug(slot, Plug::Start)
    }

    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Result<(), Failure> {
        plug(&mut self.parsers, &mut self.transport, &mut self.jobs, slot, step)
    }

    /// Puts a plugin that was downloaded and verified into its slot. Its host has the first word: a
    /// plugin that it refuses never is in the store, and the one before goes on.
    pub(super) async fn take_in(
        &mut self,
        plugin: &<P::Plugins as Plugins>::Proof,
    ) -> Result<(), Failure> {
        let slot = self.plugins.admit(plugin)?;
        let fingerprint = self.journal.record().ok_or(Failure::Misconfigured)?.fingerprint;
        let file = self.plugins.room().region;
        let mut result = self.load(slot, file, plugin).await;
        if result.is_ok() {
            result = self.plugins.commit(&mut self.flash, plugin, &fingerprint).await;
        }
        match result {
            Ok(()) => {
                self.plugins.attend(slot, true);
            }
            Err(_) => {
                let _ = self.plug(slot, Plug::Stop);
                self.bring_up(slot).await;
            }
        }
        result
    }

    /// Does what an order says and tells the provider.
    async fn obey(&mut self, order: Order) -> Result<(), Failure> {
        let result = match order {
            Order::List => Ok(()),
            Order::Set(slot, state) => self.set(slot, state).await,
        };
        let mut text = [0; 160];
        let note = self.list(&mut text);
        let status = match result {
            Ok(()) => Status::Done { note },
            Err(why) => Status::Failed { why, note },
        };
        self.tell_final(&status).await
    }

    async fn set(&mut self, slot: u8, state: State) -> Result<(), Failure> {
        info!("plugin {}: an order", slot);
        // A download that was left half done may lose its room.
        if self.journal.record().is_some() && self.journal.last().is_none() {
            let given_up = Event::Told(Some(Failure::Cancelled));
            self.journal.append(&mut self.flash, given_up).await?;
        }
        self.plugins.set(&mut self.flash, slot, state).await?;
        self.plugins.attend(slot, true);
        let _ = self.plug(slot, Plug::Stop);
        self.bring_up(slot).await;
        Ok(())
    }

    /// Which plugins there are: `acme 1.2.0, site 0.3.1 disabled`.
    pub(super) fn list<'t>(&self, text: &'t mut [u8]) -> &'t str {
        let mut used = 0;
        for (slot, name) in (0..).zip(self.plugins.names()) {
            let rest = text.get_mut(used..).unwrap_or_default();
            let mut to = Writer::new(rest);
            if used > 0 {
                to.text(", ");
            }
            to.text(name);
            let state = match self.plugins.held(slot) {
                None | Some(Held { state: State::Removed, .. }) => " none",
                Some(Held { version, state, .. }) => {
                    to.text(" ");
                    to.number(version.major.into());
                    to.text(".");
                    to.number(version.minor.into());
                    to.text(".");
                    to.number(version.revision.into());
                    if state == State::Disabled { " disabled" } else { "" }
                }
            };
            to.text(state);
            // What does not fit is left out whole.
            match to.finish() {
                Ok(written) => used += written.len(),
                Err(_) => break,
            }
        }
        let text = text.get(..used).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

/// Takes a step with whoever hosts `slot`.
fn plug(
    parsers: &mut impl Chain,
    transport: &mut impl BlockProtocol,
    jobs: &mut impl JobProtocol,
    slot: u8,
    step: Plug<'_>,
) -> Result<(), Failure> {
    let hosted = parsers.plug(slot, step);
    let hosted = hosted.or_else(|| transport.plug(slot, step));
    hosted.or_else(|| jobs.plug(slot, step)).unwrap_or(Err(Failure::NoPlugin))
}

/// Reads whole words: up to 7 bytes behind the `len` asked for come along.
#[also_blocking]
async fn read_words<F: NorFlash>(
    flash: &mut F,
    file: Region,
    offset: u32,
    len: u32,
    into: &mut [u8],
) -> Result<(), Failure> {
    // Behind a file in the store there is room, for its records if for nothing else.
    let file = Region { len: file.len.next_multiple_of(8), ..file };
    let words = into.get_mut(..len.next_multiple_of(8) as usize).ok_or(Failure::Bounds)?;
    flash::read(flash, file, offset, words).await
}
