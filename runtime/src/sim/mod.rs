//! A world on the host in which whole updates happen, are cut short, and are looked at.
//!
//! | room | holds |
//! |---|---|
//! | [`bootloader`] | what runs after a reset: embassy-boot itself, or a bootloader of ours |
//! | [`clock`] | time that passes only when somebody waits |
//! | [`link`] | a message link to a scripted peer; bad weather for any link |
//! | [`nor`] | a word-exact NOR flash with wear, a trace and a power fuse, in RAM or in a file |
//! | [`random`] | the one source of chance: seeded, so that a run repeats exactly |
//!
//! Nothing here runs on a device: the module needs `std` and is behind the feature `sim`.

pub mod bootloader;
pub mod clock;
pub mod link;
pub mod nor;
pub mod random;

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

/// Runs a future that waits for nothing but its own next poll, as those over a [`nor::SimNor`].
///
/// # Panics
/// If it is still pending after a million polls: it waits for something else.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("a future in a simulated world waits for something outside of it");
}

/// Pending at the first poll, ready at the second, and asks for the second itself.
async fn wait_once(really: bool) {
    let mut waited = !really;
    poll_fn(|context| {
        if core::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
