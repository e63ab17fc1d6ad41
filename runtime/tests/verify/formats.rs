//! Files that are signed and yet not of the format; and that reading goes by the contract.

use super::*;
use coreota::verify::{Hash, Next, Proven, Verifier};

/// An MCUboot image put together by hand: header fields, then records as they are.
struct Raw {
    header: u16,
    image: u32,
    flags: u32,
    protect_size: u16,
    protected: Vec<u8>,
    unprotected: Vec<(u16, Vec<u8>)>,
}

fn records(magic: u16, entries: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let body: Vec<u8> = entries
        .iter()
        .flat_map(|(kind, value)| {
            [&kind.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat()
        })
        .collect();
    [&magic.to_le_bytes()[..], &(body.len() as u16 + 4).to_le_bytes(), &body].concat()
}

/// What is signed right but for one thing; `change` says which.
fn raw(change: impl FnOnce(&mut Raw)) -> Result<(), Failure> {
    let protected = records(0x6908, &[(0x50, vec![2, 0, 0, 0]), (0xa0, BOARD.into())]);
    let mut raw = Raw {
        header: 32,
        image: 16,
        flags: 0,
        protect_size: protected.len() as u16,
        protected,
        unprotected: Vec::new(),
    };
    // Marks for what is computed below.
    raw.unprotected = vec![(0x10, vec![]), (0x01, vec![]), (0x24, vec![])];
    change(&mut raw);
    let mut file = Vec::new();
    file.extend(0x96f3_b83du32.to_le_bytes());
    file.extend([0; 4]);
    file.extend(raw.header.to_le_bytes());
    file.extend(raw.protect_size.to_le_bytes());
    file.extend(raw.image.to_le_bytes());
    file.extend(raw.flags.to_le_bytes());
    file.extend(Version::new(2, 0, 0).to_bytes());
    file.extend([0; 4]);
    file.extend([0x5a; 16]);
    file.extend(&raw.protected);
    let key = signer(Algorithm::Ed25519, 1);
    let hash = Hash::of(&file);
    for (kind, value) in &mut raw.unprotected {
        match kind {
            0x10 if value.is_empty() => *value = hash.into(),
            0x01 if value.is_empty() => *value = key.fingerprint().into(),
            0x24 if value.is_empty() => *value = key.sign(&hash),
            _ => {}
        }
    }
    file.extend(records(0x6907, &raw.unprotected));
    verdict(Kind::Mcuboot, &rules(&[Algorithm::Ed25519]), &claim(&file), &file).map(drop)
}

#[test]
fn mcuboot_images_by_hand() {
    let format = Err(Failure::Format);
    assert_eq!(raw(|_| {}), Ok(()));
    assert_eq!(raw(|raw| raw.flags = 0x01 | 0x20 | 0x100), Ok(()), "position independent, RAM");
    for flag in [0x04, 0x08, 0x10, 0x200, 0x400, 0x800, 1 << 31] {
        assert_eq!(raw(|raw| raw.flags = flag), format, "encrypted, not bootable, compressed");
    }
    for header in [0, 31, 33, u16::MAX] {
        assert_eq!(raw(|raw| raw.header = header), format, "header of {header}");
    }
    for image in [0, 15, 17, u32::MAX, u32::MAX - 31, 1 << 31] {
        assert_eq!(raw(|raw| raw.image = image), format, "image of {image}");
    }
    for wrong in [0, 4, 31, 33, u16::MAX] {
        assert_eq!(raw(|raw| raw.protect_size = wrong), format, "protected records of {wrong}");
    }
}

#[test]
fn mcuboot_records_by_hand() {
    let format = Err(Failure::Format);
    let protected = |entries: &[(u16, Vec<u8>)]| {
        raw(|raw| {
            raw.protected = records(0x6908, entries);
            raw.protect_size = raw.protected.len() as u16;
        })
    };
    let right = [(0x50, vec![2, 0, 0, 0]), (0xa0, Vec::from(BOARD))];
    let with = |kind: u16, len: usize| protected(&[&right[..], &[(kind, vec![1; len])]].concat());
    // Records unknown to us are skipped, whatever their length.
    for len in [0, 1, 12, 72, 73, 5000] {
        assert_eq!(with(0x40, len), Ok(()), "a dependency of {len}");
        assert_eq!(raw(|raw| raw.unprotected.insert(1, (0x99, vec![7; len]))), Ok(()));
    }
    // What belongs to the unprotected records does not stand in the protected ones.
    for (kind, len) in [(0x10, 32), (0x01, 32), (0x22, 70), (0x24, 64)] {
        assert_eq!(with(kind, len), format, "{kind:#x} protected");
    }
    assert_eq!(protected(&[(0x50, vec![2, 0, 0]), (0xa0, BOARD.into())]), format);
    assert_eq!(protected(&[(0x50, vec![2, 0, 0, 0]), (0xa0, vec![])]), format);
    assert_eq!(protected(&[(0x50, vec![2, 0, 0, 0]), (0xa0, vec![b'x'; 65])]), format);
    assert_eq!(with(0xa0, 5), Err(Failure::SignedOtherBoard), "a second board");
    // Board and counter outside the signed records are not read.
    let unsigned = raw(|raw| {
        raw.protected.clear();
        raw.protect_size = 0;
        raw.unprotected.extend(right.clone());
    });
    assert_eq!(unsigned, Err(Failure::NoBoard));

    assert_eq!(raw(|raw| raw.unprotected.insert(0, (0x10, vec![]))), format, "hash twice");
    assert_eq!(raw(|raw| raw.unprotected.extend([(0x01, vec![]), (0x24, vec![])])), format);
    assert_eq!(raw(|raw| drop(raw.unprotected.remove(0))), format, "no hash");
    assert_eq!(raw(|raw| raw.unprotected[0].1 = vec![0; 32]), Err(Failure::Digest));
    assert_eq!(raw(|raw| raw.unprotected[2].1 = vec![0; 64]), Err(Failure::Signature));
    // A signature that names no key, or names it too late, is nobody's, as for MCUboot.
    assert_eq!(raw(|raw| drop(raw.unprotected.remove(1))), Err(Failure::NoSignature));
    assert_eq!(raw(|raw| raw.unprotected.swap(1, 2)), Err(Failure::NoSignature));
    for (place, len) in [(0, 31), (0, 33), (1, 31), (1, 33), (2, 63), (2, 65)] {
        assert_eq!(raw(|raw| raw.unprotected[place].1 = vec![1; len]), format);
    }
    for len in [0, 73] {
        assert_eq!(raw(|raw| raw.unprotected.push((0x22, vec![1; len]))), format, "ECDSA of {len}");
    }
}

/// A file with a trailer whose manifest has these records; signed as it is.
fn with_records(payload: usize, records: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let payload = vec![0x5a; payload];
    let mut manifest = Vec::from(*b"coreotaM");
    manifest.extend(1u16.to_le_bytes());
    manifest.extend((64 + records.len() as u16).to_le_bytes());
    manifest.extend((payload.len() as u32).to_le_bytes());
    manifest.extend(Version::new(2, 0, 0).to_bytes());
    manifest.extend([2, 0, 0, 0, 0, 0, 0, 0]);
    manifest.extend(Hash::of(&payload));
    manifest.extend(records);
    change(&mut manifest);
    let key = signer(Algorithm::Ed25519, 1);
    let mut file = payload.clone();
    file.resize(file.len().next_multiple_of(8), 0);
    file.extend(&manifest);
    file.extend([2, 0, 64, 0, 0, 0, 0, 0]);
    file.extend(&key.fingerprint()[..8]);
    file.extend(key.sign(&Hash::of(&manifest)));
    file.extend((manifest.len() as u16).to_le_bytes());
    file.extend(80u16.to_le_bytes());
    file.extend((payload.len() as u32).to_le_bytes());
    file.extend(b"coreotaF");
    file
}

fn trailer_verdict(file: &[u8]) -> Result<(), Failure> {
    let rules = Rules { board_required: false, ..rules(&[Algorithm::Ed25519]) };
    verdict(Kind::Trailer, &rules, &claim(file), file).map(drop)
}

#[test]
fn trailers_by_hand() {
    let format = Err(Failure::Format);
    for payload in [1, 7, 8, 9, 4095, 4096, 10_000] {
        assert_eq!(trailer_verdict(&with_records(payload, &[], |_| {})), Ok(()));
    }
    assert_eq!(trailer_verdict(&with_records(0, &[], |_| {})), format);
    // Signed, but not an image of this format: magic, format version, lengths, kind.
    for place in [0, 7, 8, 9, 10, 11, 12, 15, 28, 31] {
        let file = with_records(100, &[], |manifest| manifest[place] ^= 0x40);
        assert_eq!(trailer_verdict(&file), format, "byte {place} of the manifest");
    }
    let file = with_records(100, &[], |manifest| manifest[32] ^= 1);
    assert_eq!(trailer_verdict(&file), Err(Failure::Digest), "of another payload");

    let record = |kind: u16, len: u16, padded: usize| {
        let mut record = [kind.to_le_bytes(), len.to_le_bytes()].concat();
        record.resize(padded, 0);
        trailer_verdict(&with_records(100, &record, |_| {}))
    };
    assert_eq!(record(2, 4, 8), Ok(()), "unknown records are skipped");
    assert_eq!(record(2, 0, 8), Ok(()));
    assert_eq!(record(2, 1000, 1008), Ok(()));
    assert_eq!(record(0x8002, 4, 8), format, "but not those that must be understood");
    assert_eq!(record(2, 5, 8), format, "longer than the manifest");
    assert_eq!(record(2, u16::MAX, 8), format);
    assert_eq!(record(1, 0, 8), format, "a board without name");
    assert_eq!(record(1, 65, 72), format, "a name too long");
    assert_eq!(record(1, 16, 24), Err(Failure::SignedOtherBoard));
    assert_eq!(
        trailer_verdict(&with_records(100, &[1, 0, 3, 0, b'a', b'b', b'c', 1], |_| {})),
        format
    );
}

/// Every read stays in the file, begins at a multiple of 8 and is no longer than was said; pieces of
/// any size give the same verdict, and pieces of another size than asked for are refused.
#[test]
fn reads_keep_to_the_contract() {
    let key = signer(Algorithm::EcdsaP256, 1);
    let rules = rules(&[Algorithm::EcdsaP256]);
    let payload = vec![0x5a; 5000];
    let file = trailer(&payload, &good(), std::slice::from_ref(&key)).unwrap();
    let claim = claim(&file);
    let mut digest = None;
    for chunk in [256, 264, 512, 1000, 4096, 8192] {
        let mut verifier = Native::<Trailer, (EcdsaP256,)>::new();
        let mut next = verifier.start(&rules, &claim, chunk);
        let mut read = 0;
        let proof = loop {
            let (offset, len) = match next {
                Next::Read { offset, len } => (offset, len),
                Next::Verdict(Ok(Proven::Image(image))) => break image,
                Next::Verdict(verdict) => panic!("{verdict:?}"),
            };
            assert!(offset % 8 == 0 && (1..=chunk).contains(&len));
            read += len as usize;
            next = verifier.feed(&rules, &claim, &file[offset as usize..][..len as usize]);
        };
        assert_eq!(read, file.len() + 16, "once, and the footer once more");
        assert_eq!(*digest.get_or_insert(proof.digest()), proof.digest());
    }
    let mut verifier = Native::<Trailer, (EcdsaP256,)>::new();
    for chunk in [0, 8, 255, 257] {
        assert_eq!(
            verifier.start(&rules, &claim, chunk),
            Next::Verdict(Err(Failure::Misconfigured))
        );
    }
    verifier.start(&rules, &claim, 256);
    assert_eq!(verifier.feed(&rules, &claim, &file[..15]), Next::Verdict(Err(Failure::Read)));
}

/// The footer is only a hint: should the flash answer otherwise the second time, nothing is taken.
#[test]
fn a_footer_that_changes_is_refused() {
    let key = signer(Algorithm::EcdsaP256, 1);
    let rules = rules(&[Algorithm::EcdsaP256]);
    let file = build(Kind::Trailer, &good(), &[key]);
    let claim = claim(&file);
    for place in 1..=16 {
        let mut verifier = Native::<Trailer, (EcdsaP256,)>::new();
        verifier.start(&rules, &claim, 4096);
        verifier.feed(&rules, &claim, &file[file.len() - 16..]);
        let mut later = file.clone();
        later[file.len() - place] ^= 1;
        let next = verifier.feed(&rules, &claim, &later);
        assert_eq!(next, Next::Verdict(Err(Failure::Format)), "byte {place} from the end");
    }
}
