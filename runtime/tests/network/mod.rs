//! What tests of links need of this machine: ports, brokers, sockets and a clock.

use coreota::link::Clock;
use embedded_io_async::{ErrorType, Read, Write};
use std::future::poll_fn;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

/// Ends with the test, also with one that fails.
pub(crate) struct Broker(pub(crate) Child);

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port nobody listens on, given once: below those that systems hand out by themselves, so that no
/// other test or connection takes it before it is used.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let n = std::process::id() * 64 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (n % 20_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A broker for whoever comes, at that port.
#[allow(dead_code, reason = "not every test that has this module needs it")]
pub(crate) fn mosquitto(port: u16) -> Broker {
    started(Command::new("mosquitto").args(["-p", &port.to_string()]), port)
}

/// A broker with the settings in that file, which listens at that port.
#[allow(dead_code, reason = "not every test that has this module needs it")]
pub(crate) fn mosquitto_with(settings: &Path, port: u16) -> Broker {
    started(Command::new("mosquitto").arg("-c").arg(settings), port)
}

fn started(command: &mut Command, port: u16) -> Broker {
    let child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap_or_else(|error| {
            panic!("this test needs mosquitto ({error}); install it: apt-get install mosquitto")
        });
    let broker = Broker(child);
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "mosquitto does not listen on {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
    broker
}

/// A socket that does not block, as futures.
pub(crate) struct Socket(TcpStream);

impl Socket {
    pub(crate) fn connect(port: u16) -> Result<Self, ()> {
        let socket = TcpStream::connect(("127.0.0.1", port)).map_err(|_| ())?;
        socket.set_nonblocking(true).map_err(|_| ())?;
        Ok(Socket(socket))
    }

    /// The same again.
    #[allow(dead_code, reason = "not every test that has this module needs it")]
    pub(crate) fn twice(&self) -> Result<Self, ()> {
        Ok(Socket(self.0.try_clone().map_err(|_| ())?))
    }
}

async fn ready<T>(mut attempt: impl FnMut() -> io::Result<T>) -> Result<T, ErrorKind> {
    poll_fn(|_| match attempt() {
        Ok(value) => Poll::Ready(Ok(value)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
        Err(error) => Poll::Ready(Err(error.kind())),
    })
    .await
}

impl ErrorType for Socket {
    type Error = embedded_io_async::ErrorKind;
}

impl Read for Socket {
    async fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(ready(|| self.0.read(bytes)).await?)
    }
}

impl Write for Socket {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(ready(|| self.0.write(bytes)).await?)
    }
    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// The time since it was made.
pub(crate) struct HostClock(pub(crate) Instant);

impl Clock for HostClock {
    fn now_ms(&mut self) -> u32 {
        self.0.elapsed().as_millis() as u32
    }
    async fn wait_ms(&mut self, ms: u32) {
        let end = Instant::now() + Duration::from_millis(ms.into());
        poll_fn(|_| {
            if Instant::now() >= end {
                return Poll::Ready(());
            }
            // The executor polls again at once: other tests want the processor too.
            std::thread::sleep(Duration::from_micros(200));
            Poll::Pending
        })
        .await;
    }
}
