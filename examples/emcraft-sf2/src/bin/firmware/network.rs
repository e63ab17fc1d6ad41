//! The network: Ethernet, an address by DHCP, TCP. What is spoken over it, in the clear or TLS, is the
//! business of [`connection`](crate::connection).

use core::net::SocketAddrV4;
use coreota::link::Clock;
use embassy_executor::Spawner;
use embassy_net::dns::DnsQueryType;
use embassy_net::{Config, IpAddress, Runner, Stack, StackResources};
use embassy_time::{Duration, Instant, Timer};
use emcraft_sf2::emac::Emac;
use emcraft_sf2::time;
use static_cell::ConstStaticCell;

/// The buffers of a connection.
pub(crate) const SEND: usize = 1024;
pub(crate) const RECEIVE: usize = 4096;
/// A connection on which nothing is acknowledged for so long is gone.
pub(crate) const SILENCE: Duration = Duration::from_secs(20);
/// One connection, DHCP and DNS.
const SOCKETS: usize = 3;

/// Where the broker is.
#[derive(Clone, Copy)]
pub(crate) struct Broker {
    /// A name or an IPv4 address.
    pub(crate) host: &'static str,
    pub(crate) port: u16,
}

/// The way to the broker.
pub(crate) struct Network {
    pub(crate) stack: Stack<'static>,
    broker: Broker,
}

impl Network {
    /// Brings it up.
    ///
    /// # Panics
    /// When called twice.
    pub(crate) fn start(spawner: Spawner, thing: &str, broker: Broker) -> Self {
        static RESOURCES: ConstStaticCell<StackResources<SOCKETS>> =
            ConstStaticCell::new(StackResources::new());
        let seed = seed(thing);
        let [_, _, s0, s1, s2, s3, ..] = seed.to_be_bytes();
        // Locally administered: no two boards of one network should have the same.
        let emac = Emac::new([0x02, 0x0f, s0, s1, s2, s3]);
        let config = Config::dhcpv4(Default::default());
        let (stack, runner) = embassy_net::new(emac, config, RESOURCES.take(), seed);
        spawner.spawn(run(runner).expect("started once"));
        Network { stack, broker }
    }

    /// The address of the broker, once there is a network.
    pub(crate) async fn find(&self) -> Result<SocketAddrV4, ()> {
        self.stack.wait_config_up().await;
        let found = self.stack.dns_query(self.broker.host, DnsQueryType::A).await;
        let IpAddress::Ipv4(address) = *found.map_err(drop)?.first().ok_or(())?;
        Ok(SocketAddrV4::new(address, self.broker.port))
    }
}

#[embassy_executor::task]
async fn run(mut runner: Runner<'static, Emac>) -> ! {
    runner.run().await
}

/// For port and sequence numbers that differ from boot to boot, as far as the time that flash and
/// wire take does. No seed for keys.
fn seed(thing: &str) -> u64 {
    let name = thing.bytes().map(u32::from);
    name.chain([time::jitter()]).fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3) // FNV-1a
    })
}

/// The clock of embassy-time.
#[derive(Clone, Copy)]
pub(crate) struct Time;

impl Clock for Time {
    fn now_ms(&mut self) -> u32 {
        Instant::now().as_millis() as u32
    }

    async fn wait_ms(&mut self, ms: u32) {
        Timer::after_millis(ms.into()).await;
    }
}
