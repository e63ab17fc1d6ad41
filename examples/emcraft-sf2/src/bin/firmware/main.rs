//! The firmware: connects to its broker, and updates itself.
#![no_std]
#![no_main]

mod application;
// What ota.toml chose for the board that is built.
#[cfg_attr(tls, path = "tls.rs")]
#[cfg_attr(not(tls), path = "tcp.rs")]
mod connection;
mod network;

use application::Application;
use connection::{Connector, RECORDS, Secrets};
use core::num::NonZero;
use coreota::error::Failure;
use coreota::link::rust_mqtt::{RustMqttLink, Settings};
use coreota::provisioning::{Kind, Provisioning};
use coreota::{Parts, say};
use embassy_executor::Spawner;
use emcraft_sf2::nor::Nor;
use emcraft_sf2::ota::{self, PROVISIONING, VERSION};
use emcraft_sf2::{console, executor, memory};
use network::{Broker, Network, Time};
use static_cell::{ConstStaticCell, StaticCell};

const KEEP_ALIVE_S: NonZero<u16> = NonZero::new(30).unwrap();
/// With the longest packet, half of the heap.
const EARLY: usize = 4096;

type Link = RustMqttLink<'static, Connector, Time>;
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
    let Some((told, thing, broker)) = told.ok().and_then(who) else {
        console::line(|line| {
            line.text("boot      it is not provisioned: nobody told it its broker")
        });
        return;
    };
    let Some(secrets) = Secrets::read(&told, &mut nor).await else { return };
    let network = Network::start(spawner, thing, broker);
    let connector = connection::start(spawner, network, secrets);
    if let Some(orchestrator) = orchestrator(thing, nor, link(thing, connector)) {
        orchestrator.run().await;
    }
    emcraft_sf2::reset()
}

/// What it was told: the name of the device, and its broker, of it.
fn who(told: Provisioning<'static>) -> Option<(Provisioning<'static>, &'static str, Broker)> {
    let (host, port) = (told.text(Kind::Host)?, told.number(Kind::Port)?);
    Some((told, told.text(Kind::Thing)?, Broker { host, port }))
}

fn link(thing: &'static str, connector: Connector) -> Link {
    let longest = ota::RECEIVE_SIZE;
    let settings = Settings { client_id: thing, keep_alive_s: KEEP_ALIVE_S, longest, early: EARLY };
    RustMqttLink::new(connector, Time, settings)
}

/// In a static, and made in a function of its own: on its way there it is on the stack.
#[inline(never)]
fn orchestrator(thing: &str, flash: Nor, link: Link) -> Option<&'static mut Orchestrator> {
    static PLACE: StaticCell<Result<Orchestrator, Failure>> = StaticCell::new();
    let hooks = Application;
    let parts = Parts { thing, running: VERSION, flash, link, clock: Time, hooks };
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
