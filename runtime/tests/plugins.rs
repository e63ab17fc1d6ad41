//! Plugins over the air, one scenario each: a job that nobody understands, a plugin delivered as a
//! job, the same job understood, without a reset; upgrades, rollbacks, removal, orders, wrong keys,
//! wrong contents, lies. And all of it with the power cut at every flash operation.
//!
//! The host here is a toy in place of wasm: its module names the one key that its documents have.

mod world;

use core::{cell::Cell, slice::from_ref};
use coreota::{
    Accept, Decision, Layout, Version,
    descriptor::{Algorithm, Descriptor},
    error::Failure,
    field::Field,
    image::{About, AboutPlugin, Signer, plugin, table},
    layout::Region,
    parser::{
        Parse, Parser,
        afr_ota::{AfrOta, FILE_TYPE_PLUGIN, FILE_TYPE_TABLE, Sha1},
        table::{StoredTable, TableSpec},
    },
    plugin::{
        Content, Facts, Plug, Plugged, Stored,
        slots::FALLS_MAX,
        store::{RECORDS_LEN, Spec, State},
    },
    sim::{
        bootloader::Bootloader,
        nor::{Count, Fuse, Rewrite, Tear},
    },
    verify::{
        ByContent, Claim, EcdsaP256, Key, Native, Proven, Rules, Verifier,
        formats::{OfPlugin, Trailer},
        prove,
    },
    wire::{Json, NESTING},
};
use serde_json::{Value, json};
use std::sync::LazyLock;
use world::{Board, Embassy, Ended, Flicker, McubootOffset, World, firmware};

const V1: Version = Version::new(1, 0, 0);
const V2: Version = Version::new(2, 0, 0);
const V3: Version = Version::new(3, 0, 0);
const NAMES: &[&str; 3] = &["toy", "spare-toy", "table"];

static PLUGIN_SIGNER: LazyLock<Signer> =
    LazyLock::new(|| Signer::new(Algorithm::EcdsaP256, &[8; 32]).expect("a key"));

static PLUGIN_RULES: LazyLock<Rules> = LazyLock::new(|| {
    let bytes = PLUGIN_SIGNER.public().leak();
    Rules {
        require: &[Algorithm::EcdsaP256],
        keys: vec![Key { id: "plugins", algorithm: Algorithm::EcdsaP256, bytes }].leak(),
        board: world::BOARD,
        board_required: false,
        running: Version::new(9, 0, 0),
        older_allowed: true,
        counter: 0,
    }
});

thread_local! {
    /// What runs in each slot of the device of this thread.
    static RUNS: [Cell<Option<Version>>; 2] = const { [Cell::new(None), Cell::new(None)] };
}

fn runs(slot: usize) -> Option<Version> {
    RUNS.with(|runs| runs[slot].get())
}

/// A host of modules `TOY1`, how it behaves, and the key of its documents.
#[derive(Default)]
struct Toy {
    slot: u8,
    facts: Option<Facts>,
    module: Vec<u8>,
    started: bool,
    /// Why it ended by itself.
    fell: Option<Failure>,
}

impl Toy {
    fn new(slot: u8) -> Self {
        RUNS.with(|runs| runs[usize::from(slot)].set(None));
        Toy { slot, ..Toy::default() }
    }

    fn step(&mut self, step: Plug<'_>) -> Result<(), Failure> {
        match step {
            Plug::Begin(facts) => {
                *self = Toy { slot: self.slot, facts: Some(*facts), ..Toy::default() };
                if facts.content != Content::Plugin {
                    return Err(Failure::PluginKind);
                }
            }
            Plug::Bytes(bytes) => self.module.extend(bytes),
            Plug::Start => {
                let facts = self.facts.ok_or(Failure::NoPlugin)?;
                assert_eq!(self.module.len(), facts.len as usize, "all of it, and no more");
                if !self.module.starts_with(b"TOY1") {
                    return Err(Failure::PluginMalformed);
                }
                self.started = true;
            }
            Plug::Check => return self.fell.map_or(Ok(()), Err),
            Plug::Stop => *self = Toy { slot: self.slot, ..Toy::default() },
        }
        Ok(())
    }

    fn read<'a>(&self, document: &'a [u8]) -> Result<Option<Descriptor<'a>>, Failure> {
        let (mode, key) = (self.module[4], self.module[5..].split(|&byte| byte == 0).next());
        let key = core::str::from_utf8(key.unwrap_or_default()).expect("a toy");
        let mut json = Json::new(document);
        json.object()?;
        let mut descriptor = Descriptor { files: 1, ..Descriptor::default() };
        let Some(true) = json.key()?.map(|found| found.is(key)) else { return Ok(None) };
        json.object()?;
        while let Some(key) = json.key()? {
            if key.is("bomb") {
                return Err(Failure::PluginMemory);
            } else if key.is("size") {
                descriptor.size = json.number()? as u32;
            } else if key.is("stream") {
                descriptor.stream = Some(Field::plain(json.text()?.raw));
            } else {
                json.skip(NESTING)?;
            }
        }
        match mode {
            b'd' => descriptor.sha256 = Some(Field::plain(&[1; 32])),
            b's' => descriptor.size -= descriptor.size % 256,
            b'p' => descriptor.content = Content::Plugin,
            b'u' => descriptor.stream = Some(Field::plain(b"someone-elses")),
            b'v' => descriptor.version = Some(Field::plain(b"200.0")),
            _ => {}
        }
        Ok(Some(descriptor))
    }
}

impl Parser for Toy {
    fn name(&self) -> &'static str {
        NAMES[usize::from(self.slot)]
    }
    fn parse<'a>(&'a mut self, document: &'a [u8], _: u8) -> Parse<'a> {
        if !self.started {
            return Parse::NotMine(Failure::NoPlugin);
        }
        match self.read(document) {
            Ok(Some(descriptor)) => Parse::Descriptor(descriptor),
            Ok(None) => Parse::NotMine(Failure::NoSuchKey),
            // As a module that runs out of memory in the middle of a document.
            Err(Failure::PluginMemory) => {
                RUNS.with(|runs| runs[usize::from(self.slot)].set(None));
                (self.started, self.fell) = (false, Some(Failure::PluginMemory));
                Parse::NotMine(Failure::PluginMemory)
            }
            Err(why) => Parse::Malformed(why),
        }
    }
    fn plug(&mut self, slot: u8, step: Plug<'_>) -> Plugged {
        if slot != self.slot {
            return None;
        }
        let result = self.step(step);
        let runs = self.facts.filter(|_| self.started).map(|facts| facts.version);
        RUNS.with(|cells| cells[usize::from(slot)].set(runs));
        Some(result)
    }
}

/// A board with two slots for plugins and one for a table, behind all else.
struct WithPlugins<B, const ASKS: bool = false>(core::marker::PhantomData<B>);

impl<B: Board, const ASKS: bool> WithPlugins<B, ASKS>
where
    B::Verifier: Verifier<Plugin = core::convert::Infallible>,
{
    const CELL: u32 = 2048_u32.div_ceil(B::LAYOUT.erase) * B::LAYOUT.erase;
    const STORE: Region = Region::new(B::LAYOUT.journal.end(), 4 * Self::CELL);
}

impl<B: Board, const ASKS: bool> Board for WithPlugins<B, ASKS>
where
    B::Verifier: Verifier<Plugin = core::convert::Infallible>,
{
    const ACCEPT: Accept = if ASKS { Accept::Ask } else { Accept::Always };
    const LAYOUT: Layout = B::LAYOUT;
    const END: u32 = Self::STORE.end();
    const REWRITE: Rewrite = B::REWRITE;
    type Boot = B::Boot;
    type Verifier = ByContent<B::Verifier, Native<Trailer<OfPlugin>, (EcdsaP256,)>>;
    type Parsers = (AfrOta, Toy, Toy, StoredTable);
    type Plugins = Stored<3>;
    fn parsers() -> Self::Parsers {
        (AfrOta::new(Sha1::Refuse), Toy::new(0), Toy::new(1), StoredTable::new(2, "table"))
    }
    fn plugins() -> Self::Plugins {
        let Layout { write, erase, .. } = B::LAYOUT;
        Stored::new(NAMES, Spec { region: Self::STORE, cell: Self::CELL, write, erase })
    }
    fn boot() -> B::Boot {
        B::boot()
    }
    fn verifier() -> Self::Verifier {
        ByContent::new(B::verifier(), Native::new(), &PLUGIN_RULES)
    }
    fn loader() -> impl Bootloader {
        B::loader()
    }
    fn image(payload: &[u8], about: &About<'_>, signers: &[Signer]) -> Vec<u8> {
        B::image(payload, about, signers)
    }
}

type OnEmbassy = WithPlugins<Embassy<4, 1024, 8, true>>;
type OnMcuboot = WithPlugins<McubootOffset<8, 1024, 8, true>>;

fn facts(content: Content) -> Facts {
    let (arena, fuel, memory) = (4096, 1000, 1024);
    Facts { content, abi: 1, kind: 1, arena, fuel, memory, len: 0, version: V1 }
}

fn file_by(
    name: &str,
    module: &str,
    version: Version,
    content: Content,
    signer: &Signer,
) -> Vec<u8> {
    let mut module = module.as_bytes().to_vec();
    module.resize(600, 0);
    signed(&module, name, version, content, signer)
}

fn signed(
    module: &[u8],
    name: &str,
    version: Version,
    content: Content,
    signer: &Signer,
) -> Vec<u8> {
    let about = About { version, board: None, counter: None };
    let says = AboutPlugin { name, facts: facts(content) };
    plugin(module, &about, &says, from_ref(signer)).expect("fits")
}

/// A signed plugin for slot 0 that knows documents with the key `acme`.
fn toy(version: Version) -> Vec<u8> {
    file_by("toy", "TOY1.acme", version, Content::Plugin, &PLUGIN_SIGNER)
}

/// The largest signed plugin of that name that fits a cell.
fn full<B: Board>(name: &str, version: Version) -> Vec<u8> {
    let cell = 2048_u32.div_ceil(B::LAYOUT.erase) * B::LAYOUT.erase;
    let capacity = (cell - RECORDS_LEN) as usize;
    let mut module = b"TOY1.acme".to_vec();
    // Signatures differ in length by a byte or two.
    module.resize(capacity - 400, 0);
    loop {
        let file = signed(&module, name, version, Content::Plugin, &PLUGIN_SIGNER);
        if capacity - file.len() < 8 {
            return file;
        }
        module.push(0);
    }
}

fn acme(stream: &str, image: &[u8]) -> Value {
    json!({"acme": {"size": image.len(), "stream": stream}})
}

fn order(verb: &str) -> Value {
    json!({"coreota": {"plugins": verb, "name": "toy"}})
}

/// Lives a scenario on both boards: a device on version 1 without plugins.
macro_rules! on_both {
    ($name:ident($world:ident, $board:ident) $body:block) => {
        #[test]
        fn $name() {
            fn scenario<$board: Board, const W: usize, const E: usize>(
                mut $world: World<$board, W, E>,
            ) $body
            let images = vec![firmware::<OnEmbassy>(V1, 3000, true)];
            scenario(World::<OnEmbassy, 4, 1024>::new(images));
            let images = vec![firmware::<OnMcuboot>(V1, 3000, true)];
            scenario(World::<OnMcuboot, 8, 1024>::new(images));
        }
    };
}

/// Lives on and says how the job ended.
fn live<B: Board, const W: usize, const E: usize>(world: &mut World<B, W, E>, job: &str) -> String {
    world.live();
    world.provider().find(job).last()
}

on_both!(a_job_that_nobody_understands_is_understood_once_its_plugin_came(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().streams.push(("image".into(), v2.file.clone()));
    world.provider().job("unknown", acme("image", &v2.file));
    let last = live(&mut world, "unknown");
    assert!(last.contains(Failure::UnknownJob.text()) && last.contains("toy 0x0601"), "{last}");

    // The plugin and the same job again: one run, no reset between the two.
    let boots = world.boots;
    let sent = world.provider().sent.len();
    let file = toy(V1);
    world.provider().offer_files("plugin", &[(FILE_TYPE_PLUGIN, &file)]);
    world.provider().job("again", acme("image", &v2.file));
    let running = world.boot().unwrap();
    assert_eq!(world.run(&running), None, "the next reset is the image's");
    assert_eq!(world.boots, boots + 1);
    assert_eq!(runs(0), Some(V1));
    let last = world.provider().find("plugin").last();
    assert_eq!(last, "SUCCEEDED plugins: toy 1.0.0, spare-toy none, table none");
    let plugin_blocks = file.len().div_ceil(world::BLOCK);
    assert!(world.provider().sent.len() >= sent + plugin_blocks);
    assert_eq!(world.live().version, V2);
    assert_eq!(world.provider().find("again").last(), "SUCCEEDED accepted v2.0.0");
    // And it outlives resets.
    assert_eq!(runs(0), Some(V1));
});

on_both!(upgrades_are_taken_and_rollbacks_refused_even_after_removal(world, B) {
    let _ = B::LAYOUT;
    for (name, version, end) in [
        ("first", V2, "SUCCEEDED"),
        ("older", V1, Failure::SignedNotNewer.text()),
        ("newer", V3, "SUCCEEDED"),
    ] {
        world.provider().offer_files(name, &[(FILE_TYPE_PLUGIN, &toy(version))]);
        let last = live(&mut world, name);
        assert!(last.contains(end), "{name}: {last}");
    }
    assert_eq!(runs(0), Some(V3));
    world.provider().job("remove", order("remove"));
    assert_eq!(live(&mut world, "remove"), "SUCCEEDED plugins: toy none, spare-toy none, table none");
    assert_eq!(runs(0), None);
    world.provider().offer_files("back", &[(FILE_TYPE_PLUGIN, &toy(V2))]);
    let last = live(&mut world, "back");
    assert!(last.contains(Failure::SignedNotNewer.text()), "{last}");
    world.provider().offer_files("same", &[(FILE_TYPE_PLUGIN, &toy(V3))]);
    let last = live(&mut world, "same");
    assert!(last.contains(Failure::SignedNotNewer.text()), "{last}");
    assert_eq!(runs(0), None);
});

on_both!(a_plugin_is_disabled_and_enabled_by_order(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.provider().streams.push(("image".into(), v2.file.clone()));
    world.provider().offer_files("plugin", &[(FILE_TYPE_PLUGIN, &toy(V1))]);
    world.provider().job("disable", order("disable"));
    assert_eq!(live(&mut world, "disable"), "SUCCEEDED plugins: toy 1.0.0 disabled, spare-toy none, table none");
    world.provider().job("unknown", acme("image", &v2.file));
    assert!(live(&mut world, "unknown").contains(Failure::UnknownJob.text()));
    assert_eq!(runs(0), None);
    world.provider().job("enable", order("enable"));
    assert_eq!(live(&mut world, "enable"), "SUCCEEDED plugins: toy 1.0.0, spare-toy none, table none");
    assert_eq!(runs(0), Some(V1));
    world.provider().job("list", json!({"coreota": {"plugins": "list"}}));
    assert_eq!(live(&mut world, "list"), "SUCCEEDED plugins: toy 1.0.0, spare-toy none, table none");
    for document in [
        json!({"coreota": {"plugins": "remove", "name": "nobody"}}),
        json!({"coreota": {"plugins": "admit", "name": "toy"}}),
        json!({"coreota": {"plugins": "remove"}}),
    ] {
        world.provider().jobs.retain(|job| job.name != "wrong");
        world.provider().job("wrong", document);
        assert!(live(&mut world, "wrong").starts_with("FAILED"));
    }
    assert_eq!(runs(0), Some(V1));
});

on_both!(a_job_brings_a_plugin_and_the_firmware_that_needs_it(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.images.push(v2.clone());
    let (file, other) = (toy(V1), file_by("spare-toy", "TOY1.x", V2, Content::Plugin, &PLUGIN_SIGNER));
    world.provider().offer_files("all", &[
        (FILE_TYPE_PLUGIN, &file), (FILE_TYPE_PLUGIN, &other), (0, &v2.file),
    ]);
    assert_eq!(world.live().version, V2);
    assert_eq!(world.provider().find("all").last(), "SUCCEEDED accepted v2.0.0");
    assert_eq!((runs(0), runs(1)), (Some(V1), Some(V2)));
    // An image that is not the last is refused before anything is fetched.
    let sent = world.provider().sent.len();
    world.provider().offer_files("first", &[(0, &v2.file), (FILE_TYPE_PLUGIN, &file)]);
    assert!(live(&mut world, "first").contains(Failure::TooManyFiles.text()));
    assert_eq!(world.provider().sent.len(), sent);
});

on_both!(nobody_signs_what_is_not_theirs_to_sign(world, B) {
    let image_key = &*world::SIGNER;
    let foreign = file_by("toy", "TOY1.acme", V1, Content::Plugin, image_key);
    world.provider().offer_files("by-image-key", &[(FILE_TYPE_PLUGIN, &foreign)]);
    let image = world::firmware_by::<B>(V2, 3000, true, world::BOARD, from_ref(&PLUGIN_SIGNER));
    world.provider().offer("by-plugin-key", &image.file);
    for name in ["by-image-key", "by-plugin-key"] {
        assert!(live(&mut world, name).contains(Failure::NoTrustedKey.text()), "{name}");
    }
    assert_eq!((world.boots, runs(0)), (2, None));
});

on_both!(a_plugin_is_never_booted_and_an_image_never_plugged(world, B) {
    let image = firmware::<B>(V2, 1000, true);
    world.provider().offer("plugin-as-image", &toy(V1));
    world.provider().offer_files("image-as-plugin", &[(FILE_TYPE_PLUGIN, &image.file)]);
    for name in ["plugin-as-image", "image-as-plugin"] {
        let last = live(&mut world, name);
        let refused = last.contains(Failure::Format.text())
            || last.contains(Failure::NoTrustedKey.text());
        assert!(last.starts_with("FAILED") && refused, "{name}: {last}");
    }
    assert_eq!(world.live().version, V1);
    assert_eq!(runs(0), None);
});

on_both!(a_table_comes_over_the_air_and_outlives_resets(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().streams.push(("image".into(), v2.file.clone()));
    let spec = TableSpec { size: "/pkg/bytes", stream: Some("/pkg/at"), ..TableSpec::EMPTY };
    let file = signed(&table(&spec).unwrap(), "table", V1, Content::Table, &PLUGIN_SIGNER);
    world.provider().offer_files("table", &[(FILE_TYPE_TABLE, &file)]);
    assert_eq!(live(&mut world, "table"), "SUCCEEDED plugins: toy none, spare-toy none, table 1.0.0");
    // A reset: the table is verified and read again from the store.
    world.provider().job("job", json!({"pkg": {"bytes": v2.file.len(), "at": "image"}}));
    assert_eq!(world.live().version, V2);
    assert_eq!(world.provider().find("job").last(), "SUCCEEDED accepted v2.0.0");
    assert!(world.application.trouble.borrow().is_empty());
});

on_both!(what_has_no_slot_or_is_refused_by_its_host_changes_nothing(world, B) {
    let _ = B::LAYOUT;
    world.provider().offer_files("plugin", &[(FILE_TYPE_PLUGIN, &toy(V1))]);
    live(&mut world, "plugin");
    let stranger = file_by("stranger", "TOY1.x", V2, Content::Plugin, &PLUGIN_SIGNER);
    let broken = file_by("toy", "not a toy", V2, Content::Plugin, &PLUGIN_SIGNER);
    let table = file_by("toy", "TOY1.x", V2, Content::Table, &PLUGIN_SIGNER);
    let mut large = vec![7; 4000];
    large.extend(toy(V2));
    for (name, file, kind, why) in [
        ("stranger", &stranger, FILE_TYPE_PLUGIN, Failure::NoPlugin),
        ("broken", &broken, FILE_TYPE_PLUGIN, Failure::PluginMalformed),
        ("table", &table, FILE_TYPE_TABLE, Failure::PluginKind),
        ("large", &large, FILE_TYPE_PLUGIN, Failure::TooLarge),
    ] {
        world.provider().offer_files(name, &[(kind, file)]);
        let last = live(&mut world, name);
        assert!(last.starts_with("FAILED") && last.contains(why.text()), "{name}: {last}");
        assert_eq!(runs(0), Some(V1), "{name}: the one before goes on");
    }
    // After a reset too.
    let running = world.boot().unwrap();
    world.run(&running);
    assert_eq!(runs(0), Some(V1));
});

on_both!(a_lying_plugin_gains_nothing(world, B) {
    let genuine = firmware::<B>(V2, 3000, true);
    let old = firmware::<B>(Version::new(0, 9, 0), 3000, true);
    let stranger = Signer::new(Algorithm::EcdsaP256, &[9; 32]).unwrap();
    let forged = world::firmware_by::<B>(V2, 3000, true, world::BOARD, &[stranger]);
    for (stream, file) in [("image", &genuine.file), ("old", &old.file), ("someone-elses", &forged.file)] {
        world.provider().streams.push((stream.into(), file.clone()));
    }
    let lies = [
        ("digest", "TOY1dacme", "image", &genuine, Failure::Digest),
        ("size", "TOY1sacme", "image", &genuine, Failure::Format),
        ("content", "TOY1pacme", "image", &genuine, Failure::TooLarge),
        ("place", "TOY1uacme", "image", &forged, Failure::NoTrustedKey),
        ("version", "TOY1vacme", "old", &old, Failure::SignedNotNewer),
    ];
    for ((name, module, stream, fetched, why), revision) in lies.into_iter().zip(1..) {
        let file = file_by("toy", module, Version::new(1, 0, revision), Content::Plugin, &PLUGIN_SIGNER);
        world.provider().offer_files("plugin", &[(FILE_TYPE_PLUGIN, &file)]);
        assert!(live(&mut world, "plugin").starts_with("SUCCEEDED"), "{name}");
        world.provider().job(name, acme(stream, &fetched.file));
        let last = live(&mut world, name);
        assert!(last.starts_with("FAILED") && last.contains(why.text()), "{name}: {last}");
        world.provider().jobs.clear();
        world.provider().streams.retain(|(stream, _)| stream != "plugin/0");
    }
    assert_eq!(world.live().version, V1);
});

on_both!(a_plugin_that_was_damaged_in_the_store_is_left_out_and_reported(world, B) {
    let _ = B::LAYOUT;
    world.provider().offer_files("plugin", &[(FILE_TYPE_PLUGIN, &toy(V1))]);
    live(&mut world, "plugin");
    let at = B::LAYOUT.journal.end();
    let word = vec![0; B::LAYOUT.write as usize];
    embedded_storage::nor_flash::NorFlash::write(world.nor(), at, &word).expect("a write");
    let running = world.boot().unwrap();
    assert_eq!(world.run(&running), Some(Ended::Idle), "the device lives");
    assert_eq!(runs(0), None);
    let trouble = world.application.trouble.borrow().clone();
    assert!(trouble.contains(&Failure::Digest), "{trouble:?}");
});

on_both!(a_plugin_that_fell_is_brought_up_again_for_the_next_job_but_not_for_ever(world, B) {
    let v2 = firmware::<B>(V2, 5000, true);
    world.images.push(v2.clone());
    world.provider().streams.push(("image".into(), v2.file.clone()));
    world.provider().offer_files("plugin", &[(FILE_TYPE_PLUGIN, &toy(V1))]);
    let bomb = || json!({"acme": {"bomb": 1, "size": 1, "stream": "image"}});
    world.provider().job("bomb", bomb());
    world.provider().job("understood", acme("image", &v2.file));
    // All in one run, so that it is not the boot that brings it up.
    let running = world.boot().unwrap();
    assert_eq!(world.run(&running), None, "the reset of the image");
    let last = world.provider().find("bomb").last();
    assert!(last.contains(Failure::UnknownJob.text()) && last.contains("toy 0x060"), "{last}");
    assert_eq!(*world.application.trouble.borrow(), [Failure::PluginMemory]);
    assert_eq!(world.live().version, V2);
    assert_eq!(world.provider().find("understood").last(), "SUCCEEDED accepted v2.0.0");

    // One after the other: it is not loaded for ever.
    world.application.trouble.borrow_mut().clear();
    let bombs = ["b0", "b1", "b2", "b3", "b4", "b5"];
    for name in bombs {
        world.provider().job(name, bomb());
    }
    let running = world.boot().unwrap();
    assert_eq!(world.run(&running), Some(Ended::Idle));
    assert_eq!(world.application.trouble.borrow().len(), usize::from(FALLS_MAX));
    assert_eq!(runs(0), None);
    for (name, why) in bombs.into_iter().zip([Failure::PluginMemory; 4].into_iter().chain([Failure::NoPlugin; 2])) {
        let last = world.provider().find(name).last();
        assert!(last.contains(&format!("toy {:#06x}", why.code())), "{name}: {last}");
    }
    // A reset gives it another chance.
    let running = world.boot().unwrap();
    assert_eq!(world.run(&running), Some(Ended::Idle));
    assert_eq!(runs(0), Some(V1));
});

on_both!(a_plugin_runs_only_as_it_was_when_it_was_verified(world, B) {
    world.provider().offer_files("plugin", &[(FILE_TYPE_PLUGIN, &toy(V1))]);
    live(&mut world, "plugin");
    // A bit of the module reads otherwise for once: when it is verified, when it is handed over; and
    // then no more.
    let at = B::LAYOUT.journal.end() + 20;
    for (read, runs_then) in [(0, None), (1, None), (2, Some(V1))] {
        world.application.trouble.borrow_mut().clear();
        world.flicker = Some(Flicker { at, read });
        let running = world.boot().unwrap();
        assert_eq!(world.run(&running), Some(Ended::Idle), "the device lives");
        assert_eq!(runs(0), runs_then, "read {read}");
        let trouble = world.application.trouble.borrow().clone();
        let expected: &[Failure] = if runs_then.is_none() { &[Failure::Digest] } else { &[] };
        assert_eq!(trouble, expected, "read {read}");
    }
});

on_both!(what_fills_the_store_is_kept_and_upgraded(world, B) {
    let spec = TableSpec { size: "/pkg/bytes", stream: Some("/pkg/at"), ..TableSpec::EMPTY };
    let files = |version| {
        let table = table(&spec).unwrap();
        [
            (FILE_TYPE_PLUGIN, full::<B>("toy", version)),
            (FILE_TYPE_PLUGIN, full::<B>("spare-toy", version)),
            (FILE_TYPE_TABLE, signed(&table, "table", version, Content::Table, &PLUGIN_SIGNER)),
        ]
    };
    for (round, version) in [V1, V2, V3].into_iter().enumerate() {
        let files = files(version);
        let files: Vec<(u64, &[u8])> = files.iter().map(|(kind, file)| (*kind, &file[..])).collect();
        world.provider().offer_files("all", &files);
        let number = round + 1;
        assert_eq!(
            live(&mut world, "all"),
            format!("SUCCEEDED plugins: toy {number}.0.0, spare-toy {number}.0.0, table {number}.0.0")
        );
        assert_eq!((runs(0), runs(1)), (Some(version), Some(version)));
        world.provider().jobs.clear();
        world.provider().streams.clear();
    }
    // More orders than a cell has records, with every cell but the spare one full.
    for _ in 0..4 {
        for (verb, running) in [("disable", None), ("enable", Some(V3))] {
            world.provider().job("order", order(verb));
            assert!(live(&mut world, "order").starts_with("SUCCEEDED"));
            assert_eq!((runs(0), runs(1)), (running, Some(V3)));
            world.provider().jobs.clear();
        }
    }
    // There is no room for what has no slot, nor for a byte more than a cell takes.
    let stranger = file_by("stranger", "TOY1.x", V1, Content::Plugin, &PLUGIN_SIGNER);
    let mut larger = full::<B>("toy", Version::new(4, 0, 0));
    larger.insert(0, b'T');
    for (name, file, why) in
        [("stranger", stranger, Failure::NoPlugin), ("larger", larger, Failure::TooLarge)]
    {
        world.provider().offer_files(name, &[(FILE_TYPE_PLUGIN, &file)]);
        assert!(live(&mut world, name).contains(why.text()), "{name}");
    }
    let running = world.boot().unwrap();
    world.run(&running);
    assert_eq!((runs(0), runs(1)), (Some(V3), Some(V3)));
});

#[test]
fn orders_are_put_off_and_refused_where_the_firmware_is_asked() {
    type Asking = WithPlugins<Embassy<4, 1024, 8, true>, true>;
    let mut world = World::<Asking, 4, 1024>::new(vec![firmware::<Asking>(V1, 3000, true)]);
    world.provider().offer_files("plugin", &[(FILE_TYPE_PLUGIN, &toy(V1))]);
    assert!(live(&mut world, "plugin").starts_with("SUCCEEDED"));
    assert!(world.application.orders.borrow().is_empty(), "a plugin is no order");

    // Put off: the provider keeps it queued, the plugin runs on.
    world.application.decisions.borrow_mut().push_back(Decision::Defer { ms: 90_000 });
    world.provider().job("later", order("disable"));
    let began = world.clock.elapsed_ms();
    let running = world.boot().unwrap();
    world.run(&running);
    assert_eq!(
        world.provider().find("later").last(),
        "SUCCEEDED plugins: toy 1.0.0 disabled, spare-toy none, table none"
    );
    assert!(world.clock.elapsed_ms() - began >= 90_000, "{}", world.clock.elapsed_ms() - began);
    let asked = ("later".to_owned(), "toy".to_owned(), State::Disabled);
    assert_eq!(*world.application.orders.borrow(), [asked.clone(), asked]);

    // Refused: told, and nothing changed.
    world.application.decisions.borrow_mut().push_back(Decision::Reject);
    world.provider().job("enable", order("enable"));
    assert_eq!(
        live(&mut world, "enable"),
        format!("REJECTED rejected: 0x00000703 {}", Failure::Policy.text())
    );
    assert_eq!(runs(0), None);

    // To list changes nothing: nobody is asked.
    world.application.orders.borrow_mut().clear();
    world.provider().job("list", json!({"coreota": {"plugins": "list"}}));
    assert_eq!(
        live(&mut world, "list"),
        "SUCCEEDED plugins: toy 1.0.0 disabled, spare-toy none, table none"
    );
    assert!(world.application.orders.borrow().is_empty());
}

#[test]
fn the_image_behind_a_plugin_is_put_off_for_itself() {
    type Asking = WithPlugins<Embassy<4, 1024, 8, true>, true>;
    let v2 = firmware::<Asking>(V2, 5000, true);
    let images = vec![firmware::<Asking>(V1, 3000, true), v2.clone()];
    let mut world = World::<Asking, 4, 1024>::new(images);
    let decisions = [Decision::Accept, Decision::Defer { ms: 90_000 }, Decision::Accept];
    world.application.decisions.borrow_mut().extend(decisions);
    world.provider().offer_files("both", &[(FILE_TYPE_PLUGIN, &toy(V1)), (0, &v2.file)]);
    let began = world.clock.elapsed_ms();
    let running = world.boot().unwrap();
    assert_eq!(world.run(&running), None, "the reset of the image");
    assert!(world.clock.elapsed_ms() - began >= 90_000);
    assert_eq!((world.live().version, runs(0)), (V2, Some(V1)));
    assert!(world.application.decisions.borrow().is_empty(), "it was asked three times");

    // Refused: the plugin stays, the image does not come.
    let v3 = firmware::<Asking>(V3, 5000, true);
    world.images.push(v3.clone());
    world.application.decisions.borrow_mut().extend([Decision::Accept, Decision::Reject]);
    world.provider().offer_files("refused", &[(FILE_TYPE_PLUGIN, &toy(V2)), (0, &v3.file)]);
    let last = live(&mut world, "refused");
    assert!(last.starts_with("FAILED") && last.contains(Failure::Policy.text()), "{last}");
    assert_eq!(runs(0), Some(V2));
}

#[test]
fn every_flipped_bit_and_every_truncation_of_a_plugin_is_refused() {
    type Trailers = Native<Trailer, (EcdsaP256,)>;
    type Plugins = Native<Trailer<OfPlugin>, (EcdsaP256,)>;
    let mut verifier = ByContent::new(Trailers::new(), Plugins::new(), &PLUGIN_RULES);
    let mut judge = |file: &[u8]| {
        let claim = Claim::plugin(file.len() as u32);
        prove(&mut verifier, &PLUGIN_RULES, &claim, file)
    };
    let good = signed(b"TOY1.acme", "toy", V1, Content::Plugin, &PLUGIN_SIGNER);
    let Ok(Proven::Plugin(proof)) = judge(&good) else { panic!("a good one") };
    assert_eq!((proof.name(), proof.facts().version, proof.facts().len), ("toy", V1, 9));
    for bit in 0..good.len() * 8 {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(judge(&flipped).is_err(), "bit {bit}");
    }
    for len in 0..good.len() {
        assert!(judge(&good[..len]).is_err(), "{len} bytes");
    }
}

/// Install, upgrade, disable, remove: one life with the power cut once.
fn life<B: Board, const W: usize, const E: usize>(fuse: Option<Fuse>) -> u64 {
    let mut world = World::<B, W, E>::new(vec![firmware::<B>(V1, 600, true)]);
    world.provider().offer_files("install", &[(FILE_TYPE_PLUGIN, &toy(V1))]);
    world.provider().offer_files("upgrade", &[(FILE_TYPE_PLUGIN, &toy(V2))]);
    world.provider().job("disable", order("disable"));
    world.provider().job("remove", order("remove"));
    let nor = world.nor.take().unwrap();
    let mut nor = nor.with_seed(fuse.map_or(0, |fuse| fuse.after + 1));
    nor.arm(fuse);
    world.nor = Some(nor);
    loop {
        let Some(running) = world.boot() else { continue };
        let ended = world.run(&running);
        let over = |world: &mut World<B, W, E>, job: &str| {
            let job = world.provider().find(job);
            assert!(!matches!(job.status, "FAILED" | "REJECTED"), "{fuse:?}: {job:?}");
            job.status == "SUCCEEDED"
        };
        // What was reported is so, whatever the cut hit after it.
        let [installed, upgraded, disabled, _] =
            ["install", "upgrade", "disable", "remove"].map(|job| over(&mut world, job));
        match runs(0) {
            Some(version) => {
                assert!(!upgraded || version == V2, "{fuse:?}: {version:?} after the upgrade");
                assert!(!disabled, "{fuse:?}: it runs, disabled");
            }
            None => assert!(
                !installed || (upgraded && (disabled || ended == Some(Ended::Cut))),
                "{fuse:?}: none runs"
            ),
        }
        if ended == Some(Ended::Idle) {
            break;
        }
        assert!(world.boots < 20, "{fuse:?}: the device does not come to rest");
    }
    assert_eq!(world.cuts, u32::from(fuse.is_some()), "{fuse:?}: the fuse has to blow");
    let last = world.provider().find("remove").last();
    assert_eq!(last, "SUCCEEDED plugins: toy none, spare-toy none, table none", "{fuse:?}");
    let operations = world.nor().counts().operations(Count::Calls);
    // The floor stands, whatever was cut.
    world.provider().offer_files("back", &[(FILE_TYPE_PLUGIN, &toy(V1))]);
    let last = live(&mut world, "back");
    assert!(last.contains(Failure::SignedNotNewer.text()), "{fuse:?}: {last}");
    operations
}

/// A plugin and the firmware that needs it in one job, with the power cut once.
fn life_of_both<B: Board, const W: usize, const E: usize>(fuse: Option<Fuse>) -> u64 {
    let [v1, v2] = [V1, V2].map(|version| firmware::<B>(version, 600, true));
    let mut world = World::<B, W, E>::new(vec![v1, v2.clone()]);
    world.provider().offer_files("both", &[(FILE_TYPE_PLUGIN, &toy(V1)), (0, &v2.file)]);
    let nor = world.nor.take().unwrap();
    let mut nor = nor.with_seed(fuse.map_or(0, |fuse| fuse.after + 1));
    nor.arm(fuse);
    world.nor = Some(nor);
    let running = loop {
        let Some(running) = world.boot() else { continue };
        let ended = world.run(&running);
        // Firmware that needs the plugin never runs without it.
        if running.version == V2 {
            assert_eq!(runs(0), Some(V1), "{fuse:?}: v2 runs without its plugin");
        }
        if ended == Some(Ended::Idle) {
            break running;
        }
        assert!(world.boots < 20, "{fuse:?}: the device does not come to rest");
    };
    assert_eq!(world.cuts, u32::from(fuse.is_some()), "{fuse:?}: the fuse has to blow");
    assert_eq!(runs(0), Some(V1), "{fuse:?}");
    let last = world.provider().find("both").last();
    match running.version {
        V2 => assert_eq!(last, "SUCCEEDED accepted v2.0.0", "{fuse:?}"),
        // The cut hit the trial: the bootloader went back before the image was confirmed.
        _ => assert!(fuse.is_some() && last.contains("went back"), "{fuse:?}: {last}"),
    }
    world.nor().counts().operations(Count::Calls)
}

/// Lives that life with the power cut at each of its flash operations.
fn cut_everywhere<const W: usize, const E: usize>(life: fn(Option<Fuse>) -> u64) {
    let operations = life(None);
    for after in 0..operations {
        for tear in Tear::ALL {
            life(Some(Fuse { after, count: Count::Calls, tear }));
        }
    }
    println!("W {W} E {E}: {operations} operations, {} cuts", operations * Tear::ALL.len() as u64);
}

#[test]
fn cut_at_every_operation_w4() {
    cut_everywhere::<4, 1024>(life::<WithPlugins<Embassy<4, 1024, 2, true>>, 4, 1024>);
}

#[test]
fn cut_at_every_operation_ecc_w8() {
    cut_everywhere::<8, 2048>(life::<WithPlugins<Embassy<8, 2048, 2, false>>, 8, 2048>);
}

#[test]
fn cut_at_every_operation_ecc_w32() {
    cut_everywhere::<32, 1024>(life::<WithPlugins<McubootOffset<32, 1024, 3, false>>, 32, 1024>);
}

#[test]
fn cut_at_every_operation_small_units() {
    cut_everywhere::<1, 256>(life::<WithPlugins<Embassy<1, 256, 8, true>>, 1, 256>);
}

#[test]
fn cut_at_every_operation_of_plugin_and_firmware_w4() {
    cut_everywhere::<4, 1024>(life_of_both::<WithPlugins<Embassy<4, 1024, 2, true>>, 4, 1024>);
}

#[test]
fn cut_at_every_operation_of_plugin_and_firmware_ecc_w32() {
    type Board = WithPlugins<McubootOffset<32, 1024, 3, false>>;
    cut_everywhere::<32, 1024>(life_of_both::<Board, 32, 1024>);
}
