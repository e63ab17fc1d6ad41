//! After a boot: what runs now, and what became of the recorded update?
//!
//! Three witnesses: the journal (what was intended), the digest of the running image (what is),
//! the bootloader's flags (what it thinks). The digest has the last word on *which* image runs,
//! since a cut inside a bootloader's own flag handling can make its flags lie; the flags only say
//! whether it is still on trial.
//!
//! | last event | new image runs | old image runs, flags: staged | old image runs, otherwise |
//! |---|---|---|---|
//! | staging | trial | reset, once | stage again when the job comes |
//! | staged | trial | reset, once | failed: reverted or not booted |
//! | tried | trial | failed: not booted | failed: reverted or not booted |
//! | testing | trial | failed: reverted | failed: reverted |
//! | test failed | failed: why (no way back) | failed: why | failed: why |

use super::Orchestrator;
use crate::{
    boot::{Boot, BootState},
    error::Failure,
    flash,
    hooks::Hooks,
    journal::{Event, Proof},
    link::{Clock, MessageLink},
    pipeline::Pipeline,
    trace::info,
    verify::Hash,
};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

/// How the device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing is going on.
    Settled,
    /// A new image runs and has to prove itself.
    Trial,
    /// A reset is due.
    Reset,
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
    #[inline(never)]
    pub(super) async fn settle(&mut self) -> Result<Standing, Failure> {
        self.journal.open(&mut self.flash).await?;
        let Some(last) = self.journal.last() else { return Ok(Standing::Settled) };
        let Some(proof) = self.journal.proof() else { return Ok(Standing::Settled) };
        if matches!(last, Event::Succeeded | Event::Failed(_) | Event::Told(_)) {
            return Ok(Standing::Settled);
        }
        let runs = self.runs(&proof).await?;
        let state = self.boot.state(&mut self.flash).await?;
        info!("the staged image runs: {}", runs);
        let mut standing = Standing::Settled;
        let event = match (last, runs, state) {
            (Event::TestFailed(why), ..) => Event::Failed(why),
            (_, true, _) => return Ok(Standing::Trial),
            (Event::Staging | Event::Staged, false, BootState::Staged) => {
                standing = Standing::Reset;
                Event::Tried
            }
            (Event::Staging, false, _) => return Ok(Standing::Settled),
            (Event::Testing, false, _) | (_, false, BootState::Reverted) => {
                Event::Failed(Failure::Reverted)
            }
            (_, false, _) => Event::Failed(Failure::NotBooted),
        };
        self.journal.append(&mut self.flash, event).await?;
        Ok(standing)
    }

    /// Whether the proved image is the one that runs, by its digest.
    async fn runs(&mut self, proof: &Proof) -> Result<bool, Failure> {
        let base = P::LAYOUT.base;
        if proof.size > base.len {
            return Ok(false);
        }
        let mut hash = Hash::new();
        let mut at = 0;
        while at < proof.size {
            let scratch = self.update.scratch();
            let len = (proof.size - at).min(scratch.len() as u32);
            // Whole words: up to 7 bytes behind the image may come along.
            let words = len.next_multiple_of(8).min(base.len - at) as usize;
            let into = scratch.get_mut(..words).unwrap_or_default();
            flash::read(&mut self.flash, base, at, into).await?;
            hash.update(into.get(..len as usize).unwrap_or_default());
            at += len;
        }
        Ok(hash.so_far() == proof.digest)
    }
}
