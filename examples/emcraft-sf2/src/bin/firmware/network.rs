//! The way to the broker: Ethernet, an address by DHCP, TCP, and MQTT over it.

use core::net::SocketAddr;
use core::num::NonZero;
use coreota::link::Clock;
use coreota::link::rust_mqtt::{Connect, RustMqttLink, Settings};
use embassy_executor::Spawner;
use embassy_net::dns::DnsQueryType;
use embassy_net::tcp::client::{TcpClient, TcpClientState, TcpConnection};
use embassy_net::{Config, IpAddress, Runner, Stack, StackResources};
use embassy_time::{Duration, Instant, Timer};
use embedded_nal_async::TcpConnect;
use emcraft_sf2::emac::Emac;
use emcraft_sf2::{ota, time};
use static_cell::{ConstStaticCell, StaticCell};

const SEND: usize = 1024;
const RECEIVE: usize = 4096;
/// A connection on which nothing is acknowledged for so long is gone.
const SILENCE: Duration = Duration::from_secs(20);
/// One connection, DHCP and DNS.
const SOCKETS: usize = 3;
const KEEP_ALIVE_S: NonZero<u16> = NonZero::new(30).unwrap();

/// With the longest packet, half of the heap.
const EARLY: usize = 4096;

/// Where the broker is.
#[derive(Clone, Copy)]
pub(crate) struct Broker {
    /// A name or an IPv4 address.
    pub(crate) host: &'static str,
    pub(crate) port: u16,
}

pub(crate) type Link = RustMqttLink<'static, Connector, Time>;

/// Brings the network up; the link connects when it is asked to.
///
/// # Panics
/// When called twice.
pub(crate) fn start(spawner: Spawner, thing: &'static str, broker: Broker) -> Link {
    static RESOURCES: ConstStaticCell<StackResources<SOCKETS>> =
        ConstStaticCell::new(StackResources::new());
    static STATE: ConstStaticCell<TcpClientState<1, SEND, RECEIVE>> =
        ConstStaticCell::new(TcpClientState::new());
    static CLIENT: StaticCell<Client> = StaticCell::new();

    let seed = seed(thing);
    let [_, _, s0, s1, s2, s3, ..] = seed.to_be_bytes();
    // Locally administered: no two boards of one network should have the same.
    let emac = Emac::new([0x02, 0x0f, s0, s1, s2, s3]);
    let config = Config::dhcpv4(Default::default());
    let (stack, runner) = embassy_net::new(emac, config, RESOURCES.take(), seed);
    spawner.spawn(run(runner).expect("started once"));
    let mut client = TcpClient::new(stack, STATE.take());
    client.set_timeout(Some(SILENCE));
    let connector = Connector { stack, client: CLIENT.init(client), broker };
    let longest = ota::RECEIVE_SIZE;
    let settings = Settings { client_id: thing, keep_alive_s: KEEP_ALIVE_S, longest, early: EARLY };
    RustMqttLink::new(connector, Time, settings)
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

type Client = TcpClient<'static, 1, SEND, RECEIVE>;

/// Makes connections to the broker.
pub(crate) struct Connector {
    stack: Stack<'static>,
    client: &'static Client,
    broker: Broker,
}

impl Connect for Connector {
    type Io = TcpConnection<'static, 1, SEND, RECEIVE>;

    async fn connect(&mut self) -> Result<Self::Io, ()> {
        self.stack.wait_config_up().await;
        let found = self.stack.dns_query(self.broker.host, DnsQueryType::A).await;
        let IpAddress::Ipv4(address) = *found.map_err(drop)?.first().ok_or(())?;
        let address = SocketAddr::from((address, self.broker.port));
        self.client.connect(address).await.map_err(drop)
    }
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
