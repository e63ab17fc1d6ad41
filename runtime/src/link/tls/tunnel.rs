//! The future that drives TLS connections: one after the other, as the line asks for them.

use super::proof::Provider;
use super::records::{Duplex, Watched};
use super::{Dial, Identity, Line, Random, Trouble};
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use embedded_io_async::{BufRead, ErrorKind, Read, Write};
use embedded_tls::{
    Aes128GcmSha256, MaxFragmentLength, TlsConfig, TlsConnection, TlsContext, TlsError, TlsReader,
    TlsWriter,
};

/// How much the buffer for a received record must be larger than what is in it.
pub const READ_OVERHEAD: usize = 256;
/// The buffer for a record to send: the device's certificate is the largest.
pub const WRITE_SIZE: usize = 1280;
/// The most that a record may hold where the server is not asked for less.
const RECORD_MAX: usize = 16_384;
/// Bytes that go from the line to a record at a time.
const PIECE: usize = 64;

/// Smaller records that a server can be asked for.
const FRAGMENTS: [(usize, MaxFragmentLength); 4] = [
    (4096, MaxFragmentLength::Bits12),
    (2048, MaxFragmentLength::Bits11),
    (1024, MaxFragmentLength::Bits10),
    (512, MaxFragmentLength::Bits9),
];

/// All that a TLS connection needs.
pub struct Tunnel<'t, D, R> {
    /// What the link is at the other end of.
    pub line: &'t Line,
    /// Makes the connection under it.
    pub dial: D,
    /// Who the device is, and whom it trusts.
    pub identity: Identity<'t>,
    /// Where keys come from.
    pub random: R,
    /// For one record as received: its content and [`READ_OVERHEAD`]. Of 768 bytes or more.
    pub read: &'t mut [u8],
    /// For one record to send.
    pub write: &'t mut [u8; WRITE_SIZE],
}

impl<D: Dial, R: Random> Tunnel<'_, D, R> {
    /// Connects whenever the link asks for it, and says why it could not, or no longer.
    pub async fn run(mut self, mut trouble: impl FnMut(Trouble)) -> ! {
        loop {
            let line = self.line;
            let wish = line.wanted().await;
            // Nobody is told of what nobody wants any more.
            if let Some(why) = unless(line.unwanted(wish), self.connection(wish)).await {
                trouble(why);
                line.settle(wish, false);
            }
        }
    }

    /// One connection, from its beginning to its end.
    async fn connection(&mut self, wish: u32) -> Trouble {
        match self.converse(wish).await {
            Ok(never) => match never {},
            Err(why) => why,
        }
    }

    async fn converse(&mut self, wish: u32) -> Result<core::convert::Infallible, Trouble> {
        let Tunnel { line, dial, identity, random, read, write } = self;
        let mut config = TlsConfig::new();
        // An address is no server name (RFC 6066, section 3).
        if let crate::certificate::Host::Name(name) = identity.host.into() {
            config = config.with_server_name(name);
        }
        let room = read.len().saturating_sub(READ_OVERHEAD);
        if room < RECORD_MAX {
            let fits = FRAGMENTS.iter().find(|(len, _)| *len <= room);
            let (_, fragment) = fits.ok_or(Trouble::TooLong)?;
            config = config.with_max_fragment_length(*fragment);
        }
        let mut provider = Provider::new(identity, random)?;
        let (reader, writer) = dial.dial().await.map_err(|()| Trouble::Unreachable)?;
        let (reader, writer) = (RefCell::new(Watched::new(reader)), RefCell::new(writer));
        let io = Duplex { reader: &reader, writer: &writer };
        let mut connection = TlsConnection::<_, Aes128GcmSha256>::new(io, read, *write);
        let opened = connection.open(TlsContext::new(&config, &mut provider)).await;
        if let Some(why) = provider.proof.failed() {
            return Err(why);
        }
        let proved = provider.proof.holds();
        // From its proof on the server knows who the device is.
        opened.map_err(|why| at_once(of_tls(why), proved.is_ok()))?;
        proved?;
        line.settle(wish, true);
        let (mut reader, mut writer) = connection.split();
        let heard = Cell::new(false);
        let mut receiving = pin!(receive(line, &mut reader, &heard));
        let mut sending = pin!(send(line, &mut writer));
        let why = poll_fn(|context| match receiving.as_mut().poll(context) {
            Poll::Ready(why) => Poll::Ready(why),
            Poll::Pending => sending.as_mut().poll(context),
        })
        .await;
        Err(at_once(of_tls(why), !heard.get()))
    }
}

/// Hands on what comes, until nothing does any more; whether anything did is `heard`.
async fn receive<'c, IO: Read + 'c>(
    line: &Line,
    reader: &mut TlsReader<'c, IO, Aes128GcmSha256>,
    heard: &Cell<bool>,
) -> TlsError {
    loop {
        let some = match reader.fill_buf().await {
            Ok(bytes) => {
                heard.set(true);
                line.deliver(bytes).await
            }
            Err(why) => return why,
        };
        reader.consume(some);
    }
}

/// Sends what there is to send.
async fn send<'c, IO: Write + 'c>(
    line: &Line,
    writer: &mut TlsWriter<'c, IO, Aes128GcmSha256>,
) -> TlsError {
    loop {
        let mut piece = [0; PIECE];
        let (some, all) = line.collect(&mut piece).await;
        let sent = async {
            writer.write_all(piece.get(..some).unwrap_or_default()).await?;
            if all { writer.flush().await } else { Ok(()) }
        };
        if let Err(why) = sent.await {
            return why;
        }
    }
}

/// The end of a conversation, unless it is broken off.
async fn unless<T>(
    broken_off: impl Future<Output = ()>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let (mut broken_off, mut future) = (pin!(broken_off), pin!(future));
    poll_fn(|context| match broken_off.as_mut().poll(context) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => future.as_mut().poll(context).map(Some),
    })
    .await
}

/// What it means that a server ended a connection on which it said nothing yet.
fn at_once(why: Trouble, is_it: bool) -> Trouble {
    match why {
        Trouble::Ended if is_it => Trouble::Refused,
        why => why,
    }
}

fn of_tls(error: TlsError) -> Trouble {
    match error {
        TlsError::ConnectionClosed
        | TlsError::HandshakeAborted(..)
        | TlsError::IoError
        // An alert after the handshake.
        | TlsError::InternalError => Trouble::Ended,
        TlsError::Io(ErrorKind::InvalidData) => Trouble::Protocol,
        TlsError::Io(_) => Trouble::Ended,
        TlsError::InsufficientSpace | TlsError::OutOfMemory => Trouble::TooLong,
        _ => Trouble::Protocol,
    }
}
