//! Nothing of a signed file can be changed: every bit, every length.

use super::*;

/// Rules that ask for nothing but the signature: whatever is refused, is refused by it.
fn lenient(require: &'static [Algorithm]) -> Rules {
    Rules { board_required: false, older_allowed: true, counter: 0, ..rules(require) }
}

/// Each format with each algorithm: the file, and the rules it fulfils.
fn files() -> impl Iterator<Item = (Kind, Vec<u8>, Rules)> {
    let one: [&'static [Algorithm]; 2] = [&ALGORITHMS[..1], &ALGORITHMS[1..]];
    FORMATS.into_iter().flat_map(move |kind| {
        one.map(|require| (kind, build(kind, &good(), &[signer(require[0], 1)]), lenient(require)))
    })
}

#[test]
fn every_bit_counts() {
    for (kind, file, rules) in files() {
        verdict(kind, &rules, &claim(&file), &file).expect("the file as built");
        for bit in 0..file.len() * 8 {
            let mut changed = file.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let verdict = verdict(kind, &rules, &claim(&file), &changed);
            assert!(verdict.is_err(), "{kind:?} {:?} bit {bit}", rules.require);
        }
    }
}

#[test]
fn every_bit_counts_against_a_detached_signature() {
    for kind in FORMATS {
        let file = build(kind, &good(), &[]);
        for (require, signer) in [(&ALGORITHMS[..1], 0), (&ALGORITHMS[1..], 1)]
            .map(|(require, n)| (require, signer(ALGORITHMS[n], 1)))
        {
            let rules = lenient(require.to_vec().leak());
            let value = heapless::Vec::from_slice(&signer.detached(&file)).unwrap();
            let claim = Claim { signature: Some((signer.algorithm(), value)), ..claim(&file) };
            verdict(kind, &rules, &claim, &file).expect("the file as built");
            for bit in 0..file.len() * 8 {
                let mut changed = file.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let verdict = verdict(kind, &rules, &claim, &changed);
                assert!(verdict.is_err(), "{kind:?} {require:?} bit {bit}");
            }
        }
    }
}

#[test]
fn every_length_counts() {
    for (kind, file, rules) in files() {
        for len in 0..file.len() {
            let part = &file[..len];
            let verdict = verdict(kind, &rules, &claim(part), part);
            assert_eq!(verdict, Err(Failure::Format), "{kind:?} cut to {len}");
        }
        for more in 1..64 {
            for filler in [0x00, 0xff] {
                let mut long = file.clone();
                long.resize(file.len() + more, filler);
                let verdict = verdict(kind, &rules, &claim(&long), &long);
                assert_eq!(verdict, Err(Failure::Format), "{kind:?} with {more} more");
            }
        }
    }
}

/// Noise of every length, some of it behind a good beginning: a verdict, never a panic.
#[test]
fn noise_is_refused() {
    let mut state = 1u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for (kind, file, rules) in files() {
        for round in 0..2000 {
            let mut bytes = file.clone();
            for _ in 0..=round % 8 {
                let place = usize::from(noise()) * 256 + usize::from(noise());
                let len = bytes.len();
                bytes[place % len] = noise();
            }
            if bytes != file {
                assert!(verdict(kind, &rules, &claim(&bytes), &bytes).is_err());
            }
            let pure: Vec<u8> = (0..round % 300).map(|_| noise()).collect();
            assert!(verdict(kind, &rules, &claim(&pure), &pure).is_err());
        }
    }
}
