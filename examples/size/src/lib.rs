//! What the images have in common: an entry point, a [`board`] that is not there, and the [`device`]
//! on it.
//!
//! On a host the images are empty programs, so that the workspace builds everywhere.
#![no_std]

/// The firmware in README.md, compiled with this folder's `ota.toml`.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

pub mod board;
pub mod device;

/// Makes `$start` the image's entry point.
#[macro_export]
macro_rules! entry {
    ($start:expr) => {
        /// The entry point: where a linker without a script begins.
        #[cfg(target_os = "none")]
        #[unsafe(no_mangle)]
        pub extern "C" fn _start() -> ! {
            $start();
            loop {}
        }

        /// Linked only where some panic can be reached.
        #[cfg(target_os = "none")]
        #[panic_handler]
        fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
            core::hint::black_box(info);
            loop {}
        }

        #[cfg(not(target_os = "none"))]
        fn main() {
            _ = $start;
        }
    };
}
