//! One hosted plugin: comes in pieces or compiled in, is loaded, called, and gone.
#![allow(unsafe_code)] // keeps the engine's state by pointer, in the arena

use core::{ptr::NonNull, slice};

use coreota::{
    error::Failure,
    plugin::{Facts, Plug},
};
use coreota_plugin_abi::{ABI, Fault, IO, Io, Kind, Record, Span};

use crate::{
    Home, Usage,
    contain::Containment,
    engine::{Engine, wasmi::Wasmi},
    limits::Limits,
    prescan,
};

extern crate alloc;

/// A plugin, and where it lives.
pub(crate) struct Plugin {
    home: Home,
    kind: Kind,
    /// The arena, from the first module on until it is stopped.
    inside: Option<Containment>,
    state: State,
    /// What was started from its slot: whether it still runs, or why not; `None` where nothing was.
    plugged: Option<Result<(), Failure>>,
    burned: u32,
    /// Nothing was told to it since its instance was made.
    new: bool,
}

enum State {
    /// None is loaded, and why.
    Empty(Failure),
    /// The module comes in pieces.
    Filling { len: usize, got: usize, limits: Limits },
    /// It runs. Points into the arena.
    Loaded(NonNull<Loaded>),
}

/// What of a plugin is in its arena.
struct Loaded {
    engine: Wasmi,
    io: Io,
}

const fn sendable<T: Send>() {}
const _: () = sendable::<Loaded>();

// SAFETY: what the state points to can be sent (above), and lives in the arena that this owns.
unsafe impl Send for Plugin {}

impl Plugin {
    pub(crate) const fn new(home: Home, kind: Kind) -> Self {
        Plugin {
            home,
            kind,
            inside: None,
            state: State::Empty(Failure::NoPlugin),
            plugged: None,
            burned: 0,
            new: false,
        }
    }

    pub(crate) const fn home(&self) -> &Home {
        &self.home
    }

    /// Takes a step told by the core.
    pub(crate) fn plug(&mut self, step: Plug<'_>) -> Result<(), Failure> {
        let done = match step {
            Plug::Check => return self.plugged.unwrap_or(Ok(())),
            Plug::Begin(facts) => self.begin(facts),
            Plug::Bytes(bytes) => self.fill(bytes),
            Plug::Start => self.start(),
            Plug::Stop => {
                self.stop(Failure::NoPlugin);
                Ok(())
            }
        };
        self.plugged = (step == Plug::Start && done.is_ok()).then_some(Ok(()));
        if let Err(why) = done {
            self.stop(why);
        }
        done
    }

    /// Ends whatever runs, and gives the arena back.
    fn stop(&mut self, why: Failure) {
        self.state = State::Empty(why);
        self.inside = None;
    }

    /// The arena, empty but for room for a module of `len` bytes.
    fn clear(&mut self, len: usize) -> Result<&mut Containment, Failure> {
        self.stop(Failure::NoPlugin);
        let inside = Containment::new((self.home.arena)(), (self.home.stack)())?;
        let inside = self.inside.insert(inside);
        if inside.heap().reset(len) { Ok(inside) } else { Err(Failure::PluginMemory) }
    }

    fn begin(&mut self, facts: &Facts) -> Result<(), Failure> {
        let most = self.home.limits;
        most.admit(facts, self.kind, (self.home.arena)().size())?;
        let len = facts.len as usize;
        self.clear(len)?;
        self.state = State::Filling { len, got: 0, limits: most.within(facts) };
        Ok(())
    }

    fn fill(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let (State::Filling { len, got, .. }, Some(inside)) = (&mut self.state, &mut self.inside)
        else {
            return Err(Failure::NoPlugin);
        };
        if bytes.len() > *len - *got {
            return Err(Failure::PluginMalformed);
        }
        let (at, kept) = inside.heap().kept();
        debug_assert!(*len <= kept);
        // SAFETY: `len` bytes from there on are kept out of the heap, and these are among them.
        unsafe { at.add(*got).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        *got += bytes.len();
        Ok(())
    }

    fn start(&mut self) -> Result<(), Failure> {
        let (State::Filling { len, got, limits }, Some(inside)) = (&self.state, &mut self.inside)
        else {
            return Err(Failure::NoPlugin);
        };
        if got != len {
            return Err(Failure::PluginMalformed);
        }
        let limits = *limits;
        let (at, _) = inside.heap().kept();
        // SAFETY: all of them were written, one after the other, and they stay out of the heap
        // until the module has been read.
        let module = unsafe { slice::from_raw_parts(at, *len) };
        self.load(module, limits)?;
        if let Some(inside) = &mut self.inside {
            // What the engine keeps of the module is its own by now.
            inside.heap().release();
        }
        Ok(())
    }

    fn load(&mut self, module: &[u8], limits: Limits) -> Result<(), Failure> {
        let kind = self.kind;
        let inside = self.inside.as_mut().ok_or(Failure::NoPlugin)?;
        prescan::check(module, &limits)?;
        let arena = inside.heap().bounds();
        let loaded = inside.run(|| load(arena, module, &limits, kind))??;
        self.state = State::Loaded(loaded);
        self.new = true;
        Ok(())
    }

    /// Loads the module that is compiled in, where one is and it does not run.
    fn ready(&mut self) -> Result<NonNull<Loaded>, Failure> {
        if let (State::Empty(_), Some(module)) = (&self.state, self.home.module) {
            let loaded = self.clear(0).map(drop).and_then(|()| self.load(module, self.home.limits));
            if let Err(why) = loaded {
                self.stop(why);
            }
        }
        match self.state {
            State::Loaded(loaded) => Ok(loaded),
            State::Filling { .. } => Err(Failure::NoPlugin),
            State::Empty(why) => Err(why),
        }
    }

    /// Loads what is compiled in, where nothing runs.
    ///
    /// # Errors
    /// Why none can be called.
    pub(crate) fn wake(&mut self) -> Result<(), Failure> {
        self.ready().map(drop)
    }

    /// Whether its instance was made since this was asked last: it knows nothing yet.
    pub(crate) const fn take_new(&mut self) -> bool {
        core::mem::replace(&mut self.new, false)
    }

    /// Undoes [`Plugin::take_new`].
    pub(crate) const fn make_new(&mut self) {
        self.new = true;
    }

    /// Writes input by `input`, which returns its length and the arguments of the call, and calls.
    ///
    /// Returns the result and the plugin's memory, which holds what it means.
    ///
    /// # Errors
    /// Those of the engine, after which the plugin begins anew at the next call;
    /// [`Failure::TooBig`] where `input` finds no room.
    pub(crate) fn call(
        &mut self,
        input: impl FnOnce(&mut [u8]) -> Option<(u32, u32)>,
    ) -> Result<i32, Failure> {
        let mut loaded = self.ready()?;
        let inside = self.inside.as_mut().ok_or(Failure::NoPlugin)?;
        // Outside of a run: this allocates nothing.
        // SAFETY: the state points to what was loaded into the arena, which only a run uses besides.
        let this = unsafe { loaded.as_mut() };
        let Io { input: at, input_cap: len, .. } = this.io;
        let buffer = this
            .engine
            .memory_mut()
            .get_mut(at as usize..)
            .and_then(|from| from.get_mut(..len as usize));
        let (a, b) = input(buffer.ok_or(Failure::PluginBounds)?).ok_or(Failure::TooBig)?;
        let called = inside.run(|| {
            // SAFETY: as above; the reference outside is not used while this runs.
            let engine = unsafe { &mut loaded.as_mut().engine };
            let result = engine.call(a, b);
            match result.is_err().then(|| engine.restart()) {
                Some(Err(why)) => Err(why),
                _ => Ok((result, engine.burned())),
            }
        });
        match called {
            Ok(Ok((result, burned))) => {
                self.burned = burned;
                self.new |= result.is_err();
                result
            }
            // It did not run.
            Err(Failure::PluginBusy) => Err(Failure::PluginBusy),
            // It left, or does not start anew.
            Ok(Err(why)) | Err(why) => {
                self.stop(why);
                self.plugged = self.plugged.and(Some(Err(why)));
                Err(why)
            }
        }
    }

    /// The plugin's memory, where in it the input buffer is, and the records a call left there.
    pub(crate) fn answer(
        &self,
        count: u32,
    ) -> Result<(&[u8], Span, impl Iterator<Item = Record>), Failure> {
        let State::Loaded(loaded) = &self.state else { return Err(Failure::NoPlugin) };
        // SAFETY: the state points to what was loaded into the arena, which runs alone use mutably,
        // and they take `&mut self`.
        let this = unsafe { loaded.as_ref() };
        let memory = this.engine.memory();
        let input = Span { at: this.io.input, len: this.io.input_cap };
        Ok((memory, input, this.io.records(memory, count).map_err(broken)?))
    }

    /// What it takes of its arena; nothing while none is loaded.
    pub(crate) fn usage(&mut self) -> Usage {
        self.inside.as_mut().map_or_else(Usage::default, Containment::usage)
    }

    /// Fuel the last call burned.
    pub(crate) const fn burned(&self) -> u32 {
        self.burned
    }
}

/// Loads a module, inside.
fn load(
    arena: (usize, usize),
    module: &[u8],
    limits: &Limits,
    kind: Kind,
) -> Result<NonNull<Loaded>, Failure> {
    // Is it the arena that serves? Otherwise nothing of what follows is contained.
    let probe = core::hint::black_box(alloc::boxed::Box::new(0usize));
    let served = (&raw const *probe) as usize;
    drop(probe);
    if !(arena.0..arena.1).contains(&served) {
        return Err(Failure::PluginUnhosted);
    }
    let mut engine = Wasmi::load(module, limits)?;
    if Kind::from_word(engine.ask(ABI)?).map_err(broken)? != kind {
        return Err(Failure::PluginKind);
    }
    engine.enter(kind.export())?;
    let at = engine.ask(IO)?;
    let io = Io::read(engine.memory(), at).map_err(broken)?;
    let loaded = alloc::boxed::Box::new(Loaded { engine, io });
    // Never dropped: it goes with the arena.
    Ok(NonNull::from(alloc::boxed::Box::leak(loaded)))
}

/// What breaks the interface, as a failure.
pub(crate) fn broken(fault: Fault) -> Failure {
    match fault {
        Fault::Abi => Failure::PluginAbi,
        Fault::Io | Fault::Span => Failure::PluginBounds,
        Fault::Result | Fault::Count | Fault::Number | Fault::Twice | Fault::Missing => {
            Failure::PluginAnswer
        }
    }
}
