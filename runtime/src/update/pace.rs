//! How long to wait for a block, and how long before asking again.
//!
//! Without a clock: all it knows is how long each wait took. The first block after a request
//! measures the round trip (smoothed as in RFC 6298); another one without a block means that what
//! is missing was lost. While nothing at all comes, waits double, lengthened by jitter so that a
//! fleet does not ask in step.

use crate::pipeline::Retry;

/// Shortest wait: timers of small systems tick in about this.
const LEAST_MS: u32 = 20;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    retry: Retry,
    /// Smoothed round trip in milliseconds; `None` until measured.
    round_trip: Option<u32>,
    /// Whether a block came since the last request.
    answered: bool,
    /// Requests in a row that nothing answered.
    silent: u16,
    random: u32,
}

impl Pace {
    pub(crate) const fn new(retry: Retry, seed: u32) -> Self {
        // xorshift stands still at 0.
        Pace { retry, round_trip: None, answered: false, silent: 0, random: seed | 1 }
    }

    #[inline(never)]
    pub(crate) fn reset(&mut self) {
        self.round_trip = None;
        self.silent = 0;
    }

    pub(crate) fn asked(&mut self) {
        self.answered = false;
    }

    pub(crate) fn heard(&mut self, after_ms: u32) {
        if !self.answered {
            // An answer to a repeated request cannot be told from a late one to the first: no
            // measure (Karn).
            if self.silent == 0 {
                self.round_trip = Some(match self.round_trip {
                    None => after_ms,
                    Some(known) => known - known / 8 + after_ms / 8,
                });
            }
            self.answered = true;
        }
        self.silent = 0;
    }

    /// Milliseconds to wait for the next block; `ended` when the window's last block is here.
    pub(crate) fn patience(&mut self, ended: bool) -> u32 {
        let Some(round_trip) = self.round_trip.filter(|_| self.silent == 0) else {
            return self.backoff();
        };
        let trips = match (self.answered, ended) {
            (false, _) => round_trip.saturating_mul(2),
            // Blocks of one request follow each other closely; a trip without one is a gap.
            (true, false) => round_trip,
            (true, true) => round_trip / 2,
        };
        trips.saturating_add(LEAST_MS).min(self.retry.after_ms.max(LEAST_MS))
    }

    /// Notes that nothing came; whether to go on.
    pub(crate) fn silence(&mut self) -> bool {
        if self.answered {
            return true;
        }
        self.silent = self.silent.saturating_add(1);
        self.round_trip = None;
        self.retry.attempts == 0 || self.silent < self.retry.attempts
    }

    /// Milliseconds to pause when there is no link, or no welcome.
    pub(crate) fn pause(&mut self) -> u32 {
        let ms = self.backoff();
        self.silent = self.silent.saturating_add(1).min(self.last_silent());
        ms
    }

    // A link that is down must not use up the attempts of a provider that does not answer.
    const fn last_silent(&self) -> u16 {
        match self.retry.attempts {
            0 => u16::MAX,
            attempts => attempts.saturating_sub(1),
        }
    }

    fn backoff(&mut self) -> u32 {
        let doubled = self.retry.after_ms.saturating_mul(1 << self.silent.min(16));
        let base = doubled.clamp(LEAST_MS, self.retry.at_most_ms.max(LEAST_MS));
        // In two parts, since a division of 64 bits is a library call on a small core.
        let percent = u32::from(self.retry.jitter_percent);
        let most =
            u64::from(base / 100) * u64::from(percent) + u64::from(base % 100 * percent / 100);
        let extra = (u64::from(self.random()) * most) >> 32;
        base.saturating_add(extra as u32)
    }

    fn random(&mut self) -> u32 {
        // xorshift32 (Marsaglia 2003): spreads a fleet, guards nothing.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }
}
