//! A world in which a whole device lives: flash, bootloader, images, provider, time.
//!
//! The device is the real orchestrator over a simulated flash; what runs after each reset is the
//! image that the bootloader chose, and its version and self-test are the image's own.

#![allow(dead_code)] // each test binary uses its part

pub(crate) mod provider;

use core::{
    cell::{Cell, RefCell},
    pin::pin,
    task::{Context, Poll, Waker},
};
use coreota::plugin::{NoPlugins, Plugins, store::State};
use coreota::{
    Accept, Decision, Hooks, Layout, Orchestrator, Parts, Pipeline, Policy, Region, Retry,
    SelfTest, Version,
    boot::{
        embassy::EmbassyBoot,
        mcuboot::{Mcuboot, Mode},
    },
    descriptor::{Algorithm, Descriptor},
    error::Failure,
    image::{About, Signer, mcuboot, trailer},
    job::{Status, aws_iot::AwsIotJobs},
    parser::afr_ota::{AfrOta, Sha1},
    sim::{
        bootloader::{Booted, Bootloader, EmbassyLoader},
        clock::SimClock,
        link::{Lossy, Weather, Wire},
        nor::{Rewrite, SimNor},
    },
    transport::mqtt_stream::{Cbor, MqttStream},
    verify::{EcdsaP256, Key, Native, Rules, formats},
};
use coreota_mcuboot::{Loader, sim::Simulated};
use embedded_storage_async::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use provider::Provider;
use std::{collections::VecDeque, rc::Rc, sync::LazyLock};

pub(crate) const BLOCK: usize = 256;
pub(crate) const BOARD: &str = "world";

pub(crate) static SIGNER: LazyLock<Signer> =
    LazyLock::new(|| Signer::new(Algorithm::EcdsaP256, &[7; 32]).expect("a key"));

/// What differs between the boards of a test.
pub(crate) trait Board: 'static {
    const LAYOUT: Layout;
    const ACCEPT: Accept = Accept::Always;
    /// What flash with error correction takes, where the layout says it is such.
    const REWRITE: Rewrite = Rewrite::Once;
    /// Behind the last byte of flash that is used.
    const END: u32 = Self::LAYOUT.journal.end();
    type Boot: coreota::boot::Boot;
    type Verifier: coreota::verify::Verifier;
    type Parsers: coreota::parser::Chain;
    type Plugins: Plugins<Proof = <Self::Verifier as coreota::verify::Verifier>::Plugin>;
    fn boot() -> Self::Boot;
    fn parsers() -> Self::Parsers;
    fn plugins() -> Self::Plugins;
    fn verifier() -> Self::Verifier;
    fn loader() -> impl Bootloader;
    fn image(payload: &[u8], about: &About<'_>, signers: &[Signer]) -> Vec<u8>;
}

/// embassy-boot: active | dfu | state | journal, of `S` erase units in active.
pub(crate) struct Embassy<const W: u32, const E: u32, const S: u32, const REWRITE: bool>;

impl<const W: u32, const E: u32, const S: u32, const REWRITE: bool> Embassy<W, E, S, REWRITE> {
    const ACTIVE: Region = Region::new(0, S * E);
    const DFU: Region = Region::new(S * E, (S + 1) * E);
    const STATE: Region = Region::new((2 * S + 1) * E, units(2 * W + 4 * S * W, E));
    const JOURNAL: Region = Region::new(
        Self::STATE.end(),
        2 * units(coreota::journal::half_len(W, S * E / BLOCK as u32), E),
    );
}

impl<const W: u32, const E: u32, const S: u32, const REWRITE: bool> Board
    for Embassy<W, E, S, REWRITE>
{
    const LAYOUT: Layout = Layout {
        base: Self::ACTIVE,
        slot: Self::DFU,
        capacity: S * E,
        journal: Self::JOURNAL,
        write: W,
        erase: E,
        rewrite: REWRITE,
    };
    // embassy-boot clears words that it programmed before.
    const REWRITE: Rewrite = Rewrite::OnceOrZero;
    type Boot = EmbassyBoot;
    type Verifier = Native<formats::Trailer, (EcdsaP256,)>;
    type Parsers = (AfrOta,);
    type Plugins = NoPlugins;
    fn parsers() -> (AfrOta,) {
        (AfrOta::new(Sha1::Refuse),)
    }
    fn plugins() -> NoPlugins {
        NoPlugins
    }
    fn boot() -> EmbassyBoot {
        EmbassyBoot::new(Self::STATE)
    }
    fn verifier() -> Self::Verifier {
        Native::new()
    }
    fn loader() -> impl Bootloader {
        EmbassyLoader::new(Self::ACTIVE, Self::DFU, Self::STATE)
    }
    fn image(payload: &[u8], about: &About<'_>, signers: &[Signer]) -> Vec<u8> {
        trailer(payload, about, signers).expect("an image")
    }
}

/// MCUboot, swap by offset: primary | secondary (one unit more) | journal.
pub(crate) struct McubootOffset<const W: u32, const E: u32, const S: u32, const REWRITE: bool>;

impl<const W: u32, const E: u32, const S: u32, const REWRITE: bool>
    McubootOffset<W, E, S, REWRITE>
{
    const PRIMARY: Region = Region::new(0, S * E);
    const SECONDARY: Region = Region::new(S * E, (S + 1) * E);
    const JOURNAL: Region = Region::new(
        Self::SECONDARY.end(),
        2 * units(coreota::journal::half_len(W, S * E / BLOCK as u32), E),
    );
    /// Status of 2 words a unit, and five fields of up to 32 bytes.
    const TRAILER: u32 = units(2 * S * W + 5 * 32 + 32, E);
}

impl<const W: u32, const E: u32, const S: u32, const REWRITE: bool> Board
    for McubootOffset<W, E, S, REWRITE>
{
    const LAYOUT: Layout = Layout {
        base: Self::PRIMARY,
        slot: Region::new(Self::SECONDARY.offset + E, S * E),
        capacity: S * E - Self::TRAILER,
        journal: Self::JOURNAL,
        write: W,
        erase: E,
        rewrite: REWRITE,
    };
    type Boot = Mcuboot;
    type Verifier = Native<formats::Mcuboot, (EcdsaP256,)>;
    type Parsers = (AfrOta,);
    type Plugins = NoPlugins;
    fn parsers() -> (AfrOta,) {
        (AfrOta::new(Sha1::Refuse),)
    }
    fn plugins() -> NoPlugins {
        NoPlugins
    }
    fn boot() -> Mcuboot {
        Mcuboot::new(Self::PRIMARY, Self::SECONDARY, Mode::SwapOffset)
    }
    fn verifier() -> Self::Verifier {
        Native::new()
    }
    fn loader() -> impl Bootloader {
        let loader = Loader::new(Self::PRIMARY, Self::SECONDARY, Mode::SwapOffset);
        Simulated(loader.status_units(S))
    }
    fn image(payload: &[u8], about: &About<'_>, signers: &[Signer]) -> Vec<u8> {
        mcuboot(payload, about, 32, signers).expect("an image")
    }
}

const fn units(bytes: u32, unit: u32) -> u32 {
    bytes.div_ceil(unit) * unit
}

/// The pipeline of a board.
pub(crate) struct Line<B>(core::marker::PhantomData<B>);

impl<B: Board> Pipeline for Line<B> {
    type Jobs = AwsIotJobs;
    type Parsers = B::Parsers;
    type Transport = MqttStream<Cbor>;
    type Verifier = B::Verifier;
    type Boot = B::Boot;
    type Plugins = B::Plugins;
    const LAYOUT: Layout = B::LAYOUT;
    const POLICY: Policy = Policy {
        accept: B::ACCEPT,
        poll_ms: 60_000,
        confirm_within_ms: 10_000,
        report_every: 4,
        attempts: 2,
    };
    const RETRY: Retry =
        Retry { after_ms: 2000, at_most_ms: 60_000, jitter_percent: 25, attempts: 0 };
    const RULES: Rules = Rules {
        require: &[Algorithm::EcdsaP256],
        keys: KEYS,
        board: BOARD,
        board_required: true,
        running: Version::new(0, 0, 0),
        older_allowed: false,
        counter: 0,
    };
    const BLOCK: u32 = BLOCK as u32;
    const WINDOW: u32 = 8;
    fn parsers() -> B::Parsers {
        B::parsers()
    }
    fn verifier() -> B::Verifier {
        B::verifier()
    }
    fn plugins() -> B::Plugins {
        B::plugins()
    }
    fn boot() -> B::Boot {
        B::boot()
    }
}

/// The public half of the signer's key: the private half is 32 times 7.
const KEYS: &[Key] =
    &[Key { id: "test", algorithm: Algorithm::EcdsaP256, bytes: include_bytes!("test-key.bin") }];

/// An image and what it does when it runs.
#[derive(Clone, Debug)]
pub(crate) struct Firmware {
    pub file: Vec<u8>,
    pub version: Version,
    pub works: bool,
}

/// Builds an image of about `len` bytes, signed.
pub(crate) fn firmware<B: Board>(version: Version, len: usize, works: bool) -> Firmware {
    firmware_by::<B>(version, len, works, BOARD, core::slice::from_ref(&*SIGNER))
}

pub(crate) fn firmware_by<B: Board>(
    version: Version,
    len: usize,
    works: bool,
    board: &str,
    signers: &[Signer],
) -> Firmware {
    // Never all erased, so that a block that was not written is seen.
    let payload: Vec<u8> =
        (0..len).map(|at| (at as u8).wrapping_mul(31) ^ version.minor ^ (at >> 8) as u8).collect();
    let about = About { version, board: Some(board), counter: Some(0) };
    Firmware { file: B::image(&payload, &about, signers), version, works }
}

/// What the application says and sees.
#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub works: bool,
    pub decisions: Rc<RefCell<VecDeque<Decision>>>,
    /// The orders it was asked about: job, plugin, and what is to become of it.
    pub orders: Rc<RefCell<Vec<(String, String, State)>>>,
    pub trouble: Rc<RefCell<Vec<Failure>>>,
}

impl Hooks for Application {
    fn decide(&mut self, _: &str, _: &Descriptor<'_>) -> Decision {
        self.decisions.borrow_mut().pop_front().unwrap_or(Decision::Accept)
    }
    fn decide_order(&mut self, job: &str, plugin: &str, to: State) -> Decision {
        self.orders.borrow_mut().push((job.into(), plugin.into(), to));
        self.decisions.borrow_mut().pop_front().unwrap_or(Decision::Accept)
    }
    fn self_test(&mut self, _online: bool) -> SelfTest {
        if self.works { SelfTest::Passed } else { SelfTest::Failed }
    }
    fn reset(&mut self) {}
    fn status(&mut self, _: &str, _: &Status<'_>) {}
    fn trouble(&mut self, what: Failure) {
        self.trouble.borrow_mut().push(what);
    }
}

/// Flash that takes the whole device down with it when its power goes.
#[derive(Debug)]
pub(crate) struct Powered<const W: usize, const E: usize> {
    pub nor: SimNor<W, E>,
    dead: Rc<Cell<bool>>,
    flicker: Option<Flicker>,
}

/// A byte that reads as another one, once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flicker {
    /// Offset of the byte.
    pub at: u32,
    /// Reads of it that go well before.
    pub read: u32,
}

impl<const W: usize, const E: usize> Powered<W, E> {
    async fn live<T>(&self, result: T) -> T {
        if !self.nor.is_powered() {
            self.dead.set(true);
            core::future::pending::<()>().await;
        }
        result
    }
}

impl<const W: usize, const E: usize> ErrorType for Powered<W, E> {
    type Error = <SimNor<W, E> as ErrorType>::Error;
}

impl<const W: usize, const E: usize> ReadNorFlash for Powered<W, E> {
    const READ_SIZE: usize = 1;
    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let result = ReadNorFlash::read(&mut self.nor, offset, bytes).await;
        let at = |flicker: &Flicker| usize::try_from(flicker.at.checked_sub(offset)?).ok();
        if let Some(byte) = self.flicker.as_ref().and_then(at).and_then(|at| bytes.get_mut(at)) {
            self.flicker = match self.flicker {
                Some(Flicker { read: 0, .. }) | None => {
                    *byte ^= 1;
                    None
                }
                Some(Flicker { at, read }) => Some(Flicker { at, read: read - 1 }),
            };
        }
        self.live(result).await
    }
    fn capacity(&self) -> usize {
        ReadNorFlash::capacity(&self.nor)
    }
}

impl<const W: usize, const E: usize> NorFlash for Powered<W, E> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        let result = NorFlash::erase(&mut self.nor, from, to).await;
        self.live(result).await
    }
    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let result = NorFlash::write(&mut self.nor, offset, bytes).await;
        self.live(result).await
    }
}

/// How a stretch of life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The provider has no more jobs, and the device knows.
    Idle,
    /// The power went.
    Cut,
}

/// Everything there is.
pub(crate) struct World<B, const W: usize, const E: usize> {
    pub nor: Option<SimNor<W, E>>,
    pub wire: Option<Wire<Provider>>,
    pub clock: SimClock,
    pub images: Vec<Firmware>,
    pub application: Application,
    pub boots: u32,
    /// How often the power went.
    pub cuts: u32,
    pub waits: bool,
    /// In the next run.
    pub flicker: Option<Flicker>,
    /// What happens to messages, and the seed of what happens.
    pub weather: Weather,
    pub seed: u64,
    board: core::marker::PhantomData<B>,
}

impl<B: Board, const W: usize, const E: usize> World<B, W, E> {
    /// A device with the first of `images` in its primary slot.
    pub(crate) fn new(images: Vec<Firmware>) -> Self {
        let end = B::END as usize;
        let mut nor = SimNor::new(end);
        if !B::LAYOUT.rewrite {
            nor = nor.with_rewrite(B::REWRITE);
        }
        nor.place(B::LAYOUT.base.offset, &images[0].file).expect("an image that fits");
        let clock = SimClock::new();
        World {
            nor: Some(nor),
            wire: Some(Wire::new(Provider::default(), clock.clone())),
            clock,
            images,
            application: Application {
                works: true,
                decisions: Rc::default(),
                orders: Rc::default(),
                trouble: Rc::default(),
            },
            boots: 0,
            cuts: 0,
            waits: true,
            flicker: None,
            weather: Weather::default(),
            seed: 0,
            board: core::marker::PhantomData,
        }
    }

    pub(crate) fn provider(&mut self) -> &mut Provider {
        self.wire.as_mut().expect("a wire").peer()
    }

    pub(crate) fn nor(&mut self) -> &mut SimNor<W, E> {
        self.nor.as_mut().expect("a flash")
    }

    /// Boots: the image that runs, or `None` where the power went in the bootloader.
    pub(crate) fn boot(&mut self) -> Option<Firmware> {
        self.boots += 1;
        let images = self.images.clone();
        let mut authentic =
            |bytes: &[u8]| images.iter().any(|image| bytes.starts_with(&image.file));
        let nor = self.nor.as_mut().expect("a flash");
        let booted = B::loader().boot(nor, &mut authentic);
        if !nor.is_powered() {
            self.cuts += 1;
            nor.power_on();
            return None;
        }
        let Booted { image, how } = booted.unwrap_or_else(|error| {
            panic!("a brick at boot {}, {} cuts: {error:?}", self.boots, self.cuts)
        });
        let runs = self.images.iter().find(|known| image.starts_with(&known.file));
        Some(runs.unwrap_or_else(|| panic!("an unknown image runs, {how:?}")).clone())
    }

    /// Lives through resets and power cuts until the provider has nothing more to say.
    pub(crate) fn live(&mut self) -> Firmware {
        for _ in 0..200 {
            let Some(runs) = self.boot() else { continue };
            if self.run(&runs) == Some(Ended::Idle) {
                return runs;
            }
        }
        panic!("the device does not come to rest: {:#?}", self.provider().jobs);
    }

    /// Runs one image until it resets (`None`), is idle, or loses power; power is then back.
    pub(crate) fn run(&mut self, runs: &Firmware) -> Option<Ended> {
        let dead = Rc::new(Cell::new(false));
        let mut nor = self.nor.take().expect("a flash");
        let mut wire = self.wire.take().expect("a wire");
        nor.pend(self.waits);
        wire.cut(0);
        let idle = wire.peer().idle;
        self.application.works = runs.works;
        let shared = Rc::new(RefCell::new(wire));
        let mut device = Orchestrator::<Line<B>, _, _, _, _, 640>::new(Parts {
            thing: "d",
            running: runs.version,
            flash: Powered { nor, dead: Rc::clone(&dead), flicker: self.flicker.take() },
            link: Lossy::new(
                Tapped { wire: Rc::clone(&shared), given: None },
                self.clock.clone(),
                self.weather,
                self.seed + u64::from(self.boots),
            ),
            clock: self.clock.clone(),
            hooks: self.application.clone(),
        })
        .expect("a device");
        let ended = {
            let mut life = pin!(device.run());
            let mut context = Context::from_waker(Waker::noop());
            let mut polls = 0u32;
            loop {
                if life.as_mut().poll(&mut context).is_ready() {
                    break None;
                }
                if dead.get() {
                    self.cuts += 1;
                    break Some(Ended::Cut);
                }
                if shared.borrow_mut().peer().idle > idle {
                    break Some(Ended::Idle);
                }
                polls += 1;
                assert!(polls < 200_000, "the device does not come to rest");
            }
        };
        let (flash, link, ..) = device.into_parts();
        drop(link);
        let mut nor = flash.nor;
        nor.power_on();
        self.nor = Some(nor);
        self.wire = Rc::into_inner(shared).map(RefCell::into_inner);
        ended
    }
}

/// A wire that the world can look at between two polls of the device.
#[derive(Debug)]
pub(crate) struct Tapped {
    wire: Rc<RefCell<Wire<Provider>>>,
    given: Option<coreota::sim::link::Letter>,
}

/// Lets the world look before each call.
async fn look() {
    let mut looked = false;
    core::future::poll_fn(|_| {
        if core::mem::replace(&mut looked, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

#[allow(clippy::await_holding_refcell_ref)] // the wire itself never waits
impl coreota::link::MessageLink for Tapped {
    async fn connect(&mut self) -> Result<(), coreota::link::LinkFault> {
        look().await;
        self.wire.borrow_mut().connect().await
    }
    async fn subscribe(&mut self, topic: &str) -> Result<(), coreota::link::LinkFault> {
        look().await;
        self.wire.borrow_mut().subscribe(topic).await
    }
    async fn publish(
        &mut self,
        message: coreota::message::Message<'_>,
        how: coreota::link::Delivery,
    ) -> Result<(), coreota::link::LinkFault> {
        look().await;
        self.wire.borrow_mut().publish(message, how).await
    }
    async fn receive(
        &mut self,
        within_ms: u32,
    ) -> Result<Option<coreota::message::Message<'_>>, coreota::link::LinkFault> {
        look().await;
        self.given = self.wire.borrow_mut().receive(within_ms).await?.map(Into::into);
        Ok(self.given.as_ref().map(coreota::sim::link::Letter::as_message))
    }
}
