//! A bootloader that keeps MCUboot's formats in flash: images, trailers and the status of a swap
//! are byte for byte MCUboot's, so that either can go on where the other lost its power. `no_std`,
//! without allocation, without unsafe code.
//!
//! It is what happens between a reset and the first instruction of an image: [`Loader::boot`]
//! finishes, begins or undoes a swap as the trailers say, and gives the place of the image to
//! start. A board's bootloader binary gives it a flash driver and the keys, and jumps:
//!
//! ```no_run
//! use coreota::boot::mcuboot::Mode;
//! use coreota::layout::Region;
//! use coreota::verify::{Native, Rules, formats};
//! use coreota_mcuboot::Loader;
//! # use coreota::verify::EcdsaP256;
//! # fn go(flash: &mut impl embedded_storage::nor_flash::NorFlash, rules: &Rules) {
//! const LOADER: Loader =
//!     Loader::new(Region::new(0, 0x50000), Region::new(0x80000, 0x60000), Mode::SwapOffset);
//!
//! let mut verifier = Native::<formats::Mcuboot, (EcdsaP256,)>::new();
//! match LOADER.boot(flash, &mut verifier, rules, &mut [0; 1024]) {
//!     Ok(booted) => { /* jump to `booted.payload.offset`, or copy it to RAM first */ }
//!     Err(_) => { /* reset: a trial that does not verify is undone by the next boot */ }
//! }
//! # }
//! ```
//!
//! # What it decides
//!
//! By the first row that fits, of the trailers of both slots (MCUboot's `bootutil_public.c`):
//!
//! | secondary | primary | it does |
//! |---|---|---|
//! | no magic | magic, no copy-done, a status entry | goes on with the swap that the swap info names |
//! | | magic, swap info, no copy-done, no status entry | begins that swap again |
//! | magic, copy-done, no image-ok; in swap-offset | | begins to go back again |
//! | magic, no image-ok | | swaps, on trial |
//! | magic, image-ok | | swaps, to stay |
//! | blank | magic, copy-done, no image-ok | goes back: the trial was not confirmed |
//! | anything else | | starts what is in the primary slot |
//!
//! Before a swap begins, the image in the secondary slot must pass the verifier; the secondary slot
//! is erased if it does not, and the primary image runs again. Before anything is started, the
//! primary image must pass too.
//!
//! # What differs from MCUboot
//!
//! - One pair of slots on one flash with erase units of one size; no encryption, no rollback
//!   counter beyond [`Rules::counter`](coreota::verify::Rules::counter).
//! - An image for another board is refused, where it names one (record `0x00a0`).
//! - An image that would reach into the erase units of a trailer is refused, in every mode.
//! - In swap-offset MCUboot leaves out units that only the longer of both images has; here they are
//!   copied. The status is the same.
//! - A request that a cut left half erased is not believed where the swap was recorded before: there
//!   MCUboot may put the image of before on trial, or wipe it out.
//! - In swap-scratch and overwrite-only a swap begins in an order of its own. It ends with the same
//!   bytes, and swaps that MCUboot began end as MCUboot would end them.
//!
//! # Proof
//!
//! `tests/golden.rs` boots from flash images that MCUboot itself wrote, in each mode, with each
//! write size, and compares every byte with what MCUboot made of them; so it does with images taken
//! in the middle of a swap. `boot_cuts` of `coreota` cuts the power at every flash operation, and tears
//! the operation that was hit; `tests/cuts.rs` cuts the boot after that too.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "sim")]
extern crate std;

mod disk;
mod image;
mod loader;
mod plan;
#[cfg(feature = "sim")]
pub mod sim;
mod swap;

pub use coreota::boot::How;
pub use loader::{Booted, Loader, Stopped};
