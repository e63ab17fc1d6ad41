//! `cargo ota bridge` and the link of a device on a serial line: on mosquitto, over a line that loses
//! and spoils bytes, with either end reset in the middle of what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use coreota::blocking::block_on;
use coreota::link::serial::frame::{Request, encode};
use coreota::link::serial::{AROUND, Line, SerialLink};
use coreota::link::{Clock, Delivery, LinkFault, MessageLink};
use coreota::message::Message;

use crate::mqtt311::Client;
use crate::world::{World, tool};

/// More than a loaded machine needs.
const SOON_MS: u32 = 20_000;
/// The longest payload of these devices.
const LONGEST: usize = 300;

/// The device's end of a line, with what a bad one does to it.
struct Wire {
    stream: TcpStream,
    /// Of so many bytes one is lost or spoilt, in turn; 0: none.
    noise: (u32, u32),
    sent: u32,
    received: u32,
}

impl Wire {
    /// What becomes of the byte of that number.
    fn spoil(number: u32, noise: u32, byte: u8) -> Option<u8> {
        match noise {
            0 => Some(byte),
            _ if number % (2 * noise) == noise => None,
            _ if number.is_multiple_of(2 * noise) => Some(byte ^ 0x10),
            _ => Some(byte),
        }
    }
}

impl Line for &mut Wire {
    async fn send(&mut self, byte: u8) {
        self.sent += 1;
        if let Some(byte) = Wire::spoil(self.sent, self.noise.0, byte) {
            self.stream.write_all(&[byte]).expect("the bridge is there");
        }
    }

    async fn receive(&mut self, within_ms: u32) -> Option<u8> {
        let end = Instant::now() + Duration::from_millis(within_ms.into());
        loop {
            let left = end.checked_duration_since(Instant::now())?.max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(left)).expect("no zero");
            let mut byte = [0];
            self.stream.read_exact(&mut byte).ok()?;
            self.received += 1;
            if let Some(byte) = Wire::spoil(self.received, self.noise.1, byte[0]) {
                return Some(byte);
            }
        }
    }
}

struct Time(Instant);

impl Clock for Time {
    fn now_ms(&mut self) -> u32 {
        self.0.elapsed().as_millis() as u32
    }

    async fn wait_ms(&mut self, ms: u32) {
        std::thread::sleep(Duration::from_millis(ms.into()));
    }
}

fn device<'w>(wire: &'w mut Wire, buffer: &'w mut [u8]) -> SerialLink<'w, &'w mut Wire, Time> {
    SerialLink::new(wire, Time(Instant::now()), "d", buffer)
}

/// The bridge as a process, at the other end of a line.
struct Bridge(Child);

impl Bridge {
    fn start(world: &World) -> (Self, Wire) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let line = format!("tcp:{}", listener.local_addr().expect("bound"));
        let child = tool(&world.dir)
            .args(["bridge", &line, "--broker", &format!("127.0.0.1:{}", world.port)])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the tool starts");
        let (stream, _) = listener.accept().expect("the bridge connects");
        stream.set_nodelay(true).expect("a socket");
        (Bridge(child), Wire { stream, noise: (0, 0), sent: 0, received: 0 })
    }

    /// Ends it; gives what it said.
    fn end(&mut self) -> Vec<String> {
        self.0.kill().expect("running");
        self.0.wait().expect("killed");
        let said = BufReader::new(self.0.stdout.take().expect("piped"));
        said.lines().map(|line| line.expect("UTF-8")).collect()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn no_message_is_lost_or_doubled_on_a_bad_line() {
    const MESSAGES: u8 = 24;
    let world = World::on_mosquitto();
    let mut other = Client::connect(world.port, "other");
    other.subscribe("up");
    let (_bridge, mut wire) = Bridge::start(&world);
    wire.noise = (433, 1777);
    let mut buffer = [0; LONGEST + AROUND];
    {
        let mut link = device(&mut wire, &mut buffer);
        block_on(link.connect()).expect("connected");
        block_on(link.subscribe("down")).expect("subscribed");
        for number in 0..MESSAGES {
            let payload = [number; 200];
            other.publish_acknowledged("down", &payload);
            let message = block_on(link.receive(SOON_MS)).expect("up").expect("it came");
            assert_eq!((message.topic, message.payload), ("down", &payload[..]));
            let up = Message { topic: "up", payload: &payload[..50] };
            block_on(link.publish(up, Delivery::AtLeastOnce)).expect("published");
            let (topic, came) = other.next(Duration::from_millis(SOON_MS.into())).expect("came");
            assert_eq!((topic.as_str(), &came[..]), ("up", &payload[..50]));
        }
        assert_eq!(block_on(link.receive(500)), Ok(None), "nothing came twice");
    }
    assert_eq!(other.next(Duration::from_millis(200)), None, "nothing came twice");
    assert!(wire.sent / 433 > 2 && wire.received / 1777 > 1, "some were lost");
}

#[test]
fn a_message_that_is_too_long_is_told_and_the_next_one_comes() {
    let world = World::on_mosquitto();
    let mut other = Client::connect(world.port, "other");
    let (_bridge, mut wire) = Bridge::start(&world);
    let mut buffer = [0; LONGEST + AROUND];
    let mut link = device(&mut wire, &mut buffer);
    block_on(link.connect()).expect("connected");
    block_on(link.subscribe("down")).expect("subscribed");
    other.publish_acknowledged("down", &[1; LONGEST + AROUND]);
    other.publish_acknowledged("down", &[2; LONGEST]);
    assert_eq!(block_on(link.receive(SOON_MS)), Err(LinkFault::TooLong));
    let message = block_on(link.receive(SOON_MS)).expect("up").expect("it came");
    assert_eq!(message.payload, [2; LONGEST]);
}

#[test]
fn either_end_may_begin_anew() {
    let mut world = World::on_mosquitto();
    let (mut bridge, mut wire) = Bridge::start(&world);
    let mut buffer = [0; LONGEST + AROUND];
    {
        let mut link = device(&mut wire, &mut buffer);
        block_on(link.connect()).expect("connected");
        block_on(link.subscribe("down")).expect("subscribed");
    }
    // It asks for a message, and is reset while it waits; then in the middle of a report.
    let waits: Vec<u8> = encode(Request::Receive as u8, 9, &[&60_000_u32.to_le_bytes()]).collect();
    let report: Vec<u8> = encode(Request::Publish as u8, 10, &[&[1; 90]]).collect();
    wire.stream.write_all(&waits).expect("written");
    wire.stream.write_all(&report[..40]).expect("written");
    wire.stream.write_all(b"bootloader starts the image\r\nboot      v1.0.0\r\n").expect("written");
    let hears = |wire: &mut Wire, buffer: &mut [u8], port: u16| {
        let mut link = device(wire, buffer);
        block_on(link.connect()).expect("connected again");
        block_on(link.subscribe("down")).expect("subscribed again");
        Client::connect(port, "other").publish_acknowledged("down", b"hello");
        let message = block_on(link.receive(SOON_MS)).expect("up").expect("it came");
        assert_eq!(message.payload, b"hello");
    };
    hears(&mut wire, &mut buffer, world.port);

    // The broker goes: the device is told, and connects again.
    world.restart_mosquitto();
    {
        let mut link = device(&mut wire, &mut buffer);
        assert_eq!(block_on(link.receive(SOON_MS)), Err(LinkFault::Down));
    }
    hears(&mut wire, &mut buffer, world.port);
    let said = bridge.end();
    let said = said.join("\n");
    assert!(said.contains("bridge    connected as d"), "{said}");

    // A bridge that was not there before knows of no connection.
    let (_bridge, mut wire) = Bridge::start(&world);
    {
        let mut link = device(&mut wire, &mut buffer);
        assert_eq!(block_on(link.receive(SOON_MS)), Err(LinkFault::Down));
    }
    hears(&mut wire, &mut buffer, world.port);
}

#[test]
fn what_a_device_says_between_is_its_console() {
    let world = World::on_mosquitto();
    let (mut bridge, mut wire) = Bridge::start(&world);
    wire.stream.write_all(b"\xff\x00bootloader starts the image\r\n").expect("written");
    {
        let mut buffer = [0; LONGEST + AROUND];
        let mut link = device(&mut wire, &mut buffer);
        block_on(link.connect()).expect("connected");
    }
    wire.stream.write_all(b"boot      v1.0.0 runs\r\n").expect("written");
    {
        let mut buffer = [0; LONGEST + AROUND];
        let mut link = device(&mut wire, &mut buffer);
        block_on(link.connect()).expect("connected");
    }
    let said = bridge.end();
    let place = |line: &str| said.iter().position(|said| said == line).expect(line);
    assert!(place("bootloader starts the image") < place("bridge    connected as d"));
    assert!(place("bridge    connected as d") < place("boot      v1.0.0 runs"));
}
