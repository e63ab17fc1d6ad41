//! The firmware: connects to its broker, and updates itself.
#![no_std]
#![no_main]

mod application;
mod network;

use application::Application;
use coreota::provisioning::{Kind, Provisioning};
use coreota::{Parts, say};
use embassy_executor::Spawner;
use emcraft_sf2::nor::Nor;
use emcraft_sf2::ota::{self, PROVISIONING, VERSION};
use emcraft_sf2::{console, executor, memory};
use network::{Broker, Link, Time};
use static_cell::{ConstStaticCell, StaticCell};

/// The provisioning records.
const RECORDS: usize = 512;

type Orchestrator = ota::Orchestrator<Nor, Link, Time, Application>;

#[cortex_m_rt::entry]
fn main() -> ! {
    executor::run(|spawner| spawner.spawn(device(spawner).expect("started once")))
}

#[embassy_executor::task]
async fn device(spawner: Spawner) {
    let mut nor = emcraft_sf2::start();
    memory::start_heap();
    console::line(|line| say::booted(line, VERSION, ota::BOARD));
    static BUFFER: ConstStaticCell<[u8; RECORDS]> = ConstStaticCell::new([0; RECORDS]);
    let told = Provisioning::read(&mut nor, PROVISIONING, BUFFER.take()).await;
    let Some((thing, broker)) = told.ok().as_ref().and_then(who) else {
        console::line(|line| {
            line.text("boot      it is not provisioned: nobody told it its broker")
        });
        return;
    };
    let link = network::start(spawner, thing, broker);
    if let Some(orchestrator) = orchestrator(thing, nor, link) {
        orchestrator.run().await;
    }
    emcraft_sf2::reset()
}

/// The name of the device, and its broker.
fn who(told: &Provisioning<'static>) -> Option<(&'static str, Broker)> {
    let (host, port) = (told.text(Kind::Host)?, told.number(Kind::Port)?);
    Some((told.text(Kind::Thing)?, Broker { host, port }))
}

/// In a static, and made in a function of its own: on its way there it is on the stack.
#[inline(never)]
fn orchestrator(thing: &str, flash: Nor, link: Link) -> Option<&'static mut Orchestrator> {
    static PLACE: StaticCell<Orchestrator> = StaticCell::new();
    let hooks = Application;
    let parts = Parts { thing, running: VERSION, flash, link, clock: Time, hooks };
    match Orchestrator::new(parts) {
        Ok(orchestrator) => Some(PLACE.init(orchestrator)),
        Err(why) => {
            console::line(|line| {
                line.text("boot      ");
                line.text(why.text());
            });
            None
        }
    }
}
