//! Connections to the broker over TLS, where `ota.toml` says `tls = true`. There are no others.

use crate::network::{Network, RECEIVE, SEND, SILENCE};
use coreota::link::tls::{
    Dial, Identity, Line, READ_OVERHEAD, Seeded, Tunnel, WRITE_SIZE, count_start,
};
use coreota::provisioning::{self, Kind, Provisioning};
use coreota::say;
use embassy_executor::Spawner;
use embassy_net::tcp::{TcpReader, TcpSocket, TcpWriter};
use embassy_time::Timer;
use emcraft_sf2::nor::Nor;
use emcraft_sf2::{console, ota, time};
use static_cell::ConstStaticCell;

/// Bytes of the provisioning records: certificates and all.
pub(crate) const RECORDS: usize = provisioning::SIZE_MAX;

/// What the server is asked not to send more of in a record; the chain that it shows is one.
const RECORD: usize = 2048;

/// Before a start that could not be counted is tried again.
const PAUSE_S: u64 = 5;

/// Who the device is, and what its keys come from.
pub(crate) struct Secrets {
    identity: Identity<'static>,
    random: Seeded,
}

impl Secrets {
    /// The chip has no random generator: its secret was provisioned, its starts are counted in flash.
    pub(crate) async fn read(told: &Provisioning<'static>, nor: &mut Nor) -> Option<Self> {
        let identity = Identity::of(told);
        let secret = told.get(Kind::Secret).and_then(|secret| secret.try_into().ok());
        let (Some(identity), Some(secret)) = (identity, secret) else {
            console::line(|line| {
                line.text("boot      nobody told it certificates, key and secret")
            });
            return None;
        };
        match count_start(nor, ota::STARTS).await {
            Ok(start) => {
                let random = Seeded::new(secret, start, &time::jitter().to_le_bytes());
                Some(Secrets { identity, random })
            }
            // Without a number that was never given no key may be made.
            Err(why) => {
                console::line(|line| say::trouble(line, why));
                Timer::after_secs(PAUSE_S).await;
                emcraft_sf2::reset()
            }
        }
    }
}

/// Asks for connections at one end of a line; the task at its other end makes them.
pub(crate) type Connector = &'static Line;

/// What makes them.
///
/// # Panics
/// When called twice.
pub(crate) fn start(spawner: Spawner, network: Network, secrets: Secrets) -> Connector {
    static LINE: ConstStaticCell<Line> = ConstStaticCell::new(Line::new());
    static READ: ConstStaticCell<[u8; RECORD + READ_OVERHEAD]> =
        ConstStaticCell::new([0; RECORD + READ_OVERHEAD]);
    static WRITE: ConstStaticCell<[u8; WRITE_SIZE]> = ConstStaticCell::new([0; WRITE_SIZE]);
    let line: &Line = LINE.take();
    let Secrets { identity, random } = secrets;
    let dial = Dialer::new(network);
    let tunnel = Tunnel { line, dial, identity, random, read: READ.take(), write: WRITE.take() };
    spawner.spawn(run(tunnel).expect("started once"));
    line
}

#[embassy_executor::task]
async fn run(tunnel: Tunnel<'static, Dialer, Seeded>) -> ! {
    tunnel.run(|why| console::line(|line| say::untrusted(line, why))).await
}

/// Makes the connections under them.
struct Dialer {
    network: Network,
    socket: TcpSocket<'static>,
}

impl Dialer {
    fn new(network: Network) -> Self {
        static BUFFERS: ConstStaticCell<([u8; RECEIVE], [u8; SEND])> =
            ConstStaticCell::new(([0; RECEIVE], [0; SEND]));
        let (receive, send) = BUFFERS.take();
        let mut socket = TcpSocket::new(network.stack, receive, send);
        socket.set_timeout(Some(SILENCE));
        Dialer { network, socket }
    }
}

impl Dial for Dialer {
    type Reader<'d> = TcpReader<'d>;
    type Writer<'d> = TcpWriter<'d>;

    async fn dial(&mut self) -> Result<(TcpReader<'_>, TcpWriter<'_>), ()> {
        self.socket.abort();
        let broker = self.network.find().await?;
        self.socket.connect(broker).await.map_err(drop)?;
        Ok(self.socket.split())
    }
}
