//! The network: Ethernet, an address by DHCP, and one TCP socket, without an executor.
//!
//! [`block_on`](coreota::blocking::block_on) asks again and again whether what it waits for is there.
//! That is no busy loop, for all that waits here waits for something and for a time: the something
//! ([`until`]) looks, and the time ([`Time`]) sleeps until a frame or the next millisecond that matters,
//! then has the network work. What comes between the look and the sleep ends the sleep at once.

use core::cell::RefCell;
use core::future::poll_fn;
use core::net::Ipv4Addr;
use core::task::Poll;
use coreota::link::Clock;
use smoltcp::iface::{Config, Context, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::socket::{dhcpv4, dns, tcp};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpAddress, IpCidr};
use static_cell::{ConstStaticCell, StaticCell};
use virt_riscv32::{ethernet::Ethernet, time};

const SEND: usize = 1024;
const RECEIVE: usize = 4096;
/// A connection on which nothing is acknowledged for so long is gone.
const SILENCE: Duration = Duration::from_secs(20);
/// DHCP, DNS and one connection.
const SOCKETS: usize = 3;
/// Ports that no service has.
const PORTS: u16 = 49_152;

/// The one network, for all who wait on it.
pub(crate) type Shared = &'static RefCell<Network>;

pub(crate) struct Network {
    card: Ethernet,
    interface: Interface,
    sockets: SocketSet<'static>,
    dhcp: SocketHandle,
    dns: SocketHandle,
    tcp: SocketHandle,
    /// The question under way, to which one more would find no room.
    query: Option<dns::QueryHandle>,
    /// That the next connection comes from.
    port: u16,
}

/// Brings the network up; `None` where there is no card.
///
/// # Panics
/// When called twice.
pub(crate) fn start(thing: &str) -> Option<Shared> {
    static STORAGE: ConstStaticCell<[SocketStorage<'static>; SOCKETS]> =
        ConstStaticCell::new([SocketStorage::EMPTY; SOCKETS]);
    static QUERIES: ConstStaticCell<[Option<dns::DnsQuery>; 1]> = ConstStaticCell::new([None]);
    static TO_SEND: ConstStaticCell<[u8; SEND]> = ConstStaticCell::new([0; SEND]);
    static RECEIVED: ConstStaticCell<[u8; RECEIVE]> = ConstStaticCell::new([0; RECEIVE]);
    static NETWORK: StaticCell<RefCell<Network>> = StaticCell::new();

    let seed = seed(thing);
    let mut card = Ethernet::start()?;
    let mut config = Config::new(card.address().into());
    config.random_seed = seed;
    let interface = Interface::new(config, &mut card, now());
    let mut sockets = SocketSet::new(&mut STORAGE.take()[..]);
    let dhcp = sockets.add(dhcpv4::Socket::new());
    let dns = sockets.add(dns::Socket::new(&[], &mut QUERIES.take()[..]));
    let buffer = |bytes| tcp::SocketBuffer::new(bytes);
    let mut socket =
        tcp::Socket::new(buffer(&mut RECEIVED.take()[..]), buffer(&mut TO_SEND.take()[..]));
    socket.set_timeout(Some(SILENCE));
    // What is sent is sent whole, by `flush`.
    socket.set_nagle_enabled(false);
    let tcp = sockets.add(socket);
    let port = PORTS | seed as u16;
    let network = Network { card, interface, sockets, dhcp, dns, tcp, query: None, port };
    Some(NETWORK.init(RefCell::new(network)))
}

/// For port and sequence numbers that differ from boot to boot. No seed for keys.
fn seed(thing: &str) -> u64 {
    let name = thing.bytes().map(u32::from);
    name.chain([time::noise()]).fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3) // FNV-1a
    })
}

fn now() -> Instant {
    Instant::from_millis(time::now_ms() as i64)
}

impl Network {
    /// Takes what came, and sends what there is to send.
    fn work(&mut self) {
        self.card.answer();
        self.interface.poll(now(), &mut self.card, &mut self.sockets);
        match self.sockets.get_mut::<dhcpv4::Socket>(self.dhcp).poll() {
            None => {}
            Some(dhcpv4::Event::Deconfigured) => {
                self.interface.update_ip_addrs(|addresses| addresses.clear());
                self.interface.routes_mut().remove_default_ipv4_route();
            }
            Some(dhcpv4::Event::Configured(config)) => {
                self.interface.update_ip_addrs(|addresses| {
                    addresses.clear();
                    // There is room for one.
                    _ = addresses.push(IpCidr::Ipv4(config.address));
                });
                if let Some(router) = config.router {
                    // As for the address.
                    _ = self.interface.routes_mut().add_default_ipv4_route(router);
                }
                let server = config.dns_servers.first().copied().map(IpAddress::Ipv4);
                self.sockets.get_mut::<dns::Socket>(self.dns).update_servers(server.as_slice());
            }
        }
    }

    /// Sleeps until something may have happened, at the latest until that millisecond; then works.
    fn doze(&mut self, until: u64) {
        let soon = self.interface.poll_delay(now(), &self.sockets);
        let soon = soon.map_or(until, |soon| time::now_ms() + soon.total_millis());
        time::doze_until(until.min(soon));
        self.work();
    }

    /// Whether it has an address.
    pub(crate) fn is_up(&self) -> bool {
        self.interface.ipv4_addr().is_some()
    }

    /// Asks for the address of a host; the answer is [`Network::found`].
    pub(crate) fn ask(&mut self, host: &str) -> Option<()> {
        let (dns, context) = self.with_dns();
        let query = dns.start_query(context, host, smoltcp::wire::DnsQueryType::A).ok()?;
        self.query = Some(query);
        Some(())
    }

    /// The answer, once it is there: `Some(None)` where the host is not known.
    pub(crate) fn found(&mut self) -> Option<Option<Ipv4Addr>> {
        let Some(query) = self.query else { return Some(None) };
        let result = self.sockets.get_mut::<dns::Socket>(self.dns).get_query_result(query);
        if matches!(result, Err(dns::GetQueryResultError::Pending)) {
            return None;
        }
        self.query = None;
        let first = result.ok().and_then(|all| all.first().copied());
        Some(first.map(|IpAddress::Ipv4(address)| address))
    }

    /// Forgets the question that nobody waits for any more.
    pub(crate) fn forget(&mut self) {
        if let Some(query) = self.query.take() {
            self.sockets.get_mut::<dns::Socket>(self.dns).cancel_query(query);
        }
    }

    fn with_dns(&mut self) -> (&mut dns::Socket<'static>, &mut Context) {
        (self.sockets.get_mut(self.dns), self.interface.context())
    }

    /// Begins to connect, from another port than before.
    pub(crate) fn connect(&mut self, to: (Ipv4Addr, u16)) -> Option<()> {
        self.port = PORTS | self.port.wrapping_add(1);
        let socket = self.sockets.get_mut::<tcp::Socket>(self.tcp);
        socket.connect(self.interface.context(), to, self.port).ok()
    }

    pub(crate) fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.tcp)
    }

    /// Ends the connection at once, and tells the other side.
    pub(crate) fn abort(&mut self) {
        self.socket().abort();
        self.work();
    }
}

/// Waits until `look` finds what it looks for; who sleeps meanwhile is [`Time`], beside it.
pub(crate) async fn until<T>(
    network: Shared,
    mut look: impl FnMut(&mut Network) -> Option<T>,
) -> T {
    poll_fn(|_| {
        let network = &mut *network.borrow_mut();
        let found = look(network).or_else(|| {
            network.work();
            look(network)
        });
        found.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// The clock, in whose pauses the network works.
#[derive(Clone, Copy)]
pub(crate) struct Time(pub(crate) Shared);

impl Clock for Time {
    fn now_ms(&mut self) -> u32 {
        time::now_ms() as u32
    }

    async fn wait_ms(&mut self, ms: u32) {
        let until = time::now_ms() + u64::from(ms);
        poll_fn(|_| {
            if time::now_ms() >= until {
                return Poll::Ready(());
            }
            self.0.borrow_mut().doze(until);
            Poll::Pending
        })
        .await;
    }
}
