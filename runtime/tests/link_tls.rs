//! TLS under the link for devices, against a mosquitto that wants certificates, with certificates that
//! OpenSSL made.

mod network;
mod openssl;

use coreota::blocking::block_on;
use coreota::certificate::Refusal;
use coreota::link::rust_mqtt::{RustMqttLink, Settings};
use coreota::link::tls::{Dial, Identity, Line, Random, Trouble, Tunnel, WRITE_SIZE};
use coreota::link::{Delivery, LinkFault, MessageLink};
use coreota::message::Message;
use coreota::provisioning::{Kind, Provisioning, to_bytes};
use network::{Broker, HostClock, Socket, free_port, mosquitto_with};
use openssl::{CA, Pki, SERVER};
use std::cell::RefCell;
use std::future::poll_fn;
use std::num::NonZero;
use std::pin::pin;
use std::time::Instant;

const NOTIFY: &str = "$aws/things/lamp-1/jobs/notify-next";
/// More than a loaded machine needs.
const SOON_MS: u32 = 10_000;
/// The buffer for records of 4 KiB.
const READ: usize = 4096 + coreota::link::tls::READ_OVERHEAD;
const CLIENT: &[&str] = &["basicConstraints=CA:FALSE", "extendedKeyUsage=clientAuth"];

struct Port(u16);

impl Dial for Port {
    type Reader<'d> = Socket;
    type Writer<'d> = Socket;
    async fn dial(&mut self) -> Result<(Socket, Socket), ()> {
        let socket = Socket::connect(self.0)?;
        Ok((socket.twice()?, socket))
    }
}

/// The generator of this machine.
struct Urandom(std::fs::File);

impl Random for Urandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        std::io::Read::read_exact(&mut self.0, bytes).expect("it gives as many as are asked for");
    }
}

/// A root, a broker and a device, and the broker at a port.
struct World {
    pki: Pki,
    port: u16,
    broker: Option<Broker>,
}

impl World {
    /// With a broker whose certificate says that.
    fn with(server: &[&str]) -> Self {
        let pki = Pki::new();
        pki.issue("root", "root", CA);
        pki.issue("broker", "root", server);
        pki.issue("lamp-1", "root", CLIENT);
        let mut world = World { pki, port: free_port(), broker: None };
        world.start("broker");
        world
    }

    fn new() -> Self {
        Self::with(SERVER)
    }

    /// Starts the broker, with the chain in that file.
    fn start(&mut self, chain: &str) {
        let World { pki, port, broker } = self;
        *broker = None;
        let file = |name: &str| pki.path(name).display().to_string();
        let settings = format!(
            "user root\nlistener {port} 127.0.0.1\npersistence false\nlog_type all\n\
             log_dest file {}\ncafile {}\ncertfile {}\nkeyfile {}\n\
             require_certificate true\nuse_identity_as_username true\n",
            file("log"),
            file("root.pem"),
            file(&format!("{chain}.pem")),
            file("broker.key")
        );
        std::fs::write(pki.path("mosquitto.conf"), settings).expect("writable");
        *broker = Some(mosquitto_with(&pki.path("mosquitto.conf"), *port));
    }

    /// What the broker says of itself.
    fn log(&self) -> String {
        std::fs::read_to_string(self.pki.path("log")).unwrap_or_default()
    }

    /// The private key in a file: in SEC 1 it begins 7 bytes behind the front.
    fn key(&self, name: &str) -> Vec<u8> {
        let key = format!("{name}.key");
        let der = self.pki.openssl(&["ec", "-in", &key, "-outform", "DER"]).stdout;
        der[7..39].to_vec()
    }

    /// Runs a device that was told this, until it is done; gives what the tunnel said.
    fn device<T>(
        &self,
        told: Told<'_>,
        act: impl AsyncFnOnce(&mut Link<'_>) -> T,
    ) -> (T, Vec<Trouble>) {
        let [root, certificate] = [told.root, told.certificate].map(|file| self.pki.der(file));
        let key = self.key(told.key);
        // As it comes from flash.
        let records = to_bytes(&[
            (Kind::Root, &root),
            (Kind::Host, told.host.as_bytes()),
            (Kind::Certificate, &certificate),
            (Kind::Key, &key),
            (Kind::Earliest, &told.earliest.to_le_bytes()),
        ]);
        let records = records.expect("short records");
        let identity = Identity::of(&Provisioning::open(&records).expect("whole"));
        let line = Line::new();
        let (mut read, mut write) = (vec![0; told.read], [0; WRITE_SIZE]);
        let random = Urandom(std::fs::File::open("/dev/urandom").expect("there is one"));
        let tunnel = Tunnel {
            line: &line,
            dial: Port(self.port),
            identity: identity.expect("all of it was told"),
            random,
            read: &mut read,
            write: &mut write,
        };
        let troubles = RefCell::new(Vec::new());
        let settings = Settings {
            client_id: "lamp-1",
            keep_alive_s: NonZero::new(told.keep_alive_s).expect("not 0"),
            longest: 5 * 1024,
            early: 16 * 1024,
        };
        let mut link = RustMqttLink::new(&line, HostClock(Instant::now()), settings);
        let result = {
            let mut tunnel = pin!(tunnel.run(|trouble| troubles.borrow_mut().push(trouble)));
            let mut act = pin!(act(&mut link));
            block_on(poll_fn(|context| {
                assert!(tunnel.as_mut().poll(context).is_pending());
                act.as_mut().poll(context)
            }))
        };
        (result, troubles.into_inner())
    }

    /// The device cannot connect; gives why.
    fn refused(&self, told: Told<'_>) -> Trouble {
        let (connected, troubles) = self.device(told, async |link| link.connect().await);
        assert_eq!(connected, Err(LinkFault::Down));
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        troubles[0]
    }

    /// The broker heard nothing of who the device is.
    fn nothing_was_told(&self) {
        let log = self.log();
        assert!(!log.contains("lamp-1"), "{log}");
    }
}

type Link<'l> = RustMqttLink<'static, &'l Line, HostClock>;

/// What a device was told.
#[derive(Clone, Copy)]
struct Told<'t> {
    root: &'t str,
    host: &'t str,
    certificate: &'t str,
    key: &'t str,
    read: usize,
    earliest: u64,
    keep_alive_s: u16,
}

const TOLD: Told<'static> = Told {
    root: "root",
    host: "broker.example",
    certificate: "lamp-1",
    key: "lamp-1",
    read: READ,
    earliest: 1_700_000_000,
    keep_alive_s: 60,
};

async fn echo(link: &mut Link<'_>, payload: &[u8], patience_ms: u32) {
    let message = Message { topic: NOTIFY, payload };
    link.publish(message, Delivery::AtLeastOnce).await.expect("published");
    let began = Instant::now();
    loop {
        let came = link.receive(patience_ms).await.expect("the link stands");
        if let Some(message) = came {
            assert_eq!((message.topic, message.payload), (NOTIFY, payload));
            return;
        }
        assert!(began.elapsed().as_millis() < SOON_MS.into(), "nothing of {} bytes", payload.len());
    }
}

#[test]
fn both_sides_prove_who_they_are_and_messages_of_every_length_arrive() {
    let world = World::new();
    let (_, troubles) = world.device(TOLD, async |link| {
        link.connect().await.expect("connects");
        link.subscribe(NOTIFY).await.expect("granted");
        for len in [0, 1, 63, 64, 65, 511, 512, 513, 1000, 1152, 4000, 4096, 5 * 1024] {
            let payload: Vec<u8> = (0..len).map(|i| (i ^ i >> 8) as u8).collect();
            echo(link, &payload, SOON_MS).await;
        }
    });
    assert_eq!(troubles, []);
    let log = world.log();
    // Who it is comes from its certificate.
    assert!(log.contains("as lamp-1 (p5, c1, k60, u'lamp-1')"), "{log}");
}

/// A read that takes too long is let go, wherever it is; nothing is lost by that.
#[test]
fn a_read_that_is_let_go_loses_nothing() {
    let world = World::new();
    world.device(TOLD, async |link| {
        link.connect().await.expect("connects");
        link.subscribe(NOTIFY).await.expect("granted");
        for round in 0..40_u8 {
            echo(link, &vec![round; 37 * usize::from(round) + 3000], 1).await;
        }
    });
}

#[test]
fn a_lost_broker_is_found_again() {
    let mut world = World::new();
    let mut broker = world.broker.take();
    let settings = world.pki.path("mosquitto.conf");
    let (_, troubles) = world.device(TOLD, async |link| {
        link.connect().await.expect("connects");
        link.subscribe(NOTIFY).await.expect("granted");
        echo(link, b"before", SOON_MS).await;
        broker = None;
        assert_eq!(link.receive(SOON_MS).await.map(drop), Err(LinkFault::Down));
        assert_eq!(link.connect().await, Err(LinkFault::Down));
        broker = Some(mosquitto_with(&settings, world.port));
        // It is asked again while it is connected, as well.
        for _ in 0..3 {
            link.connect().await.expect("connects");
            link.subscribe(NOTIFY).await.expect("granted");
            echo(link, b"after", SOON_MS).await;
        }
    });
    drop(broker);
    assert_eq!(troubles, [Trouble::Ended, Trouble::Unreachable]);
}

/// Half of the keep-alive is half a second: three seconds of silence are many pings.
#[test]
fn keep_alive_goes_on() {
    let world = World::new();
    let told = Told { keep_alive_s: 1, ..TOLD };
    world.device(told, async |link| {
        link.connect().await.expect("connects");
        link.subscribe(NOTIFY).await.expect("granted");
        assert!(link.receive(3_000).await.expect("the link stands").is_none());
        echo(link, b"still here", SOON_MS).await;
    });
    let log = world.log();
    assert!(log.matches("PINGREQ from lamp-1").count() >= 3, "{log}");
}

#[test]
fn chains_with_a_ca_between_are_followed() {
    let mut world = World::new();
    world.pki.issue("between", "root", CA);
    world.pki.issue_with("by-between", "broker", "between", SERVER, &["-sha256"]);
    let text = |file: &str| std::fs::read_to_string(world.pki.path(file)).expect("issued");
    let chain = text("by-between.pem") + &text("between.pem");
    std::fs::write(world.pki.path("chain.pem"), chain).expect("writable");
    world.start("chain");
    let (connected, _) = world.device(TOLD, async |link| link.connect().await);
    assert_eq!(connected, Ok(()));
}

#[test]
fn a_broker_that_is_not_the_one_hears_nothing_of_the_device() {
    let world = World::new();
    world.pki.issue("else", "else", CA);
    let root = Told { root: "else", ..TOLD };
    assert_eq!(world.refused(root), Trouble::Certificate(Refusal::UnknownIssuer));
    let host = Told { host: "other.example", ..TOLD };
    assert_eq!(world.refused(host), Trouble::Certificate(Refusal::Host));
    let address = Told { host: "127.0.0.1", ..TOLD };
    assert_eq!(world.refused(address), Trouble::Certificate(Refusal::Host));
    let later = Told { earliest: u64::MAX, ..TOLD };
    assert_eq!(world.refused(later), Trouble::Certificate(Refusal::Expired));
    world.nothing_was_told();

    let mut lines = SERVER.to_vec();
    lines[2] = CLIENT[1];
    let world = World::with(&lines);
    assert_eq!(world.refused(TOLD), Trouble::Certificate(Refusal::NotServer));
    world.nothing_was_told();
}

/// In TLS 1.3 the device hears of it only when it is connected already.
#[test]
fn the_broker_refuses_a_device_that_it_does_not_know() {
    let world = World::new();
    world.pki.issue("else", "else", CA);
    world.pki.issue_with("stranger", "lamp-1", "else", CLIENT, &["-sha256"]);
    let stranger = Told { certificate: "stranger", ..TOLD };
    assert_eq!(world.refused(stranger), Trouble::Refused);
    // A certificate that is not of the device's key.
    let borrowed = Told { key: "broker", ..TOLD };
    assert_eq!(world.refused(borrowed), Trouble::Refused);
    world.nothing_was_told();
}

#[test]
fn what_does_not_fit_is_said() {
    let world = World::new();
    // A record of 512 bytes does not hold a certificate: OpenSSL sends it in pieces.
    let small = Told { read: 768, ..TOLD };
    assert_eq!(world.refused(small), Trouble::Protocol);
    let none = Told { read: 767, ..TOLD };
    assert_eq!(world.refused(none), Trouble::TooLong);
    let comment = format!("nsComment={}", "long ".repeat(250));
    world.pki.issue_with("long", "lamp-1", "root", &[CLIENT, &[&comment]].concat(), &["-sha256"]);
    assert_eq!(world.refused(Told { certificate: "long", ..TOLD }), Trouble::TooLong);
    world.nothing_was_told();
}
