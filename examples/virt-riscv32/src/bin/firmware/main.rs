//! The firmware: connects to its broker, and updates itself. There is no executor: what would wait on one
//! looks at the network and sleeps (`network`).
#![no_std]
#![no_main]

mod application;
mod connection;
mod network;

use application::Application;
use connection::{Broker, Link};
use coreota::blocking::{Ready, block_on};
use coreota::error::Failure;
use coreota::provisioning::{Kind, Provisioning};
use coreota::{Parts, say};
use network::{Shared, Time};
use static_cell::{ConstStaticCell, StaticCell};
use virt_riscv32::nor::Nor;
use virt_riscv32::ota::{self, PROVISIONING, VERSION};
use virt_riscv32::{console, memory};

/// The provisioning records.
const RECORDS: usize = 512;

type Orchestrator = ota::Orchestrator<Ready<Nor>, Link, Time, Application>;

#[riscv_rt::entry]
fn main() -> ! {
    let mut flash = Ready(virt_riscv32::start());
    memory::start_heap();
    console::line(|line| say::booted(line, VERSION, ota::BOARD));
    static BUFFER: ConstStaticCell<[u8; RECORDS]> = ConstStaticCell::new([0; RECORDS]);
    let told = block_on(Provisioning::read(&mut flash, PROVISIONING, BUFFER.take()));
    let Some((thing, broker)) = told.ok().as_ref().and_then(who) else {
        stop("it is not provisioned: nobody told it its broker")
    };
    let Some(network) = network::start(thing) else { stop("it has no network card") };
    let link = connection::link(network, thing, broker);
    if let Some(orchestrator) = orchestrator(thing, flash, link, network) {
        orchestrator.run_blocking();
    }
    virt_riscv32::reset()
}

fn stop(why: &str) -> ! {
    console::line(|line| {
        line.text("boot      ");
        line.text(why);
    });
    loop {
        riscv::asm::wfi();
    }
}

/// The name of the device, and its broker.
fn who(told: &Provisioning<'static>) -> Option<(&'static str, Broker)> {
    let (host, port) = (told.text(Kind::Host)?, told.number(Kind::Port)?);
    Some((told.text(Kind::Thing)?, Broker { host, port }))
}

/// In a static, and made in a function of its own: on its way there it is on the stack.
#[inline(never)]
fn orchestrator(
    thing: &str,
    flash: Ready<Nor>,
    link: Link,
    network: Shared,
) -> Option<&'static mut Orchestrator> {
    static PLACE: StaticCell<Result<Orchestrator, Failure>> = StaticCell::new();
    let (clock, hooks) = (Time(network), Application);
    let parts = Parts { thing, running: VERSION, flash, link, clock, hooks };
    match PLACE.init_with(|| Orchestrator::new(parts)) {
        Ok(orchestrator) => Some(orchestrator),
        Err(why) => {
            console::line(|line| {
                line.text("boot      ");
                line.text(why.text());
            });
            None
        }
    }
}
