//! The verifier: one pass over the file as read back, front to back.
//!
//! Every byte is hashed once; where the format's own hash ends, the hash is looked at on the way.
//! A [`Format`] says which bytes it wants to see and tells facts; here they are weighed.
//!
//! An image is refused for the first of these that is wrong:
//!
//! 1. the whole file against the digest in the job ([`Failure::Digest`]): a damaged download is
//!    called one, whatever else the damage looks like;
//! 2. the format ([`Failure::Format`]), and the digest inside it ([`Failure::Digest`]);
//! 3. signatures: one by a trusted key that does not hold ([`Failure::Signature`]), a required one
//!    that is missing ([`Failure::NoSignature`]) or by strangers only ([`Failure::NoTrustedKey`]);
//! 4. from signed bytes only: the board ([`Failure::SignedOtherBoard`], [`Failure::NoBoard`]), the
//!    version ([`Failure::SignedNotNewer`]), the security counter ([`Failure::Counter`]; an image
//!    without one has 0).

use core::marker::PhantomData;

use super::formats::{Fact, Format, HELD_MAX, Want};
use super::{
    Algorithms, Claim, Hash, Next, Proven, Rules, Verified, Verifier, signatures::Signatures,
};
use crate::{error::Failure, version::Version};

/// A verifier of one file format with the algorithms `A`, as in
/// `Native<formats::Mcuboot, (EcdsaP256,)>`.
#[derive(Clone, Debug)]
pub struct Native<F, A> {
    format: F,
    /// Of the whole file up to `at`.
    hash: Hash,
    found: Found,
    /// What the format waits for, and how much of it is still to come.
    want: Want,
    left: u32,
    /// What has come of a [`Want::Take`].
    held: heapless::Vec<u8, HELD_MAX>,
    /// Where the next read of the pass begins, and how long the one under way is.
    at: u32,
    asked: u32,
    chunk: u32,
    problem: Option<Failure>,
    algorithms: PhantomData<A>,
}

/// What the file says of itself. Believed once its signatures are.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    version: Version,
    counter: u32,
    /// Whether the board named is ours; `None`: none is named.
    board: Option<bool>,
    signatures: Signatures,
}

impl<F: Format, A: Algorithms> Native<F, A> {
    /// A verifier that has not started.
    pub fn new() -> Self {
        Native {
            format: F::default(),
            hash: Hash::new(),
            found: Found::default(),
            want: Want::End,
            left: 0,
            held: heapless::Vec::new(),
            at: 0,
            asked: 0,
            chunk: 0,
            problem: None,
            algorithms: PhantomData,
        }
    }

    /// What to read next; or the verdict, at the end of the file or as soon as it is certain.
    fn next(&mut self, rules: &Rules, claim: &Claim) -> Next<F::Plugin> {
        // With a digest in the job the whole file is read first: it tells damage from malice.
        if let (Some(problem), None) = (self.problem, claim.sha256) {
            return Next::Verdict(Err(problem));
        }
        let (offset, len) = match self.want {
            Want::Peek { offset, len } => (offset, len),
            _ if self.at < claim.size => (self.at, self.chunk.min(claim.size - self.at)),
            _ => return Next::Verdict(self.verdict(rules, claim)),
        };
        self.asked = len;
        Next::Read { offset, len }
    }

    /// Hashes the next bytes of the file and shows the format what it wants of them.
    fn pass(&mut self, rules: &Rules, mut bytes: &[u8]) {
        loop {
            let len = bytes.len().min(self.left as usize);
            let Some((piece, rest)) = bytes.split_at_checked(len) else { return };
            self.hash.update(piece);
            if let Want::Take(_) = self.want {
                // Cannot fail: a format takes at most HELD_MAX.
                let _ = self.held.extend_from_slice(piece);
            }
            self.left = self.left.saturating_sub(len as u32);
            bytes = rest;
            match self.want {
                _ if self.left > 0 => return,
                Want::End if bytes.is_empty() => return,
                Want::End => self.give_up(Failure::Format),
                _ => self.show(rules),
            }
        }
    }

    /// Shows the format what it asked for.
    fn show(&mut self, rules: &Rules) {
        let found = &mut self.found;
        let told =
            self.format.take(&self.held, &self.hash, &mut |fact| found.note::<A>(rules, fact));
        match told {
            Ok(want) => self.wait_for(want),
            Err(problem) => self.give_up(problem),
        }
    }

    fn wait_for(&mut self, want: Want) {
        self.want = want;
        self.held.clear();
        self.left = match want {
            Want::Take(len) if len as usize > HELD_MAX => return self.give_up(Failure::Format),
            Want::Take(len) | Want::Skip(len) => len,
            Want::Peek { .. } | Want::End => 0,
        };
    }

    /// The format is wrong; the rest of the file is hashed, no more.
    fn give_up(&mut self, problem: Failure) {
        self.problem = self.problem.or(Some(problem));
        self.wait_for(Want::Skip(u32::MAX));
    }

    /// The whole file was read: weighs it, in the order of the [module](self).
    #[inline(never)]
    fn verdict(&self, rules: &Rules, claim: &Claim) -> Result<Proven<F::Plugin>, Failure> {
        let digest = self.hash.so_far();
        if claim.sha256.is_some_and(|promised| promised != digest) {
            return Err(Failure::Digest);
        }
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if self.want != Want::End {
            return Err(Failure::Format);
        }
        let Found { version, counter, board, mut signatures } = self.found;
        if let Some((algorithm, value)) = &claim.signature {
            signatures.detached::<A>(rules, *algorithm, &digest, value);
        }
        signatures.verdict::<A>(rules)?;
        match board {
            Some(false) => return Err(Failure::SignedOtherBoard),
            None if rules.board_required => return Err(Failure::NoBoard),
            _ => {}
        }
        if version <= rules.running && !rules.older_allowed {
            return Err(Failure::SignedNotNewer);
        }
        if counter < rules.counter {
            return Err(Failure::Counter);
        }
        self.format.prove(claim, Verified { size: claim.size, digest, version })
    }
}

impl<F: Format, A: Algorithms> Default for Native<F, A> {
    fn default() -> Self {
        Self::new()
    }
}

impl Found {
    fn note<A: Algorithms>(&mut self, rules: &Rules, fact: Fact<'_>) {
        match fact {
            Fact::Version(version) => self.version = version,
            Fact::Counter(counter) => self.counter = counter,
            // Should a board be named twice, both must be ours.
            Fact::Board(name) => {
                self.board = Some(name == rules.board.as_bytes() && self.board != Some(false));
            }
            Fact::Signature { algorithm, key_id, signed, value } => {
                self.signatures.embedded::<A>(rules, algorithm, key_id, signed, value);
            }
            Fact::Payload { .. } | Fact::Other { .. } => {}
        }
    }
}

impl<F: Format, A: Algorithms> Verifier for Native<F, A> {
    type Plugin = F::Plugin;

    fn start(&mut self, rules: &Rules, claim: &Claim, chunk: u32) -> Next<F::Plugin> {
        // One by one: a whole new verifier would stand on the stack first.
        self.hash = Hash::new();
        self.found = Found::default();
        (self.at, self.asked, self.chunk) = (0, 0, chunk);
        self.problem = None;
        if chunk < 256 || !chunk.is_multiple_of(8) {
            return Next::Verdict(Err(Failure::Misconfigured));
        }
        match self.format.begin(claim.size) {
            Ok(want) => self.wait_for(want),
            Err(problem) => self.give_up(problem),
        }
        self.next(rules, claim)
    }

    fn feed(&mut self, rules: &Rules, claim: &Claim, bytes: &[u8]) -> Next<F::Plugin> {
        if bytes.len() != self.asked as usize {
            return Next::Verdict(Err(Failure::Read));
        }
        if let Want::Peek { .. } = self.want {
            match self.held.extend_from_slice(bytes) {
                Ok(()) => self.show(rules),
                Err(_) => self.give_up(Failure::Format),
            }
        } else {
            self.at = self.at.saturating_add(self.asked);
            self.pass(rules, bytes);
        }
        self.next(rules, claim)
    }
}
