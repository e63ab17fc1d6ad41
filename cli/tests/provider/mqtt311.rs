//! The least MQTT 3.1.1 client a device needs, over a plain socket: independent of every MQTT crate
//! the tool is built with, and of the version of the protocol it speaks itself.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

const CONNACK: u8 = 2;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBACK: u8 = 9;

pub(crate) struct Client {
    socket: TcpStream,
    received: Vec<u8>,
    messages: VecDeque<(String, Vec<u8>)>,
    packet_id: u16,
}

impl Client {
    pub(crate) fn connect(port: u16, id: &str) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).expect("the broker listens");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a socket");
        socket.set_nodelay(true).expect("a socket");
        let mut client =
            Self { socket, received: Vec::new(), messages: VecDeque::new(), packet_id: 0 };
        // Protocol level 4, clean session, keep-alive 60 s.
        let body = [&text("MQTT")[..], &[4, 2, 0, 60], &text(id)].concat();
        client.send(0x10, &body);
        let (_, body) = client.await_packet(CONNACK);
        assert_eq!(body, [0, 0], "connected");
        client
    }

    /// Subscribes with QoS 1 and waits until it holds.
    pub(crate) fn subscribe(&mut self, filter: &str) {
        let id = self.next_id();
        self.send(0x82, &[&id[..], &text(filter), &[1]].concat());
        let (_, body) = self.await_packet(SUBACK);
        assert!(body[2] <= 1, "subscribed to {filter}");
    }

    pub(crate) fn publish(&mut self, topic: &str, payload: &[u8]) {
        self.send(0x30, &[&text(topic)[..], payload].concat());
    }

    /// QoS 1; waits for the broker's acknowledgement.
    pub(crate) fn publish_acknowledged(&mut self, topic: &str, payload: &[u8]) {
        let id = self.next_id();
        self.send(0x32, &[&text(topic)[..], &id, payload].concat());
        let (_, body) = self.await_packet(PUBACK);
        assert_eq!(body[..2], id, "the acknowledgement of this message");
    }

    /// The next message, `None` when none comes in time.
    pub(crate) fn next(&mut self, within: Duration) -> Option<(String, Vec<u8>)> {
        let end = Instant::now() + within;
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Some(message);
            }
            if Instant::now() >= end {
                return None;
            }
            if let Some((kind, _)) = self.packet() {
                assert_eq!(kind, PUBLISH, "nothing else is outstanding");
            }
        }
    }

    /// The next message on this topic; others are dropped.
    pub(crate) fn expect(&mut self, topic: &str) -> Vec<u8> {
        let end = Instant::now() + PATIENCE;
        let mut others = Vec::new();
        while let Some((got, payload)) = self.next(end.saturating_duration_since(Instant::now())) {
            if got == topic {
                return payload;
            }
            others.push(got);
        }
        panic!("nothing came on {topic}, only {others:?}");
    }

    fn await_packet(&mut self, wanted: u8) -> (u8, Vec<u8>) {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            match self.packet() {
                Some((kind, body)) if kind == wanted => return (kind, body),
                _ => {}
            }
        }
        panic!("the broker did not send packet type {wanted}");
    }

    /// One packet, if one is there. A PUBLISH is kept as a message, and acknowledged if it asks.
    fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((first, body)) = self.whole_packet() {
                if first >> 4 == PUBLISH {
                    self.message(first, &body);
                }
                return Some((first >> 4, body));
            }
            let mut buffer = [0; 65_536];
            match self.socket.read(&mut buffer) {
                Ok(0) => panic!("the broker closed the connection"),
                Ok(n) => self.received.extend(&buffer[..n]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return None;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("the connection broke: {error}"),
            }
        }
    }

    fn whole_packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut len = 0;
        for (i, &byte) in self.received.get(1..)?.iter().enumerate().take(4) {
            len |= usize::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                let from = 2 + i;
                if self.received.len() < from + len {
                    return None;
                }
                let body = self.received[from..from + len].to_vec();
                let first = self.received[0];
                self.received.drain(..from + len);
                return Some((first, body));
            }
        }
        None
    }

    fn message(&mut self, first: u8, body: &[u8]) {
        let len = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let topic = String::from_utf8(body[2..2 + len].to_vec()).expect("UTF-8");
        let mut payload = &body[2 + len..];
        if first & 0b110 != 0 {
            let id = [payload[0], payload[1]];
            payload = &payload[2..];
            self.send(0x40, &id);
        }
        self.messages.push_back((topic, payload.to_vec()));
    }

    fn send(&mut self, first: u8, body: &[u8]) {
        let mut packet = vec![first];
        let mut len = body.len();
        while len >= 0x80 {
            packet.push(len as u8 | 0x80);
            len >>= 7;
        }
        packet.push(len as u8);
        packet.extend(body);
        self.socket.write_all(&packet).expect("the broker takes it");
    }

    fn next_id(&mut self) -> [u8; 2] {
        self.packet_id += 1;
        self.packet_id.to_be_bytes()
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat()
}
