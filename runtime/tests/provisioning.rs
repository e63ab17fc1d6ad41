//! Provisioning records: written by the host, read by the device, believed only when whole.

use coreota::Region;
use coreota::blocking::{Ready, block_on};
use coreota::error::Failure;
use coreota::provisioning::{Kind, Provisioning, to_bytes};
use coreota::sim::nor::SimNor;
use embedded_storage::nor_flash::NorFlash;

fn records() -> Vec<u8> {
    let port = 18_831u16.to_le_bytes();
    to_bytes(&[(Kind::Thing, b"lamp-7"), (Kind::Host, b"broker.example"), (Kind::Port, &port)])
        .expect("short records")
}

#[test]
fn the_bytes_are_as_documented() {
    let bytes = to_bytes(&[(Kind::Thing, b"a")]).unwrap();
    assert_eq!(bytes[..8], *b"COP1\x05\0\0\0");
    assert_eq!(bytes[16..], *b"\x01\0\x01\0a");
}

#[test]
fn what_is_written_is_read_from_flash() {
    let mut flash = SimNor::<4, 4096>::new(64 << 10);
    let mut bytes = records();
    bytes.resize(bytes.len().next_multiple_of(4), 0xff);
    NorFlash::write(&mut flash, 8192, &bytes).unwrap();
    let mut buffer = [0; 257];
    let region = Region::new(8192, 4096);
    let read = block_on(Provisioning::read(&mut Ready(&mut flash), region, &mut buffer)).unwrap();
    assert_eq!(read.text(Kind::Thing), Some("lamp-7"));
    assert_eq!(read.text(Kind::Host), Some("broker.example"));
    assert_eq!(read.number(Kind::Port), Some(18_831));
    let (erased, mut buffer) = (Region::new(0, 4096), [0; 64]);
    let read = block_on(Provisioning::read(&mut Ready(&mut flash), erased, &mut buffer));
    assert_eq!(read.err(), Some(Failure::Misconfigured));
}

/// Cut short, or with any bit flipped, it says nothing.
#[test]
fn what_is_not_whole_is_not_believed() {
    let bytes = records();
    for len in 0..bytes.len() {
        assert!(Provisioning::open(&bytes[..len]).is_err(), "{len}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(Provisioning::open(&bytes).is_err(), "{bit}");
    }
}

#[test]
fn a_record_of_another_form_is_not_there() {
    let bytes = to_bytes(&[(Kind::Thing, b"\xff"), (Kind::Port, b"1")]).unwrap();
    let read = Provisioning::open(&bytes).unwrap();
    assert_eq!((read.text(Kind::Thing), read.get(Kind::Thing)), (None, Some(&b"\xff"[..])));
    assert_eq!((read.number(Kind::Port), read.get(Kind::Host)), (None, None));
    assert_eq!(to_bytes(&[(Kind::Host, &[0; 65_536])]), None);
}
