//! The plugin's end of the boundary: the memory the host writes to between calls.
//!
//! The only file of this crate with unsafe code. A plugin has one thread, and the host calls one
//! function at a time: while a call is under way nobody else touches this memory, between calls
//! only the host does.

#![allow(unsafe_code)]

use core::cell::UnsafeCell;

use crate::{
    Descriptor, Error, Failure, Protocols,
    abi::{Answer, Event, Input},
    protocol::Answer as Said,
};

/// What is asked of every plugin.
pub trait Plugin {
    /// What `ota_abi` returns.
    const WORD: i32;

    /// Address of the io block.
    ///
    /// # Safety
    /// No other call into the plugin is under way.
    unsafe fn io(&'static self) -> i32;
}

/// An input buffer, and the io block that says where it is.
#[repr(C, align(4))]
struct Inbox<const INPUT: usize> {
    io: UnsafeCell<[u32; 4]>,
    input: UnsafeCell<[u8; INPUT]>,
}

impl<const INPUT: usize> Inbox<INPUT> {
    const fn new() -> Self {
        Inbox { io: UnsafeCell::new([0; 4]), input: UnsafeCell::new([0; INPUT]) }
    }

    /// # Safety
    /// No other call into the plugin is under way.
    unsafe fn io(&'static self, records: u32, count: usize) -> i32 {
        let io = [self.input.get() as u32, INPUT as u32, records, count as u32];
        // SAFETY: nobody else holds a reference, as the caller says.
        unsafe { self.io.get().write(io) };
        self.io.get() as i32
    }

    /// What the host wrote.
    ///
    /// # Safety
    /// No other call into the plugin is under way.
    unsafe fn read(&'static self, len: u32) -> &'static [u8] {
        let len = (len as usize).min(INPUT);
        // SAFETY: within the array, initialised, and not written before the call returns.
        unsafe { core::slice::from_raw_parts(self.input.get().cast(), len) }
    }
}

/// A parser plugin.
#[repr(C)]
pub struct Parsing<const INPUT: usize> {
    descriptor: UnsafeCell<Descriptor<'static>>,
    inbox: Inbox<INPUT>,
}

// SAFETY: a plugin has one thread; the module is built for wasm without threads only.
unsafe impl<const INPUT: usize> Sync for Parsing<INPUT> {}

impl<const INPUT: usize> Parsing<INPUT> {
    /// Before the first document.
    #[expect(clippy::new_without_default, reason = "it is made once, as a static")]
    pub const fn new() -> Self {
        Parsing { descriptor: UnsafeCell::new(Descriptor::new()), inbox: Inbox::new() }
    }

    /// Reads a document.
    ///
    /// # Safety
    /// No other call into the plugin is under way.
    pub unsafe fn parse(
        &'static self,
        len: u32,
        index: u32,
        parse: fn(&'static [u8], u8, &mut Descriptor<'static>) -> Result<(), Error>,
    ) -> i32 {
        // SAFETY: as the caller says; each is referred to once.
        let (document, descriptor) = unsafe { (self.inbox.read(len), &mut *self.descriptor.get()) };
        descriptor.clear();
        // Host and job decide on the number; there is no file beyond 255.
        let result = match u8::try_from(index) {
            Ok(index) => parse(document, index, descriptor),
            Err(_) => Err(Error::Malformed(Failure::NoSuchFile)),
        };
        answer(result.and_then(|()| Ok(descriptor.check()?)), descriptor.count())
    }
}

impl<const INPUT: usize> Plugin for Parsing<INPUT> {
    const WORD: i32 = crate::abi::Kind::Parser.word();

    unsafe fn io(&'static self) -> i32 {
        // SAFETY: as the caller says.
        unsafe {
            let records = (*self.descriptor.get()).records();
            self.inbox.io(records.as_ptr() as u32, records.len())
        }
    }
}

/// A protocol plugin.
#[repr(C)]
pub struct Talking<T, const INPUT: usize, const SCRATCH: usize> {
    inbox: Inbox<INPUT>,
    said: UnsafeCell<Said>,
    state: UnsafeCell<T>,
    /// Where messages are written.
    scratch: UnsafeCell<[u8; SCRATCH]>,
}

// SAFETY: a plugin has one thread; the module is built for wasm without threads only.
unsafe impl<T, const INPUT: usize, const SCRATCH: usize> Sync for Talking<T, INPUT, SCRATCH> {}

impl<T: Protocols, const INPUT: usize, const SCRATCH: usize> Talking<T, INPUT, SCRATCH> {
    /// Before anything is known.
    #[expect(clippy::new_without_default, reason = "it is made once, as a static")]
    pub const fn new() -> Self {
        Talking {
            inbox: Inbox::new(),
            said: UnsafeCell::new(Said::NOTHING),
            state: UnsafeCell::new(T::NEW),
            scratch: UnsafeCell::new([0; SCRATCH]),
        }
    }

    /// Hears an event.
    ///
    /// # Safety
    /// No other call into the plugin is under way.
    pub unsafe fn event(&'static self, event: u32, len: u32) -> i32 {
        // SAFETY: as the caller says; each is referred to once.
        let (input, said, state, scratch) = unsafe {
            (
                self.inbox.read(len),
                &mut *self.said.get(),
                &mut *self.state.get(),
                &mut *self.scratch.get(),
            )
        };
        said.count = 0;
        let result = match (Event::from_number(event), Input::read(input)) {
            (Some(event), Some(input)) => state.event(event, input, scratch, said),
            (Some(_), None) => Err(Error::Malformed(Failure::BadNumber)),
            // Of a newer host.
            (None, _) => Ok(()),
        };
        answer(result, said.count as u32)
    }
}

impl<T: Protocols, const INPUT: usize, const SCRATCH: usize> Plugin for Talking<T, INPUT, SCRATCH> {
    const WORD: i32 = T::KIND.word();

    unsafe fn io(&'static self) -> i32 {
        // SAFETY: as the caller says.
        unsafe {
            let records = &(*self.said.get()).records;
            self.inbox.io(records.as_ptr() as u32, records.len())
        }
    }
}

fn answer(result: Result<(), Error>, count: u32) -> i32 {
    match result {
        Ok(()) => Answer::Records(count),
        Err(Error::NotMine(why)) => Answer::NotMine(why),
        Err(Error::Malformed(why)) => Answer::Malformed(why),
    }
    .result()
}
