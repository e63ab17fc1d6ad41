//! One device: power on, boot, run, reset, again. Nothing but the flash file outlives a reset.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use coreota::link::rumqttc::RumqttcLink;
use coreota::sim::bootloader::{self, BootError, Booted, Bootloader};
use coreota::sim::nor::{Count, Fuse, NorError, Rewrite, SimNor, Tear};
use coreota::{End, Orchestrator, Parts, Pipeline, Region};
use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

use crate::application::{Application, words};
use crate::args::Args;
use crate::board;
use crate::firmware::Firmware;
use crate::parts::{Flash, Mains, Meter, WallClock};
use crate::tell::{Event, How, Tell};

/// Exit code of a device that lost its power, as `--cut-after` told.
pub const EXIT_POWER_CUT: u8 = 9;
/// Exit code of a device that cannot run: its files are not what they should be.
const EXIT_STOPPED: u8 = 3;

/// What a device is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World<'a> {
    args: &'a Args,
    tell: Tell,
    /// Flash operations until the power goes.
    cut_after: Option<u64>,
}

/// How it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    /// Reset, so many flash operations after power on.
    Reset { operations: u64 },
    /// Lost.
    Cut,
}

/// Why a device cannot run.
#[derive(Debug)]
pub(crate) enum Stopped {
    File { doing: &'static str, path: PathBuf, why: String },
    Blank(PathBuf),
    NotAnImage { path: PathBuf, board: &'static str },
    Brick(PathBuf),
    Flash(NorError),
    Thing(String),
}

/// Runs the device until it is stopped; gives the exit code.
pub fn main(args: &Args, json: bool) -> u8 {
    // One thread, as on the device; the link's task runs while the device waits.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(args, Tell { json })),
        Err(why) => {
            Err(Stopped::File { doing: "start", path: "tokio".into(), why: why.to_string() })
        }
    };
    match ended {
        Ok(Power::Reset { .. }) => 0,
        Ok(Power::Cut) => EXIT_POWER_CUT,
        Err(why) => {
            eprintln!("error: {why}");
            EXIT_STOPPED
        }
    }
}

/// Boots again after each reset.
async fn run(args: &Args, tell: Tell) -> Result<Power, Stopped> {
    let mut cut_after = args.cut_after;
    loop {
        let power = board::run(args.board, World { args, tell, cut_after }).await?;
        match power {
            Power::Reset { operations } if !args.once => {
                cut_after = cut_after.map(|after| after.saturating_sub(operations));
            }
            end => return Ok(end),
        }
    }
}

/// One life: from power on to the next reset.
pub(crate) async fn power_on<P, B, const W: usize, const E: usize, const BLOCK: usize>(
    world: World<'_>,
    bootloader: B,
    (flash_size, receive_size): (u32, usize),
) -> Result<Power, Stopped>
where
    P: Pipeline,
    B: Bootloader,
{
    let World { args, tell, cut_after } = world;
    let rewrite = if P::LAYOUT.rewrite { Rewrite::Free } else { Rewrite::Once };
    let mut nor = SimNor::<W, E>::open(&args.flash, flash_size as usize)?.with_rewrite(rewrite);
    provision::<P, W, E>(&mut nor, args)?;
    nor.arm(cut_after.map(|after| Fuse { after, count: Count::Calls, tear: Tear::Bits }));
    let before = nor.counts();
    let meter = Meter::default();
    let cut = |operation: u64, fetched: u32| {
        tell.event(&Event::PowerCut { operation, fetched });
        Power::Cut
    };

    let booted = bootloader.boot(&mut nor, &mut |image| Firmware::of::<P>(image).is_some());
    let Booted { image, how } = match booted {
        Ok(booted) => booted,
        Err(BootError::Flash(NorError::PowerLost)) => return Ok(cut(cut_after.unwrap_or(0), 0)),
        Err(BootError::Flash(why)) => return Err(why.into()),
        Err(_) => return Err(Stopped::Brick(args.flash.clone())),
    };
    let Some(firmware) = Firmware::of::<P>(&image) else {
        return Err(Stopped::Brick(args.flash.clone()));
    };
    tell.event(&Event::Boot { version: words(firmware.version), how: how.into() });

    // Behind its capacity the bootloader writes.
    let slot = Region::new(P::LAYOUT.slot.offset, P::LAYOUT.capacity);
    let mains = Rc::new(Mains::default());
    let link = RumqttcLink::new(args.broker.options(&args.thing), receive_size);
    let mut device = Orchestrator::<P, _, _, _, _, BLOCK>::new(Parts {
        thing: &args.thing,
        running: firmware.version,
        flash: Flash { nor, mains: mains.clone(), slot, meter: meter.clone() },
        link,
        clock: WallClock::start(),
        hooks: Application {
            firmware,
            block: BLOCK as u32,
            broker: args.broker.to_string(),
            meter: meter.clone(),
            tell,
        },
    })
    .map_err(|why| Stopped::Thing(format!("{}: {}", args.thing, why.text())))?;
    let end = tokio::select! {
        end = device.run() => Ok(end),
        why = mains.end() => Err(why),
    };
    match end {
        Ok(End::Reset) => {
            let (flash, ..) = device.into_parts();
            let operations = flash.nor.counts().operations(Count::Calls);
            Ok(Power::Reset { operations: operations - before.operations(Count::Calls) })
        }
        Err(NorError::PowerLost) => Ok(cut(cut_after.unwrap_or(0), meter.blocks())),
        Err(why) => Err(why.into()),
    }
}

/// Puts the first image on a blank flash.
fn provision<P: Pipeline, const W: usize, const E: usize>(
    nor: &mut SimNor<W, E>,
    args: &Args,
) -> Result<(), Stopped> {
    let mut front = [0; 4096];
    ReadNorFlash::read(nor, P::LAYOUT.base.offset, &mut front)?;
    if front.iter().any(|byte| *byte != 0xff) {
        return Ok(());
    }
    let Some(path) = &args.provision else { return Err(Stopped::Blank(args.flash.clone())) };
    let mut image = fs::read(path).map_err(|why| Stopped::File {
        doing: "read",
        path: path.clone(),
        why: why.to_string(),
    })?;
    let fits = image.len() as u64 <= P::LAYOUT.capacity.into();
    if !fits || Firmware::of::<P>(&image).is_none() {
        return Err(Stopped::NotAnImage { path: path.clone(), board: args.board.name() });
    }
    image.resize(image.len().next_multiple_of(W), 0xff);
    Ok(NorFlash::write(nor, P::LAYOUT.base.offset, &image)?)
}

impl From<NorError> for Stopped {
    fn from(error: NorError) -> Self {
        Stopped::Flash(error)
    }
}

impl From<bootloader::How> for How {
    fn from(how: bootloader::How) -> Self {
        match how {
            bootloader::How::Unchanged => How::Unchanged,
            bootloader::How::Trial => How::Trial,
            bootloader::How::Permanent => How::Permanent,
            bootloader::How::Reverted => How::Reverted,
            bootloader::How::Refused => How::Refused,
        }
    }
}

/// What is wrong, then what to do about it.
impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stopped::File { doing, path, why } => {
                write!(f, "cannot {doing} {}: {why}", path.display())
            }
            Stopped::Blank(path) => write!(
                f,
                "flash file {} is blank\n  fix: give it a first image with --provision IMAGE",
                path.display()
            ),
            Stopped::NotAnImage { path, board } => write!(
                f,
                "{} is no image that board {board} would run\n  fix: sign it for this board with \
                 a key that ota.toml trusts, and keep it within the slot",
                path.display()
            ),
            Stopped::Brick(path) => write!(
                f,
                "flash file {}: the bootloader finds no authentic image to run\n  fix: is it of \
                 another --board? else remove the file and provision the device anew",
                path.display()
            ),
            Stopped::Flash(why) => write!(f, "{why}\n  fix: make room for the flash file"),
            Stopped::Thing(why) => write!(f, "--thing {why}"),
        }
    }
}
