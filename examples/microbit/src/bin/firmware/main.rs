//! The firmware: asks the bridge at the other end of its line for its broker, and updates itself.
#![no_std]
#![no_main]

mod application;

use application::Application;
use coreota::blocking::{Ready, block_on};
use coreota::error::Failure;
use coreota::link::serial::{AROUND, SerialLink};
use coreota::provisioning::{Kind, Provisioning};
use coreota::{Parts, say};
use microbit::nvmc::Flash;
use microbit::ota::{self, PROVISIONING, RECEIVE_SIZE, VERSION};
use microbit::time::Time;
use microbit::uart::{self, Serial};

/// The provisioning records.
const RECORDS: usize = 160;

type Link = SerialLink<'static, Serial, Ready<Time>>;
type Orchestrator = ota::Orchestrator<Ready<Flash>, Link, Ready<Time>, Application>;

#[cortex_m_rt::entry]
fn main() -> ! {
    microbit::start();
    uart::line(|line| say::booted(line, VERSION, ota::BOARD));
    match thing() {
        Some(thing) => run(thing),
        None => {
            uart::line(|line| {
                line.text("boot      it is not provisioned: nobody told it its name")
            });
            loop {
                microbit::time::sleep(u32::MAX);
            }
        }
    }
    microbit::reset()
}

/// The name of the device, which it was told when it was made.
fn thing() -> Option<&'static str> {
    let buffer = cortex_m::singleton!(: [u8; RECORDS] = [0; RECORDS])?;
    block_on(Provisioning::read(&mut Ready(Flash), PROVISIONING, buffer)).ok()?.text(Kind::Thing)
}

/// Until it is to be reset.
fn run(thing: &'static str) {
    const BUFFER: usize = RECEIVE_SIZE + AROUND;
    let Some(buffer) = cortex_m::singleton!(: [u8; BUFFER] = [0; BUFFER]) else { return };
    let link = SerialLink::new(Serial, Ready(Time), thing, buffer);
    if let Some(orchestrator) = orchestrator(thing, link) {
        orchestrator.run_blocking();
    }
}

/// In a static, and made in a function of its own: on its way there it is on the stack.
#[inline(never)]
fn orchestrator(thing: &str, link: Link) -> Option<&'static mut Orchestrator> {
    let (flash, clock, hooks) = (Ready(Flash), Ready(Time), Application);
    let parts = Parts { thing, running: VERSION, flash, link, clock, hooks };
    match cortex_m::singleton!(: Result<Orchestrator, Failure> = Orchestrator::new(parts))? {
        Ok(orchestrator) => Some(orchestrator),
        Err(why) => {
            uart::line(|line| {
                line.text("boot      ");
                line.text(why.text());
            });
            None
        }
    }
}
