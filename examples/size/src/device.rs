//! The whole device path: what `orchestrator!` makes of this folder's `ota.toml`, run to its end.
//!
//! Only the signature algorithms are a parameter, so that their price can be told.

use core::hint::black_box;
use core::marker::PhantomData;

use coreota::{
    End, Layout, Orchestrator, Parts, Pipeline, Policy, Retry,
    blocking::{Ready, block_on},
    descriptor::Algorithm,
    verify::{Algorithms, EcdsaP256, Ed25519, Key, Native, Rules, formats::Mcuboot},
};

use crate::board::{App, Flash, Link, Time, running, text};

coreota::orchestrator!("ota.toml");

/// A device that verifies with the algorithms `A`.
pub type Device<A> =
    Orchestrator<Weighed<A>, Ready<Flash>, Ready<Link>, Ready<Time>, App, { ota::BLOCK_SIZE }>;

/// Algorithms, and the keys for them.
pub trait Trust: Algorithms {
    /// What is required; by default what `ota.toml` says.
    const REQUIRE: &[Algorithm] = ota::Pipeline::RULES.require;
    /// The trusted keys; by default those of `ota.toml`.
    const KEYS: &'static [Key] = ota::Pipeline::RULES.keys;
}

impl Trust for (EcdsaP256,) {}

impl Trust for (Ed25519,) {
    const REQUIRE: &[Algorithm] = &[Algorithm::Ed25519];
    const KEYS: &'static [Key] =
        &[Key { id: "release", algorithm: Algorithm::Ed25519, bytes: &[9; 32] }];
}

/// The pipeline of `ota.toml`, but for its algorithms.
pub struct Weighed<A>(PhantomData<A>);

impl<A: Trust> Pipeline for Weighed<A> {
    type Jobs = <ota::Pipeline as Pipeline>::Jobs;
    type Parsers = <ota::Pipeline as Pipeline>::Parsers;
    type Transport = <ota::Pipeline as Pipeline>::Transport;
    type Verifier = Native<Mcuboot, A>;
    type Boot = <ota::Pipeline as Pipeline>::Boot;

    const LAYOUT: Layout = ota::Pipeline::LAYOUT;
    const POLICY: Policy = ota::Pipeline::POLICY;
    const RETRY: Retry = ota::Pipeline::RETRY;
    const RULES: Rules = Rules { require: A::REQUIRE, keys: A::KEYS, ..ota::Pipeline::RULES };
    const WINDOW: u32 = ota::Pipeline::WINDOW;
    const BLOCK: u32 = ota::Pipeline::BLOCK;

    fn parsers() -> Self::Parsers {
        ota::Pipeline::parsers()
    }
    fn verifier() -> Self::Verifier {
        Native::new()
    }
    fn boot() -> Self::Boot {
        ota::Pipeline::boot()
    }

    type Plugins = coreota::plugin::NoPlugins;

    fn plugins() -> Self::Plugins {
        coreota::plugin::NoPlugins
    }
}

/// No cryptography beyond SHA-256: any signature may hold.
pub struct Any;

impl Algorithms for Any {
    fn has(algorithm: Algorithm) -> bool {
        black_box(algorithm) == Algorithm::EcdsaP256
    }
    fn holds(_: Algorithm, key: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool {
        black_box((key, digest, signature)).0.len() > 1
    }
}

impl Trust for Any {}

/// Starts the device and lets it run.
pub fn run<A: Trust>() {
    start::<A>(|device| device.run_blocking());
}

/// The same as an executor does it: awaited.
pub fn run_async<A: Trust>() {
    start::<A>(|device| block_on(device.run()));
}

fn start<A: Trust>(run: impl FnOnce(&mut Device<A>) -> End) {
    let parts = Parts {
        thing: text(),
        running: running(),
        flash: Ready(Flash),
        link: Ready(Link),
        clock: Ready(Time),
        hooks: App,
    };
    // In place: to take the device out of the result would be a second one on the stack.
    if let Ok(device) = &mut Device::<A>::new(parts) {
        black_box(run(device));
    }
}
