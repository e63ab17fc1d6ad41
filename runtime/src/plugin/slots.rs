//! The plugins a pipeline has room for: none, or those of a store in flash.

use super::{Facts, store::State};
use crate::{error::Failure, layout::Region, version::Version};
use core::{convert::Infallible, fmt::Debug};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

/// Where a downloaded plugin is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Room {
    /// Whole erase units, the first byte of the file first.
    pub region: Region,
    /// Longest file in bytes.
    pub capacity: u32,
}

/// What a slot holds, or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Held {
    /// The file.
    pub file: Region,
    /// Its version.
    pub version: Version,
    /// How it stands.
    pub state: State,
}

/// How often in a row a plugin that ended by itself is started again from the store. After that its
/// slot rests until the next boot, the next file for it, or an order: documents from outside must not
/// keep a device busy with loading what they end.
pub const FALLS_MAX: u8 = 3;

/// The plugins of a pipeline.
#[also_blocking]
#[allow(async_fn_in_trait)] // device executors are single-threaded: futures need not be Send
pub trait Plugins {
    /// What the verifier proves of a plugin.
    type Proof: Clone + Debug;

    /// Whether there can be any: where not, the compiler leaves out what is about them.
    const ANY: bool;

    /// Names of the slots, in the order of their numbers.
    fn names(&self) -> &'static [&'static str];

    /// Finds what the slots hold.
    ///
    /// # Errors
    /// [`Failure::Read`] where flash cannot be read.
    async fn open<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure>;

    /// Where the next plugin is written.
    fn room(&self) -> Room;

    /// What a slot holds, or held.
    fn held(&self, slot: u8) -> Option<Held>;

    /// The slot that holds the file of this fingerprint.
    fn find(&self, fingerprint: &[u8; 32]) -> Option<u8>;

    /// Readies the room for a download: nothing in it is taken for a plugin from here on.
    ///
    /// # Errors
    /// What flash says.
    async fn prepare<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure>;

    /// The slot that a plugin is for.
    ///
    /// # Errors
    /// [`Failure::NoPlugin`] where there is no slot of its name; [`Failure::SignedNotNewer`] where
    /// the slot has, or had, one as new.
    fn admit(&self, plugin: &Self::Proof) -> Result<u8, Failure>;

    /// What the signed bytes of a plugin say.
    fn facts(plugin: &Self::Proof) -> &Facts;

    /// Length of the verified file, in bytes, and its SHA-256.
    fn file(plugin: &Self::Proof) -> (u32, [u8; 32]);

    /// Hears whether the plugin in `slot` runs that was started there, and says whether it is to be
    /// started again. Not where it runs; nor where it fell [`FALLS_MAX`] times in a row.
    fn attend(&mut self, slot: u8, runs: bool) -> bool;

    /// Makes the plugin in the room that of its slot.
    ///
    /// # Errors
    /// As of [`admit`](Self::admit), and what flash says: then the slot holds what it held.
    async fn commit<F: NorFlash>(
        &mut self,
        flash: &mut F,
        plugin: &Self::Proof,
        fingerprint: &[u8; 32],
    ) -> Result<(), Failure>;

    /// Changes how the plugin in `slot` stands. What was downloaded to the room is lost.
    ///
    /// # Errors
    /// [`Failure::NoPlugin`] where the slot holds none; what flash says.
    async fn set<F: NorFlash>(
        &mut self,
        flash: &mut F,
        slot: u8,
        state: State,
    ) -> Result<(), Failure>;
}

/// A pipeline without plugins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoPlugins;

#[also_blocking]
impl Plugins for NoPlugins {
    type Proof = Infallible;
    const ANY: bool = false;

    fn names(&self) -> &'static [&'static str] {
        &[]
    }

    async fn open<F: NorFlash>(&mut self, _: &mut F) -> Result<(), Failure> {
        Ok(())
    }

    fn room(&self) -> Room {
        Room { region: Region::new(0, 0), capacity: 0 }
    }

    fn held(&self, _: u8) -> Option<Held> {
        None
    }

    fn find(&self, _: &[u8; 32]) -> Option<u8> {
        None
    }

    async fn prepare<F: NorFlash>(&mut self, _: &mut F) -> Result<(), Failure> {
        Ok(())
    }

    fn admit(&self, plugin: &Infallible) -> Result<u8, Failure> {
        match *plugin {}
    }

    fn facts(plugin: &Infallible) -> &Facts {
        match *plugin {}
    }

    fn file(plugin: &Infallible) -> (u32, [u8; 32]) {
        match *plugin {}
    }

    fn attend(&mut self, _: u8, _: bool) -> bool {
        false
    }

    async fn commit<F: NorFlash>(
        &mut self,
        _: &mut F,
        plugin: &Infallible,
        _: &[u8; 32],
    ) -> Result<(), Failure> {
        match *plugin {}
    }

    async fn set<F: NorFlash>(&mut self, _: &mut F, _: u8, _: State) -> Result<(), Failure> {
        Err(Failure::NoPlugin)
    }
}
