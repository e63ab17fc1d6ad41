//! The board of the bench: QEMU's `mps2-an386`, run with `-icount shift=6`, so that time there is
//! instructions, and with semihosting, by which it prints and ends.
//!
//! No formatting machinery here: what the images have in common must not hide what an engine brings.
#![no_std]

use core::arch::asm;
use core::cell::RefCell;

use cortex_m::{peripheral::SYST, peripheral::syst::SystClkSource};

/// The plugin of the bench: the sample, as it is committed.
pub const PLUGIN: &[u8] = include_bytes!("../../../plugins/samples/acme-jobs/acme-jobs.wasm");
/// What it reads: 589 bytes.
pub const DOCUMENT: &[u8] =
    include_bytes!("../../../plugins/samples/acme-jobs/documents/two-packages.json");

/// SysTick counts at 25 MHz, and an instruction takes 2^6 ns: 8 instructions are 64 * 8 / 40 ticks.
const TICKS_OF_5_INSTRUCTIONS: u32 = 8;

/// Counts instructions.
pub struct Counter(RefCell<SYST>);

impl Counter {
    /// Starts to count.
    ///
    /// # Panics
    /// Where the board was already taken.
    pub fn new() -> Self {
        let Some(board) = cortex_m::Peripherals::take() else { fail("taken twice") };
        let mut timer = board.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(0x00ff_ffff);
        timer.clear_current();
        timer.enable_counter();
        Counter(RefCell::new(timer))
    }

    /// What `f` returns, and how many instructions it took: at most 10 million, to about 10.
    pub fn count<R>(&self, f: impl FnOnce() -> R) -> (R, u32) {
        let now = || {
            let _held = self.0.borrow_mut();
            SYST::get_current()
        };
        let before = now();
        let result = core::hint::black_box(f());
        let ticks = before.wrapping_sub(now()) & 0x00ff_ffff;
        (result, ticks / TICKS_OF_5_INSTRUCTIONS * 5)
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

/// A call of the emulator (ARM semihosting, version 3).
fn call(operation: u32, argument: *const u8) {
    // SAFETY: the operations used here read what they are given, and change no memory.
    unsafe { asm!("bkpt 0xab", inout("r0") operation => _, in("r1") argument) }
}

/// Prints a text that ends with a 0.
fn write(text: &[u8]) {
    const SYS_WRITE0: u32 = 0x04;
    debug_assert!(text.last() == Some(&0));
    call(SYS_WRITE0, text.as_ptr());
}

/// Prints a line: `name value`.
pub fn tell(name: &str, value: usize) {
    let mut line = [0; 64];
    let mut at = 0;
    let mut put = |byte| {
        if let Some(to) = line.get_mut(at).filter(|_| at < 63) {
            *to = byte;
            at += 1;
        }
    };
    name.bytes().for_each(&mut put);
    put(b' ');
    let mut divisor = 1;
    while value / divisor >= 10 {
        divisor *= 10;
    }
    while divisor > 0 {
        put(b'0' + (value / divisor % 10) as u8);
        divisor /= 10;
    }
    put(b'\n');
    write(&line);
}

/// Prints texts one behind the other.
pub fn say(texts: &[&str]) {
    let bytes = texts.iter().flat_map(|text| text.bytes());
    bytes.for_each(|byte| write(&[byte, 0]));
}

/// Prints that it went well, and ends the emulator.
pub fn succeed() -> ! {
    write(b"done\n\0");
    exit(0x20026)
}

/// Prints why it did not, and ends the emulator.
pub fn fail(why: &str) -> ! {
    tell(why, 0);
    exit(0x20023)
}

fn exit(reason: usize) -> ! {
    const SYS_EXIT: u32 = 0x18;
    loop {
        call(SYS_EXIT, reason as *const u8);
    }
}

/// Gives an image its panic handler, which ends the plugin that runs, or the emulator.
#[macro_export]
macro_rules! panics {
    ($($abandon:expr)?) => {
        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            $($abandon;)?
            $crate::fail("panic")
        }

        #[cortex_m_rt::exception]
        unsafe fn HardFault(_: &cortex_m_rt::ExceptionFrame) -> ! {
            $crate::fail("fault")
        }
    };
}
