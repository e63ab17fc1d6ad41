//! `serve`, the I/O around the provider: one loop that takes inputs, lets the provider answer, saves
//! what changed, and only then sends.
//!
//! ```text
//! broker ─► link ──┐                        ┌─► store (state.json, before anything leaves)
//! commands ► control ─► inputs ► Provider ──┼─► faults ─► link ─► broker
//! clock ───────────┘                        └─► lines, watchers
//! ```

mod broker;
mod control;
pub(crate) mod faults;
pub(crate) mod link;
mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use coreota::link::rumqttc::BrokerUrl;
use serde_json::json;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use crate::control::{Reply, Request};
use crate::error::{Error, Exit, Result};
use crate::out::Out;
use crate::provider::{Change, Outgoing, Provider, Refusal};
use crate::report::{Live, Row, Snapshot, now};
use crate::store::{Endpoint, Store};
use control::Control;
use faults::Faults;
use link::Link;

/// Timers are in minutes; messages held back by `--reorder` wait at most this long.
const TICK: Duration = Duration::from_millis(200);
/// Inputs answered with one save.
const BATCH: usize = 256;
/// Changes a watcher may lag behind.
const WATCHED: usize = 1024;

/// Where to serve, and how badly.
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    /// Use this broker instead of the embedded one.
    pub(crate) broker: Option<BrokerUrl>,
    /// Besides, over TLS: where, and the folder with CA and certificate.
    pub(crate) tls: Option<(SocketAddr, PathBuf)>,
    pub(crate) state: PathBuf,
    pub(crate) faults: Faults,
}

/// Something for the provider to do.
enum Input {
    /// A device asks.
    Message { topic: String, payload: Vec<u8> },
    /// A command asks.
    Call { request: Request, reply: oneshot::Sender<Reply> },
    /// The link to the broker is there again.
    Up,
    /// It broke.
    Down(String),
}

/// Serves until interrupted.
pub(crate) async fn run(options: Options, out: &Out) -> Result<()> {
    // One listener for the whole run: a signal that comes while an input is answered is not lost.
    let stop = interruption()?;
    tokio::pin!(stop);
    let (store, state) = Store::open(&options.state)?;
    let provider = Provider::new(state, Box::new(store.images()));
    let (inputs, mut inbox) = mpsc::unbounded_channel();
    let changes = broadcast::Sender::new(WATCHED);

    let embedded = options.broker.is_none();
    let mut over_tls = None;
    let broker = match options.broker {
        Some(url) => url,
        None => {
            let address = broker::start(options.listen).await?;
            if let Some((listen, pki)) = &options.tls {
                let at = tls::open(*listen, pki, (Ipv4Addr::LOCALHOST, address.port()).into());
                over_tls = Some(format!("mqtts://{}", at.await?));
            }
            // Listening on every address includes this one.
            let ip = address.ip();
            let host = if ip.is_unspecified() { "127.0.0.1".to_owned() } else { ip.to_string() };
            BrokerUrl::new(host, address.port())
        }
    };
    let link = Link::connect(&broker, inputs.clone()).await?;
    let control = Control::open(inputs, changes.clone()).await?;
    store.announce(&Endpoint {
        control: control.address,
        token: control.token,
        broker: broker.to_string(),
    })?;
    let kind = if embedded { "embedded broker" } else { "broker" };
    out.event(
        "serving",
        &json!({
            "broker": broker.to_string(), "embedded": embedded, "tls": over_tls,
            "state": options.state,
        }),
        format_args!(
            "serving on {kind} {broker}{}, state in {}",
            over_tls.iter().map(|at| format!(" and {at}")).collect::<String>(),
            options.state.display()
        ),
    );

    for stream in store.damaged(provider.state()) {
        let line = format_args!("the image of stream {stream} is gone; publish it again");
        out.event("image-missing", &json!({ "stream": stream }), line);
    }

    let mut service = Service {
        provider,
        store,
        link,
        faults: options.faults,
        changes,
        live: Live::new(out),
        out,
    };
    let mut clock = tokio::time::interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            received = inbox.recv_many(&mut batch, BATCH) => match received {
                0 => break,
                _ => service.answer(&mut batch).await?,
            },
            _ = clock.tick() => service.tick().await?,
            () = &mut stop => break,
        }
    }
    service.link.close().await;
    out.event("stopped", &json!({}), "stopped");
    Ok(())
}

struct Service<'a> {
    provider: Provider,
    store: Store,
    link: Link,
    faults: Faults,
    changes: broadcast::Sender<Row>,
    live: Live<'a>,
    out: &'a Out,
}

impl Service<'_> {
    async fn answer(&mut self, batch: &mut Vec<Input>) -> Result<()> {
        let mut messages = Vec::new();
        let mut replies = Vec::new();
        for input in batch.drain(..) {
            match input {
                Input::Message { topic, payload } => {
                    messages.extend(self.provider.on_message(&topic, &payload, now()));
                }
                Input::Call { request, reply } => {
                    replies.push((reply, self.call(request, &mut messages)));
                }
                Input::Up => {
                    self.out.event("link-up", &json!({}), "connected to the broker again");
                    messages.extend(self.provider.announce(now()));
                }
                Input::Down(why) => {
                    let line = format_args!("lost the broker: {why}; trying again");
                    self.out.event("link-down", &json!({ "why": why }), line);
                }
            }
        }
        self.keep()?;
        for (reply, answer) in replies {
            // Who hung up is not waiting.
            let _ = reply.send(answer);
        }
        self.send(messages).await;
        Ok(())
    }

    async fn tick(&mut self) -> Result<()> {
        let messages = self.provider.tick(now());
        self.keep()?;
        if let Some(held) = self.faults.flush() {
            self.link.send(held).await;
        }
        self.send(messages).await;
        Ok(())
    }

    fn call(&mut self, request: Request, messages: &mut Vec<Outgoing>) -> Reply {
        let answer = match request {
            Request::Publish(job) => self.provider.publish(job, now()).map(|(things, out)| {
                messages.extend(out);
                Reply::Published(things)
            }),
            Request::Cancel { job, thing, force } => {
                self.provider.cancel(&job, thing.as_deref(), force, now()).map(|(done, out)| {
                    messages.extend(out);
                    Reply::Cancelled(done)
                })
            }
            Request::Status | Request::Watch => {
                Ok(Reply::Status(Snapshot::of(self.provider.state())))
            }
        };
        answer.unwrap_or_else(|Refusal { what, fix }| Reply::Refused { what, fix: Some(fix) })
    }

    /// Saves what changed, then tells it.
    fn keep(&mut self) -> Result<()> {
        let changes = self.provider.take_changes();
        if changes.is_empty() {
            return Ok(());
        }
        self.store.save(self.provider.state())?;
        for change in changes {
            match change {
                Change::Thing(thing) => {
                    let line = format_args!("{thing}  is new here");
                    self.out.event("thing", &json!({ "thing": thing }), line);
                }
                Change::Execution { thing, execution } => {
                    let row = Row::new(self.provider.state(), &thing, &execution);
                    self.live.show(&row);
                    // Nobody may be watching.
                    let _ = self.changes.send(row);
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self, messages: Vec<Outgoing>) {
        for message in self.faults.apply(messages) {
            if !self.link.send(message).await {
                return;
            }
        }
    }
}

/// Ctrl-C, or a polite request to end. Listening begins with the call, not with the first wait.
#[cfg(unix)]
fn interruption() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| {
        signal(kind).map_err(|error| {
            Error::new(Exit::Network, format!("cannot listen for signals: {error}"))
        })
    };
    let (mut interrupt, mut terminate) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ctrl-C.
#[cfg(not(unix))]
fn interruption() -> Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler there is nothing to wait for.
        let _ = tokio::signal::ctrl_c().await;
    })
}
