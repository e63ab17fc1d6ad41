//! The boards: what `ota.toml` says of each, and the bootloader it has.

use coreota::Pipeline as _;
use coreota::boot::mcuboot::Mode;
use coreota::sim::bootloader::{EmbassyLoader, McubootModel};

use crate::BoardName;
use crate::device::{Power, Stopped, World, power_on};

pub(crate) mod sim_mcuboot {
    coreota::orchestrator!("../../ota.toml", board = "sim-mcuboot");
}

pub(crate) mod sim_embassy {
    coreota::orchestrator!("../../ota.toml", board = "sim-embassy");
}

/// Powers the board of that name on, until its next reset.
pub(crate) async fn run(board: BoardName, world: World<'_>) -> Result<Power, Stopped> {
    match board {
        BoardName::SimMcuboot => {
            use sim_mcuboot::ota::*;
            const WRITE: usize = Pipeline::LAYOUT.write as usize;
            const ERASE: usize = Pipeline::LAYOUT.erase as usize;
            let loader = McubootModel::new(PRIMARY, SECONDARY, Mode::SwapOffset);
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
    }
}
