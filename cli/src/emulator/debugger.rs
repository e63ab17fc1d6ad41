//! The GDB server of an emulator: the memory of an emulated board, read and written from outside.
//!
//! Packets as in "Remote Protocol" of GDB's manual; of it, what is needed here.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

/// How long an emulator may take to open its socket.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of memory in one packet: QEMU takes packets of 4 KiB.
const PART: usize = 1024;

/// A connection, while which the board stands still but for [`resume`](Self::resume).
pub(super) struct Debugger {
    stream: UnixStream,
    /// What came and was not yet understood.
    came: Vec<u8>,
}

impl Debugger {
    /// Connects, as soon as the emulator listens.
    pub(super) async fn connect(path: &Path) -> Result<Self> {
        let connected = timeout(PATIENCE, async {
            loop {
                match UnixStream::connect(path).await {
                    Ok(stream) => return stream,
                    Err(_) => sleep(Duration::from_millis(20)).await,
                }
            }
        });
        let stream = connected.await.map_err(|_| Error::other("it opens no GDB server"))?;
        let mut debugger = Debugger { stream, came: Vec::new() };
        debugger.ask("?").await?;
        Ok(debugger)
    }

    /// The bytes of memory at an address.
    pub(super) async fn read(&mut self, at: u32, len: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let part = PART.min(len - bytes.len());
            let answer = self.ask(&format!("m{:x},{part:x}", at as usize + bytes.len())).await?;
            match unhex(&answer) {
                Some(read) if read.len() == part => bytes.extend(read),
                _ => return Err(refused("read", &answer)),
            }
        }
        Ok(bytes)
    }

    /// Makes memory be these bytes; flash as well, without erasing or programming it.
    pub(super) async fn write(&mut self, at: u32, bytes: &[u8]) -> Result<()> {
        for (index, part) in bytes.chunks(PART).enumerate() {
            let at = at as usize + index * PART;
            self.order(&format!("M{at:x},{:x}:{}", part.len(), hex(part))).await?;
        }
        Ok(())
    }

    /// A command of the emulator's own monitor, which says nothing.
    pub(super) async fn monitor(&mut self, command: &str) -> Result<()> {
        self.order(&format!("qRcmd,{}", hex(command.as_bytes()))).await
    }

    /// Stops the board before every write to these addresses, or no longer.
    pub(super) async fn watch(&mut self, on: bool, at: u32, len: u32) -> Result<()> {
        self.order(&format!("{}2,{at:x},{len:x}", if on { 'Z' } else { 'z' })).await
    }

    /// Does one instruction.
    pub(super) async fn step(&mut self) -> Result<()> {
        self.ask("s").await.map(drop)
    }

    /// Lets the board run.
    pub(super) async fn resume(&mut self) -> Result<()> {
        self.send("c").await
    }

    /// Waits until the board stops; gives the start of the addresses whose watch stopped it. Dropped
    /// before it is done, it has lost nothing.
    pub(super) async fn stopped(&mut self) -> Result<Option<u32>> {
        let why = self.answer().await?;
        let why = String::from_utf8_lossy(&why);
        let watched = why.split(&[';', ':'][..]).skip_while(|word| !word.ends_with("watch")).nth(1);
        Ok(watched.and_then(|at| u32::from_str_radix(at, 16).ok()))
    }

    /// Stops the board.
    pub(super) async fn stop(&mut self) -> Result<()> {
        self.stream.write_all(&[3]).await?;
        self.stopped().await.map(drop)
    }

    async fn order(&mut self, what: &str) -> Result<()> {
        let answer = self.ask(what).await?;
        match answer.as_slice() {
            b"OK" => Ok(()),
            other => Err(refused(what.get(..8).unwrap_or(what), other)),
        }
    }

    async fn ask(&mut self, what: &str) -> Result<Vec<u8>> {
        self.send(what).await?;
        self.answer().await
    }

    async fn send(&mut self, what: &str) -> Result<()> {
        self.stream.write_all(format!("${what}#{:02x}", sum(what.as_bytes())).as_bytes()).await
    }

    /// The next packet.
    async fn answer(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(packet) = self.packet() {
                self.stream.write_all(b"+").await?;
                return Ok(packet);
            }
            if self.stream.read_buf(&mut self.came).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Takes a packet out of what came; what is between packets are acknowledgements.
    fn packet(&mut self) -> Option<Vec<u8>> {
        let start = self.came.iter().position(|byte| *byte == b'$')?;
        let end = start + self.came[start..].iter().position(|byte| *byte == b'#')?;
        if self.came.len() < end + 3 {
            return None;
        }
        let packet = self.came[start + 1..end].to_vec();
        self.came.drain(..end + 3);
        Some(packet)
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}

fn refused(what: &str, answer: &[u8]) -> Error {
    let answer = String::from_utf8_lossy(answer);
    Error::other(format!("its GDB server answers `{what}` with `{answer}`"))
}
