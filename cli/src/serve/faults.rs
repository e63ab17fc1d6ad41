//! A nasty link on purpose: what the provider sends gets lost, doubled, swapped or damaged, the same
//! way for the same seed and the same messages.
//!
//! Data messages of streams suffer all four; replies of jobs are lost or doubled. Pushes and
//! everything else pass.

use crate::provider::Outgoing;

/// Probabilities from 0 to 1, per message.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) loss: f64,
    pub(crate) dup: f64,
    pub(crate) reorder: f64,
    pub(crate) corrupt: f64,
}

/// The filter between the provider and the broker.
#[derive(Debug)]
pub(crate) struct Faults {
    rates: Rates,
    random: SplitMix,
    /// A data message that lets the next one overtake it.
    held: Option<Outgoing>,
}

impl Faults {
    pub(crate) fn new(rates: Rates, seed: u64) -> Self {
        Self { rates, random: SplitMix(seed), held: None }
    }

    /// What arrives of these messages.
    pub(crate) fn apply(&mut self, messages: Vec<Outgoing>) -> Vec<Outgoing> {
        if self.rates == Rates::default() {
            return messages;
        }
        let mut out = Vec::with_capacity(messages.len());
        for message in messages {
            self.one(message, &mut out);
        }
        out
    }

    /// What was held back and nothing overtook.
    pub(crate) fn flush(&mut self) -> Option<Outgoing> {
        self.held.take()
    }

    fn one(&mut self, mut message: Outgoing, out: &mut Vec<Outgoing>) {
        let data = message.topic.contains("/streams/") && message.topic.contains("/data/");
        let reply = message.topic.ends_with("/accepted") || message.topic.ends_with("/rejected");
        if !data && !reply {
            out.push(message);
            return;
        }
        if self.random.happens(self.rates.loss) {
            return;
        }
        if data && self.random.happens(self.rates.corrupt) && !message.payload.is_empty() {
            let bit = self.random.next() as usize % (message.payload.len() * 8);
            message.payload[bit / 8] ^= 1 << (bit % 8);
        }
        if self.random.happens(self.rates.dup) {
            out.push(message.clone());
        }
        if data && self.held.is_none() && self.random.happens(self.rates.reorder) {
            self.held = Some(message);
            return;
        }
        out.push(message);
        if data {
            out.extend(self.held.take());
        }
    }
}

/// Sebastiano Vigna's SplitMix64: small, and the same everywhere.
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True with this probability; 53 random bits are all a double can hold.
    fn happens(&mut self, probability: f64) -> bool {
        ((self.next() >> 11) as f64) < probability * (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(topic: &str) -> Vec<Outgoing> {
        (0..1000u32)
            .map(|i| Outgoing {
                topic: topic.to_owned(),
                payload: i.to_be_bytes().to_vec(),
                acknowledged: false,
            })
            .collect()
    }

    const DATA: &str = "$aws/things/a/streams/s/data/cbor";
    const REPLY: &str = "$aws/things/a/jobs/j/update/accepted";

    fn through(rates: Rates, topic: &str) -> Vec<Outgoing> {
        Faults::new(rates, 1).apply(messages(topic))
    }

    #[test]
    fn no_faults_change_nothing() {
        assert_eq!(through(Rates::default(), DATA), messages(DATA));
    }

    #[test]
    fn rates_are_kept_roughly_and_certainty_exactly() {
        let lossy = through(Rates { loss: 0.3, ..Rates::default() }, DATA).len();
        assert!((650..750).contains(&lossy), "{lossy} of 1000 at 30 % loss");
        assert_eq!(through(Rates { loss: 1.0, ..Rates::default() }, DATA), []);
        assert_eq!(through(Rates { dup: 1.0, ..Rates::default() }, REPLY).len(), 2000);
    }

    #[test]
    fn reorder_swaps_and_loses_nothing() {
        let mut faults = Faults::new(Rates { reorder: 0.3, ..Rates::default() }, 1);
        let mut out = faults.apply(messages(DATA));
        out.extend(faults.flush());
        assert_ne!(out, messages(DATA));
        out.sort_by(|a, b| a.payload.cmp(&b.payload));
        assert_eq!(out, messages(DATA));
    }

    #[test]
    fn corrupt_flips_one_bit() {
        let out = through(Rates { corrupt: 1.0, ..Rates::default() }, DATA);
        for (before, after) in messages(DATA).iter().zip(&out) {
            let flipped = before.payload.iter().zip(&after.payload).map(|(a, b)| a ^ b);
            assert_eq!(flipped.map(u8::count_ones).sum::<u32>(), 1);
        }
    }

    #[test]
    fn replies_are_not_damaged_and_pushes_not_touched() {
        let rates = Rates { reorder: 1.0, corrupt: 1.0, ..Rates::default() };
        assert_eq!(through(rates, REPLY), messages(REPLY));
        let all = Rates { loss: 1.0, dup: 1.0, reorder: 1.0, corrupt: 1.0 };
        let push = "$aws/things/a/jobs/notify-next";
        assert_eq!(through(all, push), messages(push));
    }

    #[test]
    fn the_seed_decides() {
        let rates = Rates { loss: 0.5, dup: 0.5, reorder: 0.5, corrupt: 0.5 };
        let run = |seed| Faults::new(rates, seed).apply(messages(DATA));
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }
}
