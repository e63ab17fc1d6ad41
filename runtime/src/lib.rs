//! Firmware updates over the air for microcontrollers: the device half. `no_std`, without
//! allocation, without unsafe code.
//!
//! A device is **notified** of a job, **downloads** an image block by block, **verifies** that it is
//! whole, authentic, newer and meant for this board, and **installs** it through its bootloader: on
//! trial first, then confirmed or rolled back, and the provider is told which. What each of these
//! is made of is declared in an `ota.toml`, of which [`orchestrator!`] makes a [`Pipeline`].
//!
//! # A tour, from the top
//!
//! | room | what is there |
//! |---|---|
//! | [`orchestrator`](mod@orchestrator) | the conversation: settle after a boot, hear of jobs, decide, install, report |
//! | [`update`] | the state machine of one download, verification and staging: one event in, one action out |
//! | [`journal`] | what survives a power cut, drawn byte by byte, and why it holds |
//! | [`job`], [`parser`], [`transport`] | what providers say, and how blocks arrive: bytes to values and back |
//! | [`verify`] | the only maker of [`Verified`](verify::Verified), which is all that can be staged |
//! | [`boot`] | bootloader adapters; yours is three methods |
//! | [`plugin`] | formats and protocols that arrive later |
//! | [`link`], [`hooks`] | what you give: a connection and a clock, a decision and a self-test |
//! | [`blocking`] | the same without an executor |
//! | [`say`] | what happens, as lines for a console |
//! | [`provisioning`] | what the device was told when it was made |
//! | `certificate` | whether a broker is who it should be (feature `tls`) |
//! | [`error`] | every way to fail, numbered |
//!
//! # One byte, from the broker to the slot
//!
//! [`MessageLink::receive`](link::MessageLink::receive) lends the message that carries it to
//! [`BlockProtocol::accept`](transport::BlockProtocol::accept), which checks the block against what
//! was asked for and writes it into the update's one block buffer. The driver answers
//! [`Action::Receive`](update::Action::Receive) with [`Event::Block`](update::Event::Block); the
//! update answers with [`Action::Program`](update::Action::Program), and the byte is in the slot.
//! One more `Program` marks the block in the journal: from then on no power cut asks for it again.
//! When all are there it is read back through [`Verifier::feed`](verify::Verifier::feed), and if
//! everything holds, [`Boot::stage`](boot::Boot::stage) gives the slot to the bootloader.
//!
//! # Features
//!
//! All are additive; `ecdsa-p256` is on by default. `ecdsa-p256` and `ed25519` link the signature
//! algorithms, `log` and `defmt` make the orchestrator say what it does, `rumqttc` is
//! a message link for hosts and `rust-mqtt` one for devices that have a global allocator, `tls` is TLS
//! under a link, `serial` one for devices that have a serial line and no network, `image` and `sim` are for host tools and tests.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(feature = "image", feature = "rust-mqtt"))]
extern crate alloc;
#[cfg(any(feature = "sim", feature = "rumqttc"))]
extern crate std;

pub mod blocking;
pub mod boot;
#[cfg(feature = "tls")]
pub mod certificate;
pub mod descriptor;
pub mod error;
pub mod field;
mod flash;
pub mod hooks;
#[cfg(feature = "image")]
pub mod image;
pub mod job;
pub mod journal;
pub mod layout;
pub mod link;
pub mod message;
pub mod orchestrator;
pub mod parser;
pub mod pipeline;
pub mod plugin;
pub mod provisioning;
pub mod say;
mod sealed;
#[cfg(feature = "sim")]
pub mod sim;
mod trace;
pub mod transport;
pub mod update;
pub mod verify;
pub mod version;
pub mod wire;

pub use coreota_macros::orchestrator;
pub use hooks::{Decision, Hooks, SelfTest};
pub use layout::{Layout, Region};
pub use orchestrator::{End, Orchestrator, Parts};
pub use pipeline::{Accept, Pipeline, Policy, Retry};
pub use version::Version;
