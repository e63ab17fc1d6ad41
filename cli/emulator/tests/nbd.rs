//! The block device as its clients see it: byte by byte as the protocol's document has it.
#![cfg(unix)]

use coreota_emulator::{Chip, Cut, Operations, Server, Tear, serve};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const SIZE: usize = 0x4_0000;

/// A client that was through the handshake.
struct Client(UnixStream);

impl Client {
    fn connect(path: &std::path::Path) -> Self {
        let mut client = Client(UnixStream::connect(path).expect("the socket"));
        assert_eq!(client.take(18), b"NBDMAGICIHAVEOPT\x00\x03");
        client.0.write_all(&[0, 0, 0, 3]).expect("flags");
        // Structured replies, which are not offered, then GO for the export without a name.
        client.0.write_all(b"IHAVEOPT\0\0\0\x08\0\0\0\0").expect("option");
        assert_eq!(
            client.take(20),
            b"\0\x03\xe8\x89\x04\x55\x65\xa9\0\0\0\x08\x80\0\0\x01\0\0\0\0"
        );
        client.0.write_all(b"IHAVEOPT\0\0\0\x07\0\0\0\x06\0\0\0\0\0\0").expect("option");
        let export = client.take(20 + 12);
        assert_eq!(export[20..], *b"\0\0\0\0\0\0\0\x04\0\0\0\x0d");
        assert_eq!(client.take(20 + 14)[20..26], *b"\0\x03\0\0\0\x01", "any alignment");
        assert_eq!(client.take(20)[12..16], *b"\0\0\0\x01", "acknowledged");
        client
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.read_exact(&mut bytes).expect("an answer");
        bytes
    }

    fn ask(&mut self, kind: u8, at: u64, len: u32, data: &[u8]) {
        let head = [b"\x25\x60\x95\x13\0\0\0", &[kind][..], b"a cookie"].concat();
        let message = [&head[..], &at.to_be_bytes(), &len.to_be_bytes(), data].concat();
        self.0.write_all(&message).expect("a request");
    }

    /// The error number of the reply.
    fn reply(&mut self) -> u32 {
        let reply = self.take(16);
        assert_eq!((&reply[..4], &reply[8..]), (&b"\x67\x44\x66\x98"[..], &b"a cookie"[..]));
        u32::from_be_bytes(reply[4..8].try_into().expect("four"))
    }

    fn write(&mut self, at: u64, data: &[u8]) -> u32 {
        self.ask(1, at, data.len() as u32, data);
        self.reply()
    }

    fn read(&mut self, at: u64, len: u32) -> Vec<u8> {
        self.ask(0, at, len, &[]);
        assert_eq!(self.reply(), 0);
        self.take(len as usize)
    }
}

fn served(name: &str) -> (Server, std::path::PathBuf) {
    let path = std::env::temp_dir().join(format!("coreota-nbd-{name}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    (serve(Chip::blank(SIZE, 0x1_0000), &path).expect("a socket"), path)
}

#[test]
fn a_client_reads_writes_and_erases() {
    let (server, path) = served("rw");
    let mut client = Client::connect(&path);
    assert_eq!(client.write(0x1_0100, b"page"), 0);
    assert_eq!(client.read(0x1_00ff, 6), b"\xffpage\xff");
    assert_eq!(client.write(0x1_0000, &[0xff; 0x1_0000]), 0);
    client.ask(3, 0, 0, &[]);
    assert_eq!(client.reply(), 0, "flush");
    client.ask(0, SIZE as u64 - 1, 2, &[]);
    assert_eq!(client.reply(), 22, "behind the end");
    assert_eq!(client.write(u64::MAX, b"x"), 22);
    let done = Operations { programs: 1, erases: 1, violations: 0 };
    assert_eq!(server.chip().operations(), done);
    // The next one sees what the last one left.
    drop(client);
    assert_eq!(Client::connect(&path).read(0, 4), [0xff; 4]);
    std::fs::remove_file(path).expect("the socket's file");
}

#[test]
fn a_cut_ends_the_conversation() {
    let (server, path) = served("cut");
    let mut client = Client::connect(&path);
    server.chip().arm(Cut { after: 1, tear: Tear::Half, seed: 0 });
    assert_eq!(client.write(0, b"done"), 0);
    assert!(!server.wait_for_cut(Duration::ZERO), "there still is power");
    client.ask(1, 16, 4, b"half");
    assert_eq!(client.0.read(&mut [0]).expect("the end"), 0, "no answer");
    assert!(server.wait_for_cut(Duration::from_secs(10)));
    assert_eq!(
        server.chip().bytes()[..20],
        *b"done\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xffha\xff\xff"
    );
    server.chip().power_on();
    assert_eq!(Client::connect(&path).read(16, 4), b"ha\xff\xff");
    std::fs::remove_file(path).expect("the socket's file");
}
