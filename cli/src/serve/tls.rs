//! A door of TLS in front of the embedded broker: who comes proves itself by a certificate of the CA in a
//! folder of `cargo ota pki`, and is then a client of the broker like any other.

use std::io::{Error as IoError, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::version::TLS13;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

use crate::error::{Error, Exit, Result};
use crate::pki::Folder;

/// Bytes in a record: devices have small buffers, and this library does not ask them.
const RECORD: usize = 1024;

/// How long a handshake may take: small devices need seconds for theirs.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// Opens it; gives the address that devices connect to. It is open until the process ends.
pub(super) async fn open(listen: SocketAddr, pki: &Path, broker: SocketAddr) -> Result<SocketAddr> {
    let acceptor = TlsAcceptor::from(Arc::new(settings(pki)?));
    let taken = |why: IoError| {
        Error::new(Exit::Network, format!("cannot listen on {listen}: {why}"))
            .fix(format!("take a free port with --tls-listen {}:0", listen.ip()))
    };
    let listener = TcpListener::bind(listen).await.map_err(taken)?;
    let address = listener.local_addr().map_err(taken)?;
    tokio::spawn(async move {
        loop {
            let Ok((socket, _)) = listener.accept().await else {
                // Too many are there at once.
                sleep(PAUSE).await;
                continue;
            };
            let acceptor = acceptor.clone();
            // How it ends concerns the device alone, which says so.
            tokio::spawn(async move { pass(acceptor, socket, broker).await.ok() });
        }
    });
    Ok(address)
}

/// One device, from its handshake to its end.
async fn pass(acceptor: TlsAcceptor, socket: TcpStream, broker: SocketAddr) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut device = timeout(PATIENCE, acceptor.accept(socket)).await??;
    let mut broker = TcpStream::connect(broker).await?;
    broker.set_nodelay(true)?;
    match copy_bidirectional(&mut device, &mut broker).await {
        Err(why) if why.kind() != ErrorKind::UnexpectedEof => Err(why),
        _ => Ok(()),
    }
}

fn settings(pki: &Path) -> Result<ServerConfig> {
    let folder = Folder::new(pki);
    let (certificate, key) = folder.broker();
    let ca = folder.ca();
    let unread = |path: &Path, why: pem::Error| {
        let why = match why {
            pem::Error::Io(why) => why.to_string(),
            why => why.to_string(),
        };
        Error::file("read", path, why)
            .fix(format!("`cargo ota pki {}` makes CA and broker", pki.display()))
    };
    let root = CertificateDer::from_pem_file(&ca).map_err(|why| unread(&ca, why))?;
    let own =
        CertificateDer::from_pem_file(&certificate).map_err(|why| unread(&certificate, why))?;
    let secret = PrivateKeyDer::from_pem_file(&key).map_err(|why| unread(&key, why))?;

    let useless = |why: rustls::Error| Error::file("use", pki, why);
    let mut roots = RootCertStore::empty();
    roots.add(root).map_err(useless)?;
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|why| Error::file("use", &ca, why))?;
    let mut settings = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(useless)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![own], secret)
        .map_err(useless)?;
    settings.max_fragment_size = Some(RECORD);
    // Devices do not resume sessions.
    settings.send_tls13_tickets = 0;
    Ok(settings)
}
