//! The control socket: takes calls of commands on this machine and hands them to the provider.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{broadcast, oneshot};

use super::Input;
use crate::control::{Call, Reply, Request};
use crate::error::{Error, Exit, Result};
use crate::report::Row;
use crate::store::hex;

/// Bytes of a call: a job document, and the names of 30,000 things.
const CALL_MAX: u64 = 4 * 1024 * 1024;

/// The socket, open.
pub(super) struct Control {
    pub(super) address: String,
    pub(super) token: String,
}

impl Control {
    /// Opens a socket that only this machine reaches, and serves it until the process ends.
    pub(super) async fn open(
        inputs: UnboundedSender<Input>,
        changes: broadcast::Sender<Row>,
    ) -> Result<Self> {
        let failed = |what: &str, why: &dyn std::fmt::Display| {
            Error::new(Exit::Network, format!("cannot {what} the control socket: {why}"))
        };
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|error| failed("protect", &error))?;
        let token = hex(&secret);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|error| failed("open", &error))?;
        let address = listener.local_addr().map_err(|error| failed("open", &error))?.to_string();
        let server = Server { inputs, changes, token: token.as_str().into() };
        tokio::spawn(async move {
            loop {
                // A call that cannot be taken is the caller's to repeat.
                let Ok((stream, _)) = listener.accept().await else { continue };
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        Ok(Self { address, token })
    }
}

#[derive(Clone)]
struct Server {
    inputs: UnboundedSender<Input>,
    changes: broadcast::Sender<Row>,
    token: Arc<str>,
}

impl Server {
    /// Serves one caller until it hangs up; an error means that it did.
    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            if (&mut stream).take(CALL_MAX).read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let (reply, changes) = match serde_json::from_str::<Call>(&line) {
                Ok(call) if call.token == *self.token => {
                    // Listen first, then look: no change falls between the two.
                    let watch = matches!(call.request, Request::Watch);
                    let changes = watch.then(|| self.changes.subscribe());
                    (self.ask(call.request).await, changes)
                }
                Ok(_) => (refused("the token is not the one of this provider"), None),
                Err(error) => (refused(&format!("the call is not understood: {error}")), None),
            };
            write(stream.get_mut(), &reply).await?;
            if let Some(changes) = changes {
                return watch(stream.get_mut(), changes).await;
            }
        }
    }

    async fn ask(&self, request: Request) -> Reply {
        let (reply, answer) = oneshot::channel();
        let stopping = || refused("the provider is stopping");
        match self.inputs.send(Input::Call { request, reply }) {
            Ok(()) => answer.await.unwrap_or_else(|_| stopping()),
            Err(_) => stopping(),
        }
    }
}

async fn watch(
    stream: &mut TcpStream,
    mut changes: broadcast::Receiver<Row>,
) -> std::io::Result<()> {
    loop {
        match changes.recv().await {
            Ok(row) => write(stream, &Reply::Change(row)).await?,
            // A slow watcher misses what was overwritten; the next change of a row tells its state.
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return Ok(()),
        }
    }
}

fn refused(what: &str) -> Reply {
    Reply::Refused { what: what.to_owned(), fix: None }
}

async fn write(stream: &mut TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    stream.write_all(&line).await
}
