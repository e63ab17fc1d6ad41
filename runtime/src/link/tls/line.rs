//! The line between a message link and the TLS connection: bytes in both directions, and whether there
//! is a connection. Both its ends are on one thread; either may be let go and taken up at any time.

use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use heapless::Deque;

/// Bytes that wait in the line, in each direction.
pub const LINE: usize = 512;

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nobody wants one.
    Idle,
    /// The link wants one.
    Wanted,
    Open,
    /// It could not be made, or is gone.
    Down,
}

struct State {
    phase: Phase,
    /// Which of the link's wishes it is about.
    wish: u32,
    /// To the link, and from it.
    incoming: Deque<u8, LINE>,
    outgoing: Deque<u8, LINE>,
    link: Option<Waker>,
    tunnel: Option<Waker>,
}

impl State {
    /// Where the connection of that wish stands.
    fn phase_of(&self, wish: u32) -> Phase {
        if self.wish == wish { self.phase } else { Phase::Down }
    }
}

/// The line. The link opens it; [`Tunnel::run`](super::Tunnel::run) is at its other end.
pub struct Line(RefCell<State>);

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

impl Line {
    /// A line with nobody at it.
    pub const fn new() -> Self {
        Line(RefCell::new(State {
            phase: Phase::Idle,
            wish: 0,
            incoming: Deque::new(),
            outgoing: Deque::new(),
            link: None,
            tunnel: None,
        }))
    }

    /// Asks for a connection, in place of any there is, and waits for it.
    ///
    /// # Errors
    /// When there is none; the tunnel says why.
    pub async fn open(&self) -> Result<Io<'_>, ()> {
        // From here on dropped, it takes the wish back.
        let io = Io { line: self, wish: self.enter(Phase::Wanted) };
        let opened = poll_fn(|context| {
            let state = &mut *self.0.borrow_mut();
            match state.phase_of(io.wish) {
                Phase::Open => Poll::Ready(Ok(())),
                Phase::Wanted => wait(&mut state.link, context),
                Phase::Idle | Phase::Down => Poll::Ready(Err(())),
            }
        });
        opened.await.map(|()| io)
    }

    /// What the link wants, or no longer; what waited for the connection before is forgotten.
    fn enter(&self, phase: Phase) -> u32 {
        let state = &mut *self.0.borrow_mut();
        state.phase = phase;
        state.wish = state.wish.wrapping_add(1);
        state.incoming.clear();
        state.outgoing.clear();
        wake(&mut state.tunnel);
        wake(&mut state.link);
        state.wish
    }

    /// At the tunnel: waits until a connection is wanted.
    pub(super) async fn wanted(&self) -> u32 {
        self.when(|state| (state.phase == Phase::Wanted).then_some(state.wish)).await
    }

    /// At the tunnel: waits until that one is not wanted any more.
    pub(super) async fn unwanted(&self, wish: u32) {
        self.when(|state| (state.wish != wish).then_some(())).await;
    }

    async fn when<T>(&self, is_it: impl Fn(&State) -> Option<T>) -> T {
        poll_fn(|context| {
            let state = &mut *self.0.borrow_mut();
            match is_it(state) {
                Some(value) => Poll::Ready(value),
                None => wait(&mut state.tunnel, context),
            }
        })
        .await
    }

    /// At the tunnel: the connection that was wanted is there, or not any more.
    pub(super) fn settle(&self, wish: u32, open: bool) {
        let state = &mut *self.0.borrow_mut();
        if state.wish == wish {
            state.phase = if open { Phase::Open } else { Phase::Down };
            wake(&mut state.link);
        }
    }

    /// At the tunnel: hands on what was received; gives how much.
    pub(super) async fn deliver(&self, bytes: &[u8]) -> usize {
        poll_fn(|context| {
            let state = &mut *self.0.borrow_mut();
            match fill(&mut state.incoming, bytes) {
                0 => wait(&mut state.tunnel, context),
                some => {
                    wake(&mut state.link);
                    Poll::Ready(some)
                }
            }
        })
        .await
    }

    /// At the tunnel: what is to be sent, and whether that is all for now.
    pub(super) async fn collect(&self, bytes: &mut [u8]) -> (usize, bool) {
        poll_fn(|context| {
            let state = &mut *self.0.borrow_mut();
            match take(&mut state.outgoing, bytes) {
                0 => wait(&mut state.tunnel, context),
                some => {
                    wake(&mut state.link);
                    Poll::Ready((some, state.outgoing.is_empty()))
                }
            }
        })
        .await
    }
}

/// The link's end of a connection. Dropping it closes the connection.
pub struct Io<'l> {
    line: &'l Line,
    wish: u32,
}

impl Drop for Io<'_> {
    fn drop(&mut self) {
        let current = self.line.0.borrow().wish == self.wish;
        if current {
            self.line.enter(Phase::Idle);
        }
    }
}

impl ErrorType for Io<'_> {
    type Error = ErrorKind;
}

impl Read for Io<'_> {
    /// Dropped before it is done, it has taken nothing. What came before the end is still read.
    async fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ErrorKind> {
        poll_fn(|context| {
            let state = &mut *self.line.0.borrow_mut();
            if state.wish != self.wish {
                return Poll::Ready(Err(ErrorKind::ConnectionReset));
            }
            match take(&mut state.incoming, bytes) {
                0 if bytes.is_empty() => Poll::Ready(Ok(0)),
                0 if state.phase != Phase::Open => Poll::Ready(Err(ErrorKind::ConnectionReset)),
                0 => wait(&mut state.link, context),
                some => {
                    wake(&mut state.tunnel);
                    Poll::Ready(Ok(some))
                }
            }
        })
        .await
    }
}

impl Write for Io<'_> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|context| {
            let state = &mut *self.line.0.borrow_mut();
            if state.phase_of(self.wish) != Phase::Open {
                return Poll::Ready(Err(ErrorKind::ConnectionReset));
            }
            match fill(&mut state.outgoing, bytes) {
                0 if !bytes.is_empty() => wait(&mut state.link, context),
                some => {
                    wake(&mut state.tunnel);
                    Poll::Ready(Ok(some))
                }
            }
        })
        .await
    }

    /// The tunnel sends on what it has without being told.
    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}

#[cfg(feature = "rust-mqtt")]
impl<'l> crate::link::rust_mqtt::Connect for &'l Line {
    type Io = Io<'l>;

    async fn connect(&mut self) -> Result<Io<'l>, ()> {
        self.open().await
    }
}

fn wait<T>(waiting: &mut Option<Waker>, context: &Context<'_>) -> Poll<T> {
    if !waiting.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
        *waiting = Some(context.waker().clone());
    }
    Poll::Pending
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

/// Puts in what fits; gives how much.
fn fill(queue: &mut Deque<u8, LINE>, bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| queue.push_back(**byte).is_ok()).count()
}

/// Takes out what there is room for; gives how much.
fn take(queue: &mut Deque<u8, LINE>, bytes: &mut [u8]) -> usize {
    let mut taken = 0;
    for place in bytes {
        let Some(byte) = queue.pop_front() else { break };
        *place = byte;
        taken += 1;
    }
    taken
}
