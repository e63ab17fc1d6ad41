//! A network block device with one export, on a Unix socket: the fixed newstyle handshake with
//! `NBD_OPT_GO` and simple replies of the NBD protocol
//! (<https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md>), which is what QEMU uses
//! for `nbd+unix:///?socket=PATH`.
//!
//! When the chip loses its power the connection ends without an answer; the owner learns it from
//! [`Server::wait_for_cut`] and kills the emulator.

use crate::{Chip, Held};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;
use std::time::Duration;

const MAGIC: u64 = 0x4e42_444d_4147_4943; // "NBDMAGIC"
const OPTION: u64 = 0x4948_4156_454f_5054; // "IHAVEOPT"
const OPTION_REPLY: u64 = 0x0003_e889_0455_65a9;
const REQUEST: u32 = 0x2560_9513;
const REPLY: u32 = 0x6744_6698;

const FIXED_NEWSTYLE: u16 = 1;
const NO_ZEROES: u16 = 2;
const OPT_ABORT: u32 = 2;
const OPT_INFO: u32 = 6;
const OPT_GO: u32 = 7;
const REP_ACK: u32 = 1;
const REP_INFO: u32 = 3;
const REP_UNSUPPORTED: u32 = 0x8000_0001;
const INFO_EXPORT: u16 = 0;
const INFO_BLOCK_SIZE: u16 = 3;
/// Flags, flush, force unit access.
const TRANSMISSION: u16 = 1 | 4 | 8;
const READ: u16 = 0;
const WRITE: u16 = 1;
const DISCONNECT: u16 = 2;
const FLUSH: u16 = 3;
const INVALID: u32 = 22; // EINVAL
/// Most bytes of one request: what the block size information promises.
const PAYLOAD_MAX: u32 = 32 << 20;
/// Longest option of a client: ours carry a name and a few numbers.
const OPTION_MAX: u32 = 4096;

/// A chip that is served until dropped.
#[derive(Debug)]
pub struct Server {
    held: Held,
    path: PathBuf,
}

/// Serves `chip` on a socket that is made at `path`, one connection after the other.
///
/// # Errors
/// Where the socket cannot be made, as when something is at `path` already.
pub fn serve(chip: Chip, path: &Path) -> io::Result<Server> {
    let listener = UnixListener::bind(path)?;
    let held = Held::new(chip);
    let perhaps = held.perhaps();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Some(held) = perhaps.held() else { return };
            // A client that goes away in the middle of something was killed: nothing to do.
            let _ = talk(stream, &held);
        }
    });
    Ok(Server { held, path: path.to_owned() })
}

impl Server {
    /// The chip, as the clients left it.
    pub const fn held(&self) -> &Held {
        &self.held
    }

    /// The chip; the emulator waits while it is held.
    pub fn chip(&self) -> MutexGuard<'_, Chip> {
        self.held.chip()
    }

    /// Waits until the power is gone; `false` where it still is there after `within`.
    pub fn wait_for_cut(&self, within: Duration) -> bool {
        self.held.wait_for_cut(within)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Wakes the thread that waits for another client, to find that there is no chip any more.
        self.held = Held::new(Chip::blank(0, 1));
        let _ = UnixStream::connect(&self.path);
    }
}

fn talk(mut stream: UnixStream, held: &Held) -> io::Result<()> {
    if handshake(&mut stream, held.chip().bytes().len() as u64)? {
        while request(&mut stream, held)? {}
    }
    Ok(())
}

/// Whether the client goes on to requests.
fn handshake(stream: &mut UnixStream, size: u64) -> io::Result<bool> {
    let hello =
        [&MAGIC.to_be_bytes()[..], &OPTION.to_be_bytes(), &be16(FIXED_NEWSTYLE | NO_ZEROES)];
    stream.write_all(&hello.concat())?;
    let _flags: [u8; 4] = take(stream)?;
    loop {
        let magic = u64::from_be_bytes(take(stream)?);
        let option = u32::from_be_bytes(take(stream)?);
        let len = u32::from_be_bytes(take(stream)?);
        if magic != OPTION || len > OPTION_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        take_all(stream, len)?;
        match option {
            OPT_GO | OPT_INFO => {
                let export =
                    [&be16(INFO_EXPORT)[..], &size.to_be_bytes(), &be16(TRANSMISSION)].concat();
                answer(stream, option, REP_INFO, &export)?;
                // Smallest, best and largest request.
                let sizes = [1, 4096, PAYLOAD_MAX].map(u32::to_be_bytes).concat();
                answer(stream, option, REP_INFO, &[&be16(INFO_BLOCK_SIZE)[..], &sizes].concat())?;
                answer(stream, option, REP_ACK, &[])?;
                if option == OPT_GO {
                    return Ok(true);
                }
            }
            OPT_ABORT => {
                answer(stream, option, REP_ACK, &[])?;
                return Ok(false);
            }
            _ => answer(stream, option, REP_UNSUPPORTED, &[])?,
        }
    }
}

fn answer(stream: &mut UnixStream, option: u32, kind: u32, data: &[u8]) -> io::Result<()> {
    let len = data.len() as u32; // at most some dozens
    let numbers = [option, kind, len].map(u32::to_be_bytes).concat();
    stream.write_all(&[&OPTION_REPLY.to_be_bytes()[..], &numbers, data].concat())
}

/// Answers one request; `false` after the last.
fn request(stream: &mut UnixStream, held: &Held) -> io::Result<bool> {
    let magic = u32::from_be_bytes(take(stream)?);
    let _flags: [u8; 2] = take(stream)?;
    let kind = u16::from_be_bytes(take(stream)?);
    let cookie: [u8; 8] = take(stream)?;
    let at = u64::from_be_bytes(take(stream)?);
    let len = u32::from_be_bytes(take(stream)?);
    if magic != REQUEST || len > PAYLOAD_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let (error, data) = match kind {
        READ => match held.chip().read(at, len as usize) {
            Some(bytes) => (0, bytes.to_vec()),
            None => (INVALID, Vec::new()),
        },
        WRITE => {
            let data = take_all(stream, len)?;
            match held.change(|chip| (chip.write(at, &data), chip.powered())) {
                (Some(()), _) => (0, Vec::new()),
                (None, true) => (INVALID, Vec::new()),
                (None, false) => return Ok(false),
            }
        }
        FLUSH => (0, Vec::new()),
        DISCONNECT => return Ok(false),
        _ => (INVALID, Vec::new()),
    };
    let numbers = [REPLY, error].map(u32::to_be_bytes).concat();
    stream.write_all(&[&numbers[..], &cookie, &data].concat())?;
    Ok(true)
}

fn be16(number: u16) -> [u8; 2] {
    number.to_be_bytes()
}

fn take<const LEN: usize>(stream: &mut UnixStream) -> io::Result<[u8; LEN]> {
    let mut bytes = [0; LEN];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn take_all(stream: &mut UnixStream, len: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len as usize];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
