//! The trial of a new image: self-test, then confirm, or leave it.

use super::{
    Orchestrator, Standing,
    talk::{Reach, Told},
};
use crate::{
    blocking::ClockBlocking as _,
    boot::Boot,
    error::Failure,
    hooks::{Hooks, SelfTest},
    job::{JobProtocol, Status},
    journal::Event,
    link::{Clock, MessageLink},
    pipeline::Pipeline,
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
    /// Asks the hook until it has an answer, or until `confirm-within` is over.
    pub(super) async fn trial(&mut self) -> Result<Standing, Failure> {
        if self.journal.last() != Some(Event::Testing) {
            self.journal.append(&mut self.flash, Event::Testing).await?;
        }
        let begun = self.clock.now_ms();
        let event = loop {
            let spent = self.clock.now_ms().wrapping_sub(begun);
            let left = P::POLICY.confirm_within_ms.saturating_sub(spent);
            match self.hooks.self_test(self.reach != Reach::Nothing) {
                SelfTest::Passed => {
                    self.boot.confirm(&mut self.flash).await?;
                    break Event::Succeeded;
                }
                SelfTest::Failed => break Event::TestFailed(Failure::SelfTest),
                SelfTest::Running { .. } if left == 0 => {
                    break Event::TestFailed(Failure::SelfTestLate);
                }
                SelfTest::Running { ms } if self.reach != Reach::Nothing => {
                    if self.pump(ms.min(left), false).await.is_err() {
                        self.reach = Reach::Nothing;
                    }
                }
                SelfTest::Running { ms } => {
                    // To reach the provider is part of most self-tests; to fail at it is none of
                    // its business.
                    if self.tell_testing().await.is_err() {
                        self.reach = Reach::Nothing;
                        self.clock.wait_ms(ms.min(left)).await;
                    }
                }
            }
        };
        self.journal.append(&mut self.flash, event).await?;
        Ok(if event == Event::Succeeded { Standing::Settled } else { Standing::Reset })
    }

    async fn tell_testing(&mut self) -> Result<(), Failure> {
        self.connect().await?;
        let Some(record) = self.journal.record() else { return Ok(()) };
        let status = Status::Testing { from: record.from };
        self.jobs.adopt(&record.job)?;
        self.hooks.status(self.jobs.current(), &status);
        if matches!(self.refresh().await?, Told::Yes) {
            self.tell(&status, 1).await?;
        }
        Ok(())
    }
}
