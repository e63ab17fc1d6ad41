//! A bootloader of one's own behind the `Boot` trait: two halves of flash, each image linked to
//! run where it lies, and a selector of a few lines that picks the half to run.
//!
//! `cargo run -p coreota --example custom_boot --features sim` stages an image, tries it, and
//! confirms it or goes back, with the power cut at every flash operation on the way.

use adapter::Halves;
use coreota::boot::{Boot, BootState};
use coreota::error::Failure;
use coreota::layout::Region;
use coreota::sim::nor::{Count, Fuse, SimNor, Tear};
use coreota::sim::run;
use coreota::verify::Verified;

/// All that a porter writes.
mod adapter {
    use coreota::boot::{Boot, BootState};
    use coreota::{error::Failure, layout::Region, verify::Verified};
    use embedded_storage_async::nor_flash::NorFlash;

    /// The flags of a half, in an erase unit of their own. Each is programmed once, in this order,
    /// and is set as soon as it is not erased: a torn word is a word that was written.
    #[derive(Clone, Copy)]
    pub(crate) enum Flag {
        /// The image is staged; the half with the larger number is the newer one.
        Sequence,
        /// The selector is about to run the image for the first time.
        Tried,
        /// The image says of itself that it works.
        Good,
    }

    /// The firmware that is linked for one half; its `ota.toml` has the other half as the slot.
    pub(crate) struct Halves {
        pub(crate) mine: Region,
        pub(crate) other: Region,
    }

    /// Reads a flag of the half whose flags are at `half`; `None` if it is not set.
    pub(crate) async fn get<F: NorFlash>(
        flash: &mut F,
        half: Region,
        flag: Flag,
    ) -> Result<Option<u32>, Failure> {
        let mut word = [0xff; 4];
        let at = half.at(flag as u32 * F::WRITE_SIZE as u32, 4).ok_or(Failure::Misconfigured)?;
        flash.read(at, &mut word).await.map_err(|_| Failure::Read)?;
        Ok((word != [0xff; 4]).then_some(u32::from_le_bytes(word)))
    }

    /// Sets a flag, in a write word of its own of 4 to 32 bytes.
    pub(crate) async fn set<F: NorFlash>(
        flash: &mut F,
        half: Region,
        flag: Flag,
        value: u32,
    ) -> Result<(), Failure> {
        let mut bytes = [0xff; 32];
        bytes[..4].copy_from_slice(&value.to_le_bytes());
        let word = bytes.get(..F::WRITE_SIZE).ok_or(Failure::Misconfigured)?;
        let at = half.at(flag as u32 * F::WRITE_SIZE as u32, 4).ok_or(Failure::Misconfigured)?;
        flash.write(at, word).await.map_err(|_| Failure::Program)
    }

    impl Boot for Halves {
        async fn state<F: NorFlash>(&mut self, flash: &mut F) -> Result<BootState, Failure> {
            let other = get(flash, self.other, Flag::Sequence).await?;
            if other.is_some() && get(flash, self.other, Flag::Tried).await?.is_none() {
                return Ok(BootState::Staged);
            }
            if get(flash, self.mine, Flag::Good).await?.is_none() {
                return Ok(BootState::Trial);
            }
            // The other half is newer and was tried, and yet it is this one that runs.
            let newer = other > get(flash, self.mine, Flag::Sequence).await?;
            Ok(if newer { BootState::Reverted } else { BootState::Settled })
        }

        async fn stage<F: NorFlash>(&mut self, flash: &mut F, _: Verified) -> Result<(), Failure> {
            let newest = get(flash, self.mine, Flag::Sequence).await?.unwrap_or(0);
            let flags = self.other;
            flash.erase(flags.offset, flags.end()).await.map_err(|_| Failure::Erase)?;
            set(flash, flags, Flag::Sequence, newest.saturating_add(1)).await
        }

        async fn confirm<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), Failure> {
            match get(flash, self.mine, Flag::Good).await? {
                Some(_) => Ok(()),
                None => set(flash, self.mine, Flag::Good, 0).await,
            }
        }
    }
}

type Nor = SimNor<8, 256>;

/// Where the flags of the halves are.
const FLAGS: [Region; 2] = [Region::new(0, 256), Region::new(256, 256)];

/// The bootloader: a half that is staged and was not tried, once; else the newest that is good.
fn select(nor: &mut Nor) -> Result<usize, Failure> {
    use adapter::{Flag, get, set};
    let mut good = None;
    for (half, flags) in FLAGS.into_iter().enumerate() {
        let sequence = run(get(nor, flags, Flag::Sequence))?;
        if sequence.is_some() && run(get(nor, flags, Flag::Tried))?.is_none() {
            run(set(nor, flags, Flag::Tried, 0))?;
            return Ok(half);
        }
        if run(get(nor, flags, Flag::Good))?.is_some() {
            good = good.max(Some((sequence, half)));
        }
    }
    Ok(good.map_or(0, |(_, half)| half))
}

/// One life of the device, from reset to reset: which half ran, and what it found.
fn live(nor: &mut Nor, image_works: bool) -> Result<(usize, BootState), Failure> {
    let half = select(nor)?;
    let mut boot = Halves { mine: FLAGS[half], other: FLAGS[1 - half] };
    let state = run(boot.state(nor))?;
    match state {
        BootState::Settled if half == 0 => run(boot.stage(nor, Verified::simulated(1000)))?,
        BootState::Trial if image_works => run(boot.confirm(nor))?,
        _ => {}
    }
    Ok((half, state))
}

/// Lives until the update is over: the new image in half 1 settled, or the old one is back.
fn update(nor: &mut Nor, image_works: bool) -> (usize, BootState) {
    for _ in 0..10 {
        let life = live(nor, image_works);
        nor.power_on();
        match life {
            Ok(end @ ((1, BootState::Settled) | (0, BootState::Reverted))) => return end,
            _ => continue,
        }
    }
    panic!("the device does not come to rest");
}

pub(crate) fn main() {
    // As it left the factory: half 0 is good.
    let mut factory = Nor::new(512);
    for flag in [adapter::Flag::Sequence, adapter::Flag::Tried, adapter::Flag::Good] {
        run(adapter::set(&mut factory, FLAGS[0], flag, 0)).expect("flags fit");
    }
    for (works, name) in [(true, "works"), (false, "fails")] {
        let mut uncut = factory.clone();
        let end = update(&mut uncut, works);
        assert_eq!(end.0, usize::from(works), "which half runs in the end");
        let operations =
            uncut.counts().operations(Count::Words) - factory.counts().operations(Count::Words);
        for (after, tear) in (0..operations).flat_map(|k| Tear::ALL.map(|tear| (k, tear))) {
            let mut nor = factory.clone().with_seed(after);
            nor.arm(Some(Fuse { after, count: Count::Words, tear }));
            let end = update(&mut nor, works);
            // A cut before the image could confirm itself is a reset like any other: it goes back.
            assert!(works || end == (0, BootState::Reverted), "{end:?} after operation {after}");
        }
        println!("an image that {name}: {operations} operations, cut at each: {end:?} uncut");
    }
}
