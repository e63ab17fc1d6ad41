//! Connections to the broker in the clear, where `ota.toml` does not say `tls = true`.

use crate::network::{Network, RECEIVE, SEND, SILENCE};
use coreota::link::rust_mqtt::Connect;
use coreota::provisioning::Provisioning;
use embassy_executor::Spawner;
use embassy_net::tcp::client::{TcpClient, TcpClientState, TcpConnection};
use embedded_nal_async::TcpConnect;
use emcraft_sf2::nor::Nor;
use static_cell::{ConstStaticCell, StaticCell};

/// Bytes of the provisioning records.
pub(crate) const RECORDS: usize = 512;

/// Nothing is secret here.
pub(crate) struct Secrets;

impl Secrets {
    pub(crate) async fn read(_: &Provisioning<'static>, _: &mut Nor) -> Option<Self> {
        Some(Secrets)
    }
}

type Client = TcpClient<'static, 1, SEND, RECEIVE>;

/// Makes connections to the broker.
pub(crate) struct Connector {
    network: Network,
    client: &'static Client,
}

/// What makes them.
///
/// # Panics
/// When called twice.
pub(crate) fn start(_: Spawner, network: Network, _: Secrets) -> Connector {
    static STATE: ConstStaticCell<TcpClientState<1, SEND, RECEIVE>> =
        ConstStaticCell::new(TcpClientState::new());
    static CLIENT: StaticCell<Client> = StaticCell::new();
    let mut client = TcpClient::new(network.stack, STATE.take());
    client.set_timeout(Some(SILENCE));
    Connector { network, client: CLIENT.init(client) }
}

impl Connect for Connector {
    type Io = TcpConnection<'static, 1, SEND, RECEIVE>;

    async fn connect(&mut self) -> Result<Self::Io, ()> {
        let broker = self.network.find().await?;
        self.client.connect(broker.into()).await.map_err(drop)
    }
}
