//! The way to the broker: TCP, and MQTT over it.

use core::net::Ipv4Addr;
use core::num::NonZero;
use coreota::link::rust_mqtt::{Connect, RustMqttLink, Settings};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use smoltcp::socket::tcp::{RecvError, State};
use virt_riscv32::ota;

use crate::network::{Shared, Time, until};

const KEEP_ALIVE_S: NonZero<u16> = NonZero::new(30).unwrap();
/// With the longest packet, half of the heap.
const EARLY: usize = 4096;

pub(crate) type Link = RustMqttLink<'static, Connector, Time>;

/// Where the broker is.
#[derive(Clone, Copy)]
pub(crate) struct Broker {
    /// A name or an IPv4 address.
    pub(crate) host: &'static str,
    pub(crate) port: u16,
}

/// The link, which connects when it is asked to.
pub(crate) fn link(network: Shared, thing: &'static str, broker: Broker) -> Link {
    let longest = ota::RECEIVE_SIZE;
    let settings = Settings { client_id: thing, keep_alive_s: KEEP_ALIVE_S, longest, early: EARLY };
    RustMqttLink::new(Connector { network, broker }, Time(network), settings)
}

/// Makes connections to the broker, one after the other.
pub(crate) struct Connector {
    network: Shared,
    broker: Broker,
}

impl Connector {
    async fn address(&mut self) -> Option<Ipv4Addr> {
        if let Ok(address) = self.broker.host.parse() {
            return Some(address);
        }
        self.network.borrow_mut().forget();
        self.network.borrow_mut().ask(self.broker.host)?;
        until(self.network, |network| network.found()).await
    }
}

impl Connect for Connector {
    type Io = Connection;

    async fn connect(&mut self) -> Result<Connection, ()> {
        until(self.network, |network| network.is_up().then_some(())).await;
        let address = self.address().await.ok_or(())?;
        self.network.borrow_mut().connect((address, self.broker.port)).ok_or(())?;
        let connection = Connection { network: self.network };
        until(self.network, |network| match network.socket().state() {
            State::SynSent | State::SynReceived => None,
            State::Established => Some(Ok(())),
            _ => Some(Err(())),
        })
        .await?;
        Ok(connection)
    }
}

/// The connection there is; ended when dropped.
pub(crate) struct Connection {
    network: Shared,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.network.borrow_mut().abort();
    }
}

impl ErrorType for Connection {
    type Error = ErrorKind;
}

impl Read for Connection {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        until(self.network, |network| match network.socket().recv_slice(buffer) {
            Ok(0) => None,
            Ok(len) => Some(Ok(len)),
            Err(RecvError::Finished) => Some(Ok(0)),
            Err(RecvError::InvalidState) => Some(Err(ErrorKind::ConnectionReset)),
        })
        .await
    }
}

impl Write for Connection {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        until(self.network, |network| match network.socket().send_slice(bytes) {
            Ok(0) => None,
            Ok(len) => Some(Ok(len)),
            Err(_) => Some(Err(ErrorKind::ConnectionReset)),
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        until(self.network, |network| match network.socket() {
            socket if socket.send_queue() == 0 => Some(Ok(())),
            socket if socket.may_send() => None,
            _ => Some(Err(ErrorKind::ConnectionReset)),
        })
        .await
    }
}
