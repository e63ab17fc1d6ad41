//! The plugin store against a plain model of it, and with the power cut at every word it programs
//! and every unit it erases: each slot holds what it held or what it was to hold, whole.

use coreota::{
    Region, Version,
    blocking::block_on,
    error::Failure,
    plugin::store::{Entry, File, RECORDS_LEN, Spec, State, Store},
    sim::{
        nor::{Count, Fuse, Rewrite, SimNor, Tear},
        random::Random,
    },
    verify::Hash,
};
use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

const SLOTS: usize = 3;

/// A flash with a store in it, behind one erase unit of something else.
#[derive(Clone)]
struct World<const W: usize, const E: usize> {
    nor: SimNor<W, E>,
    spec: Spec,
}

/// What a slot is to hold.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    bytes: Vec<u8>,
    file: File,
    state: State,
}

type Model = [Option<Held>; SLOTS];

#[derive(Clone, Debug)]
enum Step {
    Install(u8, Vec<u8>, Version),
    Set(u8, State),
}

fn file(bytes: &[u8], version: Version) -> File {
    let digest = Hash::of(bytes);
    File { size: bytes.len() as u32, version, fingerprint: Hash::of(&digest), digest }
}

/// What `step` makes of `model`; whether the store takes it.
fn after(model: &Model, step: &Step) -> (Model, bool) {
    let mut next = model.clone();
    let taken = match step {
        Step::Install(slot, bytes, version) => {
            let (bytes, file) = (bytes.clone(), file(bytes, *version));
            next[usize::from(*slot)] = Some(Held { bytes, file, state: State::Active });
            true
        }
        Step::Set(slot, state) => match &mut next[usize::from(*slot)] {
            Some(held) if held.state != State::Removed || *state == State::Removed => {
                held.state = *state;
                true
            }
            _ => false,
        },
    };
    (next, taken)
}

/// A few steps by chance.
fn steps(random: &mut Random, count: usize, capacity: u32) -> Vec<Step> {
    let step = |number| {
        let slot = random.below(SLOTS as u64) as u8;
        match random.below(10) {
            0..5 => {
                let len = match random.below(4) {
                    0 => u64::from(capacity),
                    _ => 1 + random.below(capacity.into()),
                };
                let bytes = (0..len).map(|_| random.byte()).collect();
                Step::Install(slot, bytes, Version::new(1, 0, number as u16))
            }
            5..7 => Step::Set(slot, State::Disabled),
            7..9 => Step::Set(slot, State::Active),
            _ => Step::Set(slot, State::Removed),
        }
    };
    (0..count).map(step).collect()
}

impl<const W: usize, const E: usize> World<W, E> {
    fn new(cell: u32, rewrite: Rewrite) -> Self {
        let (erase, len) = (E as u32, (SLOTS as u32 + 1) * cell);
        let mut nor = SimNor::new((erase + len) as usize).with_rewrite(rewrite);
        // What was there before there was a store.
        nor.place(0, &vec![0x5a; (erase + len) as usize]).unwrap();
        let spec = Spec { region: Region::new(erase, len), cell, write: W as u32, erase };
        World { nor, spec }
    }

    fn open(&mut self) -> Store<SLOTS> {
        let mut store = Store::new(self.spec);
        block_on(store.open(&mut self.nor)).expect("a flash that can be read");
        store
    }

    /// The store says what `model` does; read twice, for bits that are not sure of themselves.
    fn holds(&mut self, model: &Model) -> Result<(), String> {
        for _ in 0..2 {
            let store = self.open();
            let spare = store.spare();
            for (slot, held) in (0..).zip(model) {
                let entry = store.entry(slot);
                let facts = held.as_ref().map(|held| (held.file, held.state));
                if entry.map(|entry| (entry.file, entry.state)) != facts {
                    return Err(format!("slot {slot}: {entry:?} for {facts:?}"));
                }
                assert_eq!(store.floor(slot), facts.map(|(file, _)| file.version));
                let region = store.file_region(slot);
                let bytes = held.as_ref().filter(|held| held.state != State::Removed);
                assert_eq!(region.is_some(), bytes.is_some(), "slot {slot}");
                let (Some(region), Some(held)) = (region, bytes) else { continue };
                let found = store.find(&held.file.fingerprint);
                assert!(found.is_some_and(|found| found <= slot), "slot {slot}: {found:?}");
                assert!(region.end() <= spare.offset || spare.end() <= region.offset);
                let mut read = vec![0; region.len as usize];
                self.nor.read(region.offset, &mut read).unwrap();
                if read != held.bytes {
                    return Err(format!("slot {slot}: other bytes"));
                }
            }
        }
        Ok(())
    }

    /// Does a step, as a device does. `written`: the file is in the spare cell, where it says so
    /// and when this is left, and as the journal tells after a cut.
    fn step(&mut self, step: &Step, written: &mut bool) -> Result<(), Failure> {
        let mut store = self.open();
        match step {
            Step::Install(slot, bytes, version) => {
                let file = file(bytes, *version);
                block_on(store.prepare(&mut self.nor))?;
                if !*written && store.entry(*slot).is_none_or(|own| own.file != file) {
                    self.download(store.spare(), bytes)?;
                }
                *written = true;
                block_on(store.commit(&mut self.nor, *slot, &file))
            }
            Step::Set(slot, state) => block_on(store.set_state(&mut self.nor, *slot, *state)),
        }
    }

    /// Erases each unit and programs what belongs there, as an update does.
    fn download(&mut self, spare: Region, bytes: &[u8]) -> Result<(), Failure> {
        for (from, unit) in (spare.offset..).step_by(E).zip(bytes.chunks(E)) {
            self.nor.erase(from, from + E as u32).map_err(|_| Failure::Erase)?;
            for (at, block) in (from..).step_by(64).zip(unit.chunks(64)) {
                let mut block = block.to_vec();
                block.resize(block.len().next_multiple_of(W), 0xff);
                self.nor.write(at, &block).map_err(|_| Failure::Program)?;
            }
        }
        Ok(())
    }

    /// Does the steps; the store says of each what the model does.
    fn live(&mut self, model: &Model, steps: &[Step]) -> Model {
        let mut model = model.clone();
        for step in steps {
            let (next, taken) = after(&model, step);
            let done = self.step(step, &mut false);
            assert_eq!(done, if taken { Ok(()) } else { Err(Failure::NoPlugin) }, "{step:?}");
            model = next;
            self.holds(&model).unwrap();
        }
        model
    }

    /// Does a step with a fuse in; whether it blew. Then the store holds the old or the new.
    fn cut(
        &mut self,
        (old, new): (&Model, &Model),
        step: &Step,
        fuse: Fuse,
        written: &mut bool,
    ) -> bool {
        self.nor.arm(Some(fuse));
        let done = self.step(step, written);
        self.nor.arm(None);
        if self.nor.is_powered() {
            assert_eq!(done, Ok(()), "{fuse:?}");
            return false;
        }
        self.nor.power_on();
        let is_new = self.holds(new);
        if let (Err(new), Err(old)) = (&is_new, self.holds(old)) {
            panic!("{fuse:?}, {step:?}:\nnot the new: {new}\nnot the old: {old}");
        }
        if let Step::Install(_, bytes, _) = step
            && *written
            && is_new.is_err()
        {
            // What was downloaded is not harmed.
            let spare = self.open().spare();
            let mut read = vec![0; bytes.len()];
            self.nor.read(spare.offset, &mut read).unwrap();
            assert!(read == *bytes, "{fuse:?}: the file in the spare cell");
        }
        true
    }
}

#[derive(Default)]
struct Tally {
    cuts: u32,
    again: u32,
}

/// Each step of a life, cut at every operation in every way; then done again, now and then with a
/// second cut, and the rest of the life lived.
fn cut_everywhere<const W: usize, const E: usize>(cell: u32, rewrite: Rewrite, count: Count) {
    let mut random = Random::new(cell.into());
    let mut world = World::<W, E>::new(cell, rewrite);
    let life = steps(&mut random, 24, cell - RECORDS_LEN);
    let mut model = Model::default();
    let mut tally = Tally::default();
    let word = u64::max(1, if count == Count::Words { 96 / W as u64 } else { 1 });
    for (at, step) in life.iter().enumerate() {
        let (next, _) = after(&model, step);
        if next == model {
            world.live(&model, std::slice::from_ref(step));
            continue;
        }
        for tear in Tear::ALL {
            for after in 0.. {
                let mut cut = world.clone();
                cut.nor = cut.nor.with_seed(random.bits());
                let mut written = false;
                let fuse = Fuse { after, count, tear };
                let both = (&model, &next);
                if !cut.cut(both, step, fuse, &mut written) {
                    break;
                }
                tally.cuts += 1;
                for _ in 0..random.below(4) {
                    let after = random.below(3 * word);
                    let fuse = Fuse { after, tear: Tear::ALL[random.below(4) as usize], count };
                    let from = if cut.holds(&next).is_ok() { &next } else { &model };
                    let again = cut.cut((from, &next), step, fuse, &mut written);
                    tally.again += u32::from(again);
                }
                assert_eq!(cut.step(step, &mut written), Ok(()), "{fuse:?}, {step:?}");
                cut.holds(&next).unwrap();
                if random.below(16) == 0 {
                    cut.live(&next, &life[at + 1..]);
                }
            }
        }
        model = world.live(&model, std::slice::from_ref(step));
    }
    let Tally { cuts, again } = tally;
    println!("W {W:2} E {E:4} cell {cell:5} {rewrite:?}: {cuts} cuts, {again} while recovering");
    assert!(cuts > 500 && again > cuts / 4);
}

#[test]
fn cuts_w1() {
    cut_everywhere::<1, 128>(640, Rewrite::Free, Count::Words);
}

#[test]
fn cuts_w4_small_units() {
    cut_everywhere::<4, 128>(768, Rewrite::Free, Count::Words);
}

#[test]
fn cuts_w8_one_unit_a_cell() {
    cut_everywhere::<8, 1024>(1024, Rewrite::Once, Count::Words);
}

#[test]
fn cuts_w16_file_and_records_in_units_of_both() {
    cut_everywhere::<16, 256>(1024, Rewrite::OnceOrZero, Count::Calls);
}

#[test]
fn cuts_w32() {
    cut_everywhere::<32, 2048>(2048, Rewrite::Once, Count::Words);
}

#[test]
fn cuts_w32_in_units_of_their_own() {
    cut_everywhere::<32, 512>(1536, Rewrite::Free, Count::Words);
}

/// Long lives, with the power cut now and then.
#[test]
fn lives_like_the_model() {
    fn live<const W: usize, const E: usize>(cell: u32, rewrite: Rewrite, seed: u64) {
        let mut random = Random::new(seed);
        let mut world = World::<W, E>::new(cell, rewrite);
        let mut model = Model::default();
        let mut cuts = 0;
        for step in steps(&mut random, 300, cell - RECORDS_LEN) {
            let (next, taken) = after(&model, &step);
            if taken && random.percent(30) {
                let fuse = Fuse {
                    after: random.below(40),
                    count: Count::Calls,
                    tear: Tear::ALL[random.below(4) as usize],
                };
                let mut written = false;
                let cut = world.cut((&model, &next), &step, fuse, &mut written);
                cuts += u32::from(cut);
                assert_eq!(world.step(&step, &mut written), Ok(()), "{fuse:?}, {step:?}");
                world.holds(&next).unwrap();
                model = next;
            } else {
                model = world.live(&model, &[step]);
            }
        }
        assert!(cuts > 10, "{cuts}");
        let wear = world.nor.wear();
        assert_eq!(wear[0], 0, "what is not the store's is left alone");
    }
    live::<1, 256>(1280, Rewrite::Free, 1);
    live::<4, 1024>(1024, Rewrite::Once, 2);
    live::<8, 512>(1024, Rewrite::OnceOrZero, 3);
    live::<32, 1024>(2048, Rewrite::Once, 4);
}

fn install<const W: usize, const E: usize>(world: &mut World<W, E>, slot: u8, minor: u8) -> Entry {
    let step = Step::Install(slot, vec![minor; 700], Version::new(1, minor, 0));
    world.step(&step, &mut false).unwrap();
    *world.open().entry(slot).expect("installed")
}

/// States change more often than a cell has places: the file moves, and nothing is lost.
#[test]
fn a_full_cell_moves() {
    let mut world = World::<8, 512>::new(1536, Rewrite::Once);
    let mut cells = vec![install(&mut world, 1, 1).cell];
    for round in 0..20 {
        let state = if round % 2 == 0 { State::Disabled } else { State::Active };
        world.step(&Step::Set(1, state), &mut false).unwrap();
        let (held, _) =
            after(&Model::default(), &Step::Install(1, vec![1; 700], Version::new(1, 1, 0)));
        let mut held = held;
        held[1].as_mut().unwrap().state = state;
        world.holds(&held).unwrap();
        cells.push(world.open().entry(1).unwrap().cell);
    }
    cells.dedup();
    assert_eq!(cells.len(), 5, "{cells:?}");
}

/// What was removed stays known, while other slots come and go around it.
#[test]
fn the_floor_outlives_the_file() {
    let mut world = World::<4, 512>::new(1536, Rewrite::Once);
    install(&mut world, 2, 7);
    world.step(&Step::Set(2, State::Removed), &mut false).unwrap();
    for minor in 10..40 {
        install(&mut world, minor % 2, minor);
        let store = world.open();
        assert_eq!(store.floor(2), Some(Version::new(1, 7, 0)));
        assert_eq!(store.file_region(2), None);
        assert_eq!(store.find(&file(&[7; 700], Version::new(1, 7, 0)).fingerprint), None);
    }
    assert_eq!(world.step(&Step::Set(2, State::Active), &mut false), Err(Failure::NoPlugin));
    assert_eq!(world.step(&Step::Set(2, State::Removed), &mut false), Ok(()));
    install(&mut world, 2, 8);
    assert_eq!(world.open().floor(2), Some(Version::new(1, 8, 0)));
}

/// Cut after cut within the one record, beside a file that leaves no unit to erase: in the end the
/// file has to come again, and then all is well.
#[test]
fn torn_records_use_up_the_places() {
    let mut world = World::<8, 2048>::new(2048, Rewrite::Once);
    let old = install(&mut world, 0, 1);
    let step = Step::Install(0, vec![2; 700], Version::new(1, 2, 0));
    let mut written = false;
    // Everything but the record.
    let operations = {
        let mut whole = world.clone();
        let before = whole.nor.counts().operations(Count::Words);
        whole.step(&step, &mut false).unwrap();
        whole.nor.counts().operations(Count::Words) - before
    };
    for cut in 0..5 {
        let after = if cut == 0 { operations - 1 } else { 11 };
        world.nor.arm(Some(Fuse { after, count: Count::Words, tear: Tear::Clean }));
        assert!(world.step(&step, &mut written).is_err());
        assert!(!world.nor.is_powered() && written);
        world.nor.power_on();
        assert_eq!(world.open().entry(0), Some(&old));
    }
    assert_eq!(world.step(&step, &mut written), Err(Failure::JournalFull));
    assert_eq!(world.open().entry(0), Some(&old));
    assert_eq!(world.step(&step, &mut false), Ok(()));
    assert_eq!(world.open().floor(0), Some(Version::new(1, 2, 0)));
}

/// Who does not know whether a file was committed says it again: the cell that is spare by then, with
/// the old file in it, does not become the slot's.
#[test]
fn committing_twice_is_committing_once() {
    let mut world = World::<8, 512>::new(1536, Rewrite::Once);
    install(&mut world, 1, 1);
    let entry = install(&mut world, 1, 2);
    let (before, mut store) = (world.nor.digest(), world.open());
    assert_eq!(block_on(store.commit(&mut world.nor, 1, &entry.file)), Ok(()));
    assert_eq!(store.entry(1), Some(&entry));
    assert_eq!(world.nor.digest(), before);
}

/// A download that is resumed after a cut may prepare again, and nothing is erased; after a new
/// one began nothing old is left.
#[test]
fn preparing_erases_old_records_once() {
    let mut world = World::<4, 512>::new(1536, Rewrite::Once);
    for minor in 0..10 {
        install(&mut world, 0, minor);
    }
    let mut store = world.open();
    let erases = |world: &World<4, 512>| world.nor.counts().erases;
    let before = erases(&world);
    block_on(store.prepare(&mut world.nor)).unwrap();
    let once = erases(&world);
    assert_eq!(once - before, 1, "the one unit with records");
    block_on(store.prepare(&mut world.nor)).unwrap();
    assert_eq!(erases(&world), once);
    let spare = store.spare();
    let mut records = [0; RECORDS_LEN as usize];
    world.nor.read(spare.end() - RECORDS_LEN, &mut records).unwrap();
    assert_eq!(records, [0xff; RECORDS_LEN as usize]);
}

/// The bytes as they are drawn, from another hand; and the count goes on behind its end.
#[test]
fn a_record_as_drawn() {
    let mut world = World::<16, 512>::new(1024, Rewrite::Once);
    let at = world.spec.region.offset + 1024 + 1024 - 480 + 96; // cell 1, record 1
    let (digest, fingerprint) = ([0xd1; 32], [0xf1; 32]);
    let mut record = Vec::new();
    for number in [u32::MAX, 333, 1024] {
        record.extend(number.to_le_bytes());
    }
    record.extend([2, 2, 0xff, 0xff]);
    record.extend([3, 1, 4, 0, 9, 0, 0, 0]);
    record.extend(fingerprint);
    record.extend(digest);
    let mut sealed = vec![b'S'];
    sealed.extend(at.to_le_bytes());
    sealed.extend(&record);
    record.extend(&Hash::of(&sealed)[..8]);
    assert_eq!(record.len(), 96);

    let mut elsewhere = world.clone();
    elsewhere.nor.place(at + 96, &record).unwrap();
    assert_eq!(elsewhere.open().entry(2), None, "a record counts where it was written");

    world.nor.place(at, &record).unwrap();
    let version = Version { major: 3, minor: 1, revision: 4, build: 9 };
    let file = File { size: 333, version, fingerprint, digest };
    let entry = Entry { cell: 1, sequence: u32::MAX, state: State::Disabled, file };
    assert_eq!(world.open().entry(2), Some(&entry));
    assert_eq!(world.open().file_region(2), Some(Region::new(512 + 1024, 333)));
    for (minor, sequence) in (0..).zip([0, 1, 2]) {
        assert_eq!(install_short(&mut world, minor).sequence, sequence);
    }

    for bit in 0..96 * 8 {
        let mut flipped = World::<16, 512>::new(1024, Rewrite::Once);
        let mut record = record.clone();
        record[bit / 8] ^= 1 << (bit % 8);
        flipped.nor.place(at, &record).unwrap();
        assert_eq!(flipped.open().entry(2), None, "bit {bit}");
    }
}

fn install_short(world: &mut World<16, 512>, minor: u8) -> Entry {
    let step = Step::Install(2, vec![minor; 200], Version::new(4, minor, 0));
    world.step(&step, &mut false).unwrap();
    *world.open().entry(2).expect("installed")
}

#[test]
fn what_does_not_fit() {
    let mut world = World::<4, 512>::new(1024, Rewrite::Free);
    let mut store = world.open();
    let about = |size| File { size, ..file(b"x", Version::new(1, 0, 0)) };
    assert_eq!(store.capacity(), 1024 - 480);
    for (slot, size, why) in [
        (0, 0, Failure::SizeZero),
        (0, 545, Failure::PluginTooLarge),
        (0, u32::MAX, Failure::PluginTooLarge),
        (3, 1, Failure::NoPlugin),
        (255, 1, Failure::NoPlugin),
    ] {
        assert_eq!(block_on(store.commit(&mut world.nor, slot, &about(size))), Err(why));
    }
    for slot in [0, 3, 255] {
        let removed = block_on(store.set_state(&mut world.nor, slot, State::Removed));
        assert_eq!(removed, Err(Failure::NoPlugin));
        assert_eq!((store.entry(slot), store.file_region(slot)), (None, None));
    }
    let sound = world.spec;
    let region = sound.region;
    for unsound in [
        Spec { cell: 1000, ..sound },
        Spec { cell: 1536, ..sound },
        Spec { cell: 0, ..sound },
        Spec { cell: u32::MAX - 511, ..sound },
        Spec { cell: 512, erase: 0, ..sound },
        Spec { cell: 480, erase: 480, region: Region::new(480, 4096), ..sound },
        Spec { write: 0, ..sound },
        Spec { write: 3, ..sound },
        Spec { write: 64, ..sound },
        Spec { region: Region::new(region.offset + 4, region.len), ..sound },
        Spec { region: Region::new(u32::MAX - 511, region.len), ..sound },
        Spec { region: Region::new(region.offset, region.len - 1), ..sound },
    ] {
        let mut store = Store::<SLOTS>::new(unsound);
        let opened = block_on(store.open(&mut world.nor));
        assert_eq!(opened, Err(Failure::Misconfigured), "{unsound:?}");
    }
}
