//! How commands talk to a running provider: one JSON line each way, over a socket on this machine.
//!
//! The provider announces address and token in its state folder (see [`crate::store`]); who may
//! read the folder may publish.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Exit, Result};
use crate::provider::{Cancelled, NewJob};
use crate::report::{Row, Snapshot};
use crate::store::{self, Endpoint};

/// How long the provider may take to answer: it answers at once, but may wait for a slow disk.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is sent: a request, and the token from the state folder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) token: String,
    pub(crate) request: Request,
}

/// What a command may ask.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Queue a job.
    Publish(NewJob),
    /// Cancel a job, on one thing or on all.
    Cancel { job: String, thing: Option<String>, force: bool },
    /// Who is where.
    Status,
    /// Who is where, then every change until the caller hangs up.
    Watch,
}

/// What the provider answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reply {
    /// Queued for these things.
    Published(Vec<String>),
    Cancelled(Cancelled),
    Status(Snapshot),
    Change(Row),
    Refused {
        what: String,
        fix: Option<String>,
    },
}

/// A connection to the provider of a state folder.
pub(crate) struct Connection {
    lines: BufReader<TcpStream>,
    token: String,
}

impl Connection {
    /// Finds the provider of this folder and connects.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let Endpoint { control, token, .. } = store::endpoint(dir)?;
        let address: SocketAddr = control
            .parse()
            .map_err(|error| Error::file("understand", &dir.join("provider.json"), error))?;
        // Announced and not there: it was killed.
        let stream =
            TcpStream::connect_timeout(&address, PATIENCE).map_err(|_| store::no_provider(dir))?;
        Ok(Self { lines: BufReader::new(stream), token })
    }

    /// Asks; gives the first answer. A refusal is an error.
    pub(crate) fn ask(&mut self, request: Request) -> Result<Reply> {
        let call = Call { token: self.token.clone(), request };
        let mut line = serde_json::to_vec(&call).expect("calls are plain data");
        line.push(b'\n');
        self.lines.get_mut().write_all(&line).map_err(lost)?;
        self.lines.get_ref().set_read_timeout(Some(PATIENCE)).map_err(lost)?;
        let reply = self.next()?;
        self.lines.get_ref().set_read_timeout(None).map_err(lost)?;
        reply.ok_or_else(|| lost("it closed the connection"))
    }

    /// The next answer; `None` when the provider has stopped.
    pub(crate) fn next(&mut self) -> Result<Option<Reply>> {
        let mut line = String::new();
        if self.lines.read_line(&mut line).map_err(lost)? == 0 {
            return Ok(None);
        }
        match serde_json::from_str(&line).map_err(lost)? {
            Reply::Refused { what, fix } => Err(Error { exit: Exit::Refused, what, fix }),
            reply => Ok(Some(reply)),
        }
    }
}

fn lost(why: impl std::fmt::Display) -> Error {
    Error::new(Exit::Network, format!("the provider did not answer: {why}"))
        .fix("look at the output of `cargo ota serve`")
}
