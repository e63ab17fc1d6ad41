//! Plugins in a store in flash, each in the slot of its name.

use super::{
    Facts, Plugins,
    slots::{FALLS_MAX, Held, Room},
    store::{File, Spec, State, Store},
};
use crate::{error::Failure, layout::Region, verify::VerifiedPlugin};
use coreota_macros::also_blocking;
use embedded_storage_async::nor_flash::NorFlash;

/// The plugins of a pipeline with `SLOTS` slots.
#[derive(Clone, Debug)]
pub struct Stored<const SLOTS: usize> {
    names: &'static [&'static str; SLOTS],
    store: Store<SLOTS>,
    /// How often in a row each ended by itself.
    falls: [u8; SLOTS],
}

impl<const SLOTS: usize> Stored<SLOTS> {
    /// Plugins of these names, in the order of their slots, in the store of that place.
    pub const fn new(names: &'static [&'static str; SLOTS], spec: Spec) -> Self {
        Stored { names, store: Store::new(spec), falls: [0; SLOTS] }
    }
}

#[also_blocking]
impl<const SLOTS: usize> Plugins for Stored<SLOTS> {
    type Proof = VerifiedPlugin;
    const ANY: bool = SLOTS > 0;

    fn names(&self) -> &'static [&'static str] {
        self.names
    }

    async fn open<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure> {
        self.store.open(flash).await
    }

    fn room(&self) -> Room {
        Room { region: self.store.spare(), capacity: self.store.capacity() }
    }

    fn held(&self, slot: u8) -> Option<Held> {
        let entry = self.store.entry(slot)?;
        // A plugin that was removed has no file.
        let file = self.store.file_region(slot).unwrap_or(Region::new(0, 0));
        Some(Held { file, version: entry.file.version, state: entry.state })
    }

    fn find(&self, fingerprint: &[u8; 32]) -> Option<u8> {
        self.store.find(fingerprint)
    }

    async fn prepare<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure> {
        self.store.prepare(flash).await
    }

    fn admit(&self, plugin: &VerifiedPlugin) -> Result<u8, Failure> {
        let mut slots = (0..).zip(self.names);
        let (slot, _) = slots.find(|(_, name)| **name == plugin.name()).ok_or(Failure::NoPlugin)?;
        match self.store.floor(slot) {
            Some(floor) if plugin.facts().version <= floor => Err(Failure::SignedNotNewer),
            _ => Ok(slot),
        }
    }

    fn facts(plugin: &VerifiedPlugin) -> &Facts {
        plugin.facts()
    }

    fn file(plugin: &VerifiedPlugin) -> (u32, [u8; 32]) {
        (plugin.size(), plugin.digest())
    }

    fn attend(&mut self, slot: u8, runs: bool) -> bool {
        let Some(falls) = self.falls.get_mut(usize::from(slot)) else { return false };
        *falls = if runs { 0 } else { falls.saturating_add(1) };
        (1..=FALLS_MAX).contains(falls)
    }

    async fn commit<F: NorFlash>(
        &mut self,
        flash: &mut F,
        plugin: &VerifiedPlugin,
        fingerprint: &[u8; 32],
    ) -> Result<(), Failure> {
        let slot = self.admit(plugin)?;
        let file = File {
            size: plugin.size(),
            version: plugin.facts().version,
            fingerprint: *fingerprint,
            digest: plugin.digest(),
        };
        self.store.commit(flash, slot, &file).await
    }

    async fn set<F: NorFlash>(
        &mut self,
        flash: &mut F,
        slot: u8,
        state: State,
    ) -> Result<(), Failure> {
        self.store.set_state(flash, slot, state).await
    }
}
