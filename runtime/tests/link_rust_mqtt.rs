//! The link for devices against a mosquitto of this test's own, over a socket of the host.

mod network;

use coreota::blocking::block_on;
use coreota::link::rust_mqtt::{Connect, RustMqttLink, Settings};
use coreota::link::{Delivery, LinkFault, MessageLink};
use coreota::message::Message;
use network::{HostClock, Socket, free_port, mosquitto};
use std::num::NonZero;
use std::process::Command;
use std::time::{Duration, Instant};

const NOTIFY: &str = "$aws/things/d/jobs/notify-next";
/// More than a loaded machine needs.
const SOON_MS: u32 = 5_000;

struct Port(u16);

impl Connect for Port {
    type Io = Socket;
    async fn connect(&mut self) -> Result<Socket, ()> {
        Socket::connect(self.0)
    }
}

type Link = RustMqttLink<'static, Port, HostClock>;

fn link(port: u16, client_id: &'static str, keep_alive_s: u16) -> Link {
    let keep_alive_s = NonZero::new(keep_alive_s).expect("not 0");
    let settings = Settings { client_id, keep_alive_s, longest: 5 * 1024, early: 16 * 1024 };
    RustMqttLink::new(Port(port), HostClock(Instant::now()), settings)
}

fn connected(port: u16, client_id: &'static str) -> Link {
    let mut link = link(port, client_id, 60);
    block_on(link.connect()).expect("connects");
    link
}

fn publish(link: &mut Link, payload: &[u8], how: Delivery) {
    block_on(link.publish(Message { topic: NOTIFY, payload }, how)).expect("published");
}

fn received(link: &mut Link) -> (String, Vec<u8>) {
    let message = block_on(link.receive(SOON_MS)).expect("the link stands").expect("in time");
    (message.topic.to_owned(), message.payload.to_vec())
}

#[test]
fn messages_arrive_whole_at_both_qualities_of_service() {
    let port = free_port();
    let _broker = mosquitto(port);
    let mut device = connected(port, "device");
    block_on(device.subscribe(NOTIFY)).expect("granted");
    let mut provider = connected(port, "provider");
    let long: Vec<u8> = (0..5 * 1024).map(|i| (i % 251) as u8).collect();
    // More at QoS 1 than the provider may have unacknowledged, so that the ninth waits for the first;
    // fewer than the device may, for the broker lets QoS 0 pass those that wait.
    for n in 0..12u8 {
        publish(&mut provider, &[n], Delivery::AtLeastOnce);
    }
    publish(&mut provider, &long, Delivery::AtMostOnce);
    publish(&mut provider, &long, Delivery::AtLeastOnce);
    for n in 0..12u8 {
        assert_eq!(received(&mut device), (NOTIFY.to_owned(), vec![n]));
    }
    assert_eq!(received(&mut device), (NOTIFY.to_owned(), long.clone()));
    assert_eq!(received(&mut device), (NOTIFY.to_owned(), long));
}

#[test]
fn messages_before_the_answer_to_a_subscription_are_kept() {
    let port = free_port();
    let _broker = mosquitto(port);
    let mut device = connected(port, "device");
    block_on(device.subscribe(NOTIFY)).expect("granted");
    publish(&mut connected(port, "provider"), b"early", Delivery::AtLeastOnce);
    // It waits in the socket, before the answer.
    std::thread::sleep(Duration::from_millis(200));
    block_on(device.subscribe("another")).expect("granted");
    assert_eq!(received(&mut device).1, b"early");
}

/// What is held at once has a bound, whatever the broker sends: above it there is a new connection.
#[test]
fn more_early_messages_than_there_is_room_for_end_the_connection() {
    let port = free_port();
    let _broker = mosquitto(port);
    let mut device = connected(port, "device");
    block_on(device.subscribe(NOTIFY)).expect("granted");
    let mut provider = connected(port, "provider");
    for _ in 0..4 {
        publish(&mut provider, &[7; 5 * 1024], Delivery::AtMostOnce);
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(block_on(device.subscribe("another")), Err(LinkFault::Down));
    block_on(device.connect()).expect("connects again");
    block_on(device.subscribe(NOTIFY)).expect("granted");
    publish(&mut provider, b"after", Delivery::AtLeastOnce);
    assert_eq!(received(&mut device).1, b"after");
}

#[test]
fn a_receive_without_a_message_ends_in_time() {
    let port = free_port();
    let _broker = mosquitto(port);
    let mut device = connected(port, "device");
    let began = Instant::now();
    assert_eq!(block_on(device.receive(150)), Ok(None));
    assert!(began.elapsed() >= Duration::from_millis(150));
    assert!(began.elapsed() < Duration::from_millis(u64::from(SOON_MS)));
    assert_eq!(block_on(device.receive(0)), Ok(None));
}

#[test]
fn a_payload_too_long_is_told_and_the_link_stands() {
    let port = free_port();
    let _broker = mosquitto(port);
    let mut device = connected(port, "device");
    block_on(device.subscribe(NOTIFY)).expect("granted");
    let mut provider = connected(port, "provider");
    publish(&mut provider, &[7; 5 * 1024 + 1], Delivery::AtLeastOnce);
    // Above the announced packet: the broker drops it.
    publish(&mut provider, &[7; 9 * 1024], Delivery::AtLeastOnce);
    publish(&mut provider, b"short", Delivery::AtLeastOnce);
    assert_eq!(block_on(device.receive(SOON_MS)), Err(LinkFault::TooLong));
    assert_eq!(received(&mut device).1, b"short");
}

#[test]
fn pings_keep_a_silent_connection() {
    let port = free_port();
    let _broker = mosquitto(port);
    let mut device = link(port, "device", 1);
    block_on(device.connect()).expect("connects");
    block_on(device.subscribe(NOTIFY)).expect("granted");
    // The broker gives up a client that is silent for one and a half keep-alives.
    assert_eq!(block_on(device.receive(4_000)), Ok(None));
    publish(&mut connected(port, "provider"), b"still there", Delivery::AtMostOnce);
    assert_eq!(received(&mut device).1, b"still there");
}

#[test]
fn a_broker_that_falls_silent_is_noticed() {
    let port = free_port();
    let broker = mosquitto(port);
    let mut device = link(port, "device", 1);
    block_on(device.connect()).expect("connects");
    let stop = Command::new("kill").args(["-STOP", &broker.0.id().to_string()]).status();
    assert!(stop.expect("kill runs").success());
    assert_eq!(block_on(device.receive(SOON_MS)), Err(LinkFault::Down));
}

#[test]
fn after_a_restart_of_the_broker_the_link_connects_again() {
    let port = free_port();
    let broker = mosquitto(port);
    let mut device = connected(port, "device");
    drop(broker);
    assert_eq!(block_on(device.receive(SOON_MS)), Err(LinkFault::Down));
    assert_eq!(block_on(device.subscribe(NOTIFY)), Err(LinkFault::Down));
    assert_eq!(block_on(device.connect()), Err(LinkFault::Down));
    let _broker = mosquitto(port);
    block_on(device.connect()).expect("connects again");
    block_on(device.subscribe(NOTIFY)).expect("granted");
    publish(&mut connected(port, "provider"), b"back", Delivery::AtLeastOnce);
    assert_eq!(received(&mut device).1, b"back");
}
