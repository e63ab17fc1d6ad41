//! The steps of a swap in each mode: which unit is copied where, and which status entry says that
//! it is done. A step may be done twice as long as no later one was begun; that is what makes a
//! swap resumable.

use crate::boot::mcuboot::Mode;
use crate::layout::Region;
use std::vec::Vec;

/// Erase the unit at `to`, copy the unit at `from` there, then write `state` as `entry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from: u32,
    pub(super) to: u32,
    /// Counted in words from the start of the status area.
    pub(super) entry: usize,
    /// MCUboot's name of the state that is over, counted from 1 in each unit.
    pub(super) state: u8,
}

/// What a swap is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    pub(super) mode: Mode,
    pub(super) primary: Region,
    pub(super) secondary: Region,
    pub(super) scratch: Region,
    /// Bytes of an erase unit.
    pub(super) unit: u32,
    /// Units for which the status area has room: MCUboot's `BOOT_MAX_IMG_SECTORS`.
    pub(super) status_units: usize,
}

impl Ground {
    /// States of one unit's swap, and so the status entries it has.
    pub(super) const fn states(&self) -> usize {
        match self.mode {
            Mode::SwapOffset => 2,
            _ => 3,
        }
    }

    fn primary(&self, unit: u32) -> u32 {
        self.primary.offset + unit * self.unit
    }

    fn secondary(&self, unit: u32) -> u32 {
        self.secondary.offset + unit * self.unit
    }

    /// All steps of swapping the first `units` units; `back` for undoing such a swap.
    pub(super) fn steps(&self, units: u32, back: bool) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut step = |from, to, entry, state| steps.push(Step { from, to, entry, state });
        match self.mode {
            // The old image goes to the same unit of the secondary slot, the new one comes from
            // the unit above. Back: the other way round, from the last unit to the first.
            Mode::SwapOffset => {
                for turn in 0..units {
                    let entry = 2 * turn as usize;
                    let unit = if back { units - 1 - turn } else { turn };
                    let (out, new) = if back { (unit + 1, unit) } else { (unit, unit + 1) };
                    step(self.primary(unit), self.secondary(out), entry, 1);
                    step(self.secondary(new), self.primary(unit), entry + 1, 2);
                }
            }
            // First the old image moves up by one unit, the last unit first; then each new unit
            // comes in below it. Back is the same.
            Mode::SwapMove => {
                for turn in 0..units {
                    let unit = units - turn;
                    step(self.primary(unit - 1), self.primary(unit), turn as usize, 1);
                }
                for unit in 0..units {
                    let entry = self.status_units + 2 * unit as usize;
                    step(self.secondary(unit), self.primary(unit), entry, 1);
                    step(self.primary(unit + 1), self.secondary(unit), entry + 1, 2);
                }
            }
            // Unit by unit through the scratch area, the last unit first. Back is the same.
            Mode::SwapScratch => {
                for turn in 0..units {
                    let (unit, entry) = (units - 1 - turn, 3 * turn as usize);
                    step(self.secondary(unit), self.scratch.offset, entry, 1);
                    step(self.primary(unit), self.secondary(unit), entry + 1, 2);
                    step(self.scratch.offset, self.primary(unit), entry + 2, 3);
                }
            }
            Mode::OverwriteOnly => {}
        }
        steps
    }
}
