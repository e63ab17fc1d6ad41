//! Random numbers without a true random generator: no start has the numbers of another, whenever the
//! power goes.

use coreota::Region;
use coreota::blocking::{Ready, block_on};
use coreota::error::Failure;
use coreota::link::tls::{Random, SECRET, Seeded, count_start};
use coreota::sim::nor::{Count, Fuse, Rewrite, SimNor, Tear};
use std::collections::BTreeSet;

/// Two halves of 8 records each.
const STARTS: Region = Region::new(256, 512);
const SECRET_OF_ONE: [u8; SECRET] = [7; SECRET];

type Nor = SimNor<8, 256>;

fn nor() -> Nor {
    Nor::new(1024).with_rewrite(Rewrite::Once)
}

fn start(nor: &mut Nor) -> Result<u64, Failure> {
    block_on(count_start(&mut Ready(nor), STARTS))
}

fn drawn(secret: &[u8; SECRET], start: u64, noise: &[u8]) -> [u8; 48] {
    let mut bytes = [0; 48];
    Seeded::new(secret, start, noise).fill(&mut bytes);
    bytes
}

#[test]
fn starts_are_counted_through_both_halves_and_around() {
    let mut nor = nor();
    for number in 1..=45 {
        assert_eq!(start(&mut nor), Ok(number));
    }
    let wear: Vec<u32> = nor.wear().to_vec();
    assert_eq!(wear, [0, 2, 3, 0], "45 starts of 8 a half, the first of which was blank");
}

/// Each cut in each way, at each operation of the starts around the end of a half: what was given before
/// is never given again, and there is always a next one.
#[test]
fn no_number_is_given_twice_whenever_the_power_goes() {
    let tears = Tear::ALL;
    let mut cuts = 0;
    for before in [0, 1, 7, 8, 15, 16, 20] {
        for tear in tears {
            for after in 0..20 {
                let mut nor = nor().with_seed(after + 1);
                let mut given = BTreeSet::new();
                for _ in 0..before {
                    assert!(given.insert(start(&mut nor).expect("no cut yet")));
                }
                nor.arm(Some(Fuse { count: Count::Words, after, tear }));
                for _ in 0..8 {
                    match start(&mut nor) {
                        Ok(number) => assert!(given.insert(number), "{number} twice"),
                        Err(_) => {
                            cuts += 1;
                            nor.power_on();
                        }
                    }
                }
                assert!(given.len() >= before + 7, "one start was cut");
            }
        }
    }
    assert!(cuts >= 100, "{cuts}");
}

/// What is in the partition that no start wrote is none, and does no harm.
#[test]
fn what_was_there_before_is_no_start() {
    let mut nor = nor();
    nor.place(STARTS.offset, &[0x55; 256]).expect("inside");
    assert_eq!(start(&mut nor).map(|number| number > 0), Ok(true));
    let next = start(&mut nor).expect("there is room");
    assert!(next > 1, "{next}");
    let nowhere = block_on(count_start(&mut Ready(&mut nor), Region::new(0, 0)));
    assert_eq!(nowhere, Err(Failure::Bounds));
}

#[test]
fn secret_start_and_noise_each_make_other_numbers() {
    let one = drawn(&SECRET_OF_ONE, 1, b"");
    assert_eq!(one, drawn(&SECRET_OF_ONE, 1, b""), "nothing else goes in");
    let others = [
        drawn(&[8; SECRET], 1, b""),
        drawn(&SECRET_OF_ONE, 2, b""),
        drawn(&SECRET_OF_ONE, 1, b"noise"),
    ];
    assert!(others.iter().all(|other| other[..16] != one[..16] && other[32..] != one[32..]));
    assert_ne!(one[..16], one[32..], "a generator does not begin anew");
}

/// HMAC_DRBG as in NIST SP 800-90A, 10.1.2: worked out with Python's `hmac`.
#[test]
fn the_generator_is_the_standard_one() {
    const EXPECTED: [u8; 8] = [0x21, 0x2a, 0xe5, 0xfe, 0x90, 0xf0, 0x1a, 0x41];
    let secret: [u8; SECRET] = core::array::from_fn(|index| index as u8);
    let mut bytes = [0; 8];
    Seeded::new(&secret, 1, b"noise").fill(&mut bytes);
    assert_eq!(bytes, EXPECTED);
}
