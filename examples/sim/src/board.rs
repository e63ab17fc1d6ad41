//! The boards: what `ota.toml` says of each, and the bootloader it has.

use coreota::Pipeline as _;
use coreota::boot::mcuboot::Mode;
use coreota::sim::bootloader::EmbassyLoader;
use coreota_mcuboot::{Loader, sim::Simulated};

use crate::BoardName;
use crate::device::{Power, Stopped, World, power_on};

pub(crate) mod sim_mcuboot {
    coreota::orchestrator!("../../ota.toml", board = "sim-mcuboot");
}

pub(crate) mod sim_embassy {
    coreota::orchestrator!("../../ota.toml", board = "sim-embassy");
}

pub(crate) mod sim_plugins {
    coreota::orchestrator!("../../ota.toml", board = "sim-plugins");
}

impl BoardName {
    /// Flash operations of downloading so many bytes: erases, blocks, and their marks.
    pub const fn download_operations(self, bytes: u32) -> u64 {
        let (block, erase) = match self {
            BoardName::SimMcuboot => {
                (sim_mcuboot::ota::BLOCK_SIZE, sim_mcuboot::ota::Pipeline::LAYOUT.erase)
            }
            BoardName::SimEmbassy => {
                (sim_embassy::ota::BLOCK_SIZE, sim_embassy::ota::Pipeline::LAYOUT.erase)
            }
            BoardName::SimPlugins => {
                (sim_plugins::ota::BLOCK_SIZE, sim_plugins::ota::Pipeline::LAYOUT.erase)
            }
        };
        2 * bytes.div_ceil(block as u32) as u64 + bytes.div_ceil(erase) as u64
    }
}

/// Powers the board of that name on, until its next reset.
pub(crate) async fn run(board: BoardName, world: World<'_>) -> Result<Power, Stopped> {
    match board {
        BoardName::SimMcuboot => {
            use sim_mcuboot::ota::*;
            const WRITE: usize = Pipeline::LAYOUT.write as usize;
            const ERASE: usize = Pipeline::LAYOUT.erase as usize;
            let loader = Simulated(Loader::new(PRIMARY, SECONDARY, Mode::SwapOffset));
            let sizes = (FLASH_SIZE, RECEIVE_SIZE);
            power_on::<Pipeline, _, WRITE, ERASE, BLOCK_SIZE>(world, loader, sizes).await
        }
        BoardName::SimEmbassy => {
            use sim_embassy::ota::*;
            const WRITE: usize = Pipeline::LAYOUT.write as usize;
            const ERASE: usize = Pipeline::LAYOUT.erase as usize;
            let loader = EmbassyLoader::new(PRIMARY, SECONDARY, STATE);
            let sizes = (FLASH_SIZE, RECEIVE_SIZE);
            power_on::<Pipeline, _, WRITE, ERASE, BLOCK_SIZE>(world, loader, sizes).await
        }
        BoardName::SimPlugins => {
            use sim_plugins::ota::*;
            const WRITE: usize = Pipeline::LAYOUT.write as usize;
            const ERASE: usize = Pipeline::LAYOUT.erase as usize;
            let loader = EmbassyLoader::new(PRIMARY, SECONDARY, STATE);
            let sizes = (FLASH_SIZE, RECEIVE_SIZE);
            power_on::<Pipeline, _, WRITE, ERASE, BLOCK_SIZE>(world, loader, sizes).await
        }
    }
}
