//! What is proved of a plugin, and how images and plugins are told apart.
//!
//! The job's claim says which of the two a file is to be, and the signed bytes must say the same. An
//! image is weighed by the rules for images and a plugin by those for plugins, with keys of their
//! own: whoever may sign plugins may not sign firmware, unless their key is listed for both.

use super::{Claim, Next, Rules, Verified, Verifier};
use crate::{
    error::Failure,
    plugin::{Content, Facts, NAME_MAX},
};
use heapless::String;

/// Proof that a plugin is whole, authentic and a plugin. Whether it is newer than the one it takes
/// the place of is for the store to say, which knows that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPlugin {
    name: String<NAME_MAX>,
    facts: Facts,
    size: u32,
    digest: [u8; 32],
}

impl VerifiedPlugin {
    pub(super) fn new(name: String<NAME_MAX>, facts: Facts, file: Verified) -> Self {
        VerifiedPlugin { name, facts, size: file.size(), digest: file.digest() }
    }

    /// Its name, from signed bytes: that of the slot it is for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What else the signed bytes say.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Length of the file, in bytes: the module and what is signed of it.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// SHA-256 of the file.
    pub const fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// Images by the verifier `I`, plugins by the verifier `P`.
#[derive(Clone, Debug)]
pub struct ByContent<I, P> {
    images: I,
    plugins: P,
    rules: &'static Rules,
    /// Whether a plugin is looked at.
    plugin: bool,
}

impl<I, P> ByContent<I, P> {
    /// A verifier that weighs plugins by these rules; those for images come with each question.
    pub const fn new(images: I, plugins: P, rules: &'static Rules) -> Self {
        ByContent { images, plugins, rules, plugin: false }
    }
}

impl<I, P> Verifier for ByContent<I, P>
where
    I: Verifier<Plugin = core::convert::Infallible>,
    P: Verifier,
{
    type Plugin = P::Plugin;

    fn start(&mut self, rules: &Rules, claim: &Claim, chunk: u32) -> Next<P::Plugin> {
        self.plugin = claim.content != Content::Image;
        match self.plugin {
            true => only_plugin(self.plugins.start(self.rules, claim, chunk)),
            false => only_image(self.images.start(rules, claim, chunk)),
        }
    }

    fn feed(&mut self, rules: &Rules, claim: &Claim, bytes: &[u8]) -> Next<P::Plugin> {
        match self.plugin {
            true => only_plugin(self.plugins.feed(self.rules, claim, bytes)),
            false => only_image(self.images.feed(rules, claim, bytes)),
        }
    }
}

fn only_image<P>(next: Next<core::convert::Infallible>) -> Next<P> {
    use super::Proven::{Image, Plugin};
    match next {
        Next::Read { offset, len } => Next::Read { offset, len },
        Next::Verdict(Ok(Image(image))) => Next::Verdict(Ok(Image(image))),
        Next::Verdict(Ok(Plugin(never))) => match never {},
        Next::Verdict(Err(why)) => Next::Verdict(Err(why)),
    }
}

/// The rules for plugins admit no image.
fn only_plugin<P>(next: Next<P>) -> Next<P> {
    match next {
        Next::Verdict(Ok(super::Proven::Image(_))) => Next::Verdict(Err(Failure::Format)),
        next => next,
    }
}
