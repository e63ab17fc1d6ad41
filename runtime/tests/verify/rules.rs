//! The rules of `[verify]`, one by one: what is refused, for which reason, and which comes first.

use super::*;

const ECDSA: &[Algorithm] = &[Algorithm::EcdsaP256];
const ED25519: &[Algorithm] = &[Algorithm::Ed25519];
const BOTH: &[Algorithm] = &ALGORITHMS;

fn ecdsa(n: u8) -> Signer {
    signer(Algorithm::EcdsaP256, n)
}

fn ed25519(n: u8) -> Signer {
    signer(Algorithm::Ed25519, n)
}

/// The verdict on an image that says this and is signed by these, in both formats the same.
fn of(rules: &Rules, about: About<'_>, signers: &[Signer]) -> Result<(), Failure> {
    let [one, other] = FORMATS.map(|kind| {
        let file = build(kind, &about, signers);
        verdict(kind, rules, &claim(&file), &file).map(drop)
    });
    assert_eq!(one, other, "the formats disagree");
    one
}

/// The same with a detached signature in the job, whoever made it.
fn with_detached(
    rules: &Rules,
    signers: &[Signer],
    by: &Signer,
    damage: u8,
) -> Result<(), Failure> {
    let [one, other] = FORMATS.map(|kind| {
        let file = build(kind, &good(), signers);
        let mut value = by.detached(&file);
        *value.last_mut().unwrap() ^= damage;
        let signature = Some((by.algorithm(), heapless::Vec::from_slice(&value).unwrap()));
        verdict(kind, rules, &Claim { signature, ..claim(&file) }, &file).map(drop)
    });
    assert_eq!(one, other, "the formats disagree");
    one
}

#[test]
fn what_was_proved_is_what_was_signed() {
    for kind in FORMATS {
        let about = About { version: Version { build: 77, ..Version::new(1, 2, 300) }, ..good() };
        let file = build(kind, &about, &[ecdsa(1)]);
        let proof = verdict(kind, &rules(ECDSA), &claim(&file), &file).unwrap();
        assert_eq!(proof.version(), about.version);
        assert_eq!(proof.size() as usize, file.len());
        assert_eq!(proof.digest(), coreota::verify::Hash::of(&file));
    }
}

#[test]
fn every_required_algorithm_needs_a_signature() {
    assert_eq!(of(&rules(ECDSA), good(), &[ecdsa(1)]), Ok(()));
    assert_eq!(of(&rules(ED25519), good(), &[ed25519(1)]), Ok(()));
    assert_eq!(of(&rules(BOTH), good(), &[ecdsa(1), ed25519(1)]), Ok(()));
    assert_eq!(of(&rules(BOTH), good(), &[ed25519(1), ecdsa(1)]), Ok(()));
    assert_eq!(of(&rules(BOTH), good(), &[ecdsa(1)]), Err(Failure::NoSignature));
    assert_eq!(of(&rules(ECDSA), good(), &[ed25519(1)]), Err(Failure::NoSignature));
    assert_eq!(of(&rules(ECDSA), good(), &[]), Err(Failure::NoSignature));
    assert_eq!(of(&rules(&[]), good(), &[ecdsa(1)]), Err(Failure::Misconfigured));
}

#[test]
fn strangers_are_ignored_but_not_enough() {
    assert_eq!(of(&rules(ECDSA), good(), &[ecdsa(9)]), Err(Failure::NoTrustedKey));
    assert_eq!(of(&rules(ECDSA), good(), &[ecdsa(9), ecdsa(1)]), Ok(()));
    assert_eq!(of(&rules(ECDSA), good(), &[ecdsa(1), ecdsa(9), ed25519(9)]), Ok(()));
    let nobody = Rules { keys: &[], ..rules(ECDSA) };
    assert_eq!(of(&nobody, good(), &[ecdsa(1)]), Err(Failure::NoTrustedKey));
    assert_eq!(of(&nobody, good(), &[]), Err(Failure::NoTrustedKey));
}

#[test]
fn keys_are_exchanged_by_trusting_two_for_a_while() {
    let both = vec![trusted(&ecdsa(1)), trusted(&ecdsa(2))].leak();
    let rules = Rules { keys: both, ..rules(ECDSA) };
    for signers in [&[ecdsa(1)][..], &[ecdsa(2)], &[ecdsa(2), ecdsa(1)]] {
        assert_eq!(of(&rules, good(), signers), Ok(()));
        assert_eq!(with_detached(&rules, &[], &signers[0], 0), Ok(()));
    }
    assert_eq!(of(&rules, good(), &[ecdsa(1), ecdsa(1)]), Err(Failure::Format), "signed twice");
}

#[test]
fn a_detached_signature_counts_like_an_embedded_one() {
    assert_eq!(with_detached(&rules(ECDSA), &[], &ecdsa(1), 0), Ok(()));
    assert_eq!(with_detached(&rules(ED25519), &[], &ed25519(1), 0), Ok(()));
    assert_eq!(with_detached(&rules(ECDSA), &[ecdsa(1)], &ecdsa(1), 0), Ok(()));
    assert_eq!(with_detached(&rules(BOTH), &[ed25519(1)], &ecdsa(1), 0), Ok(()));
    assert_eq!(with_detached(&rules(BOTH), &[], &ecdsa(1), 0), Err(Failure::NoSignature));
}

#[test]
fn one_bad_signature_is_one_too_many() {
    assert_eq!(with_detached(&rules(ECDSA), &[], &ecdsa(1), 1), Err(Failure::Signature));
    assert_eq!(with_detached(&rules(ECDSA), &[ecdsa(1)], &ecdsa(1), 1), Err(Failure::Signature));
    assert_eq!(with_detached(&rules(ECDSA), &[ecdsa(1)], &ecdsa(9), 0), Err(Failure::Signature));
    assert_eq!(
        with_detached(&rules(BOTH), &[ecdsa(1), ed25519(1)], &ed25519(1), 1),
        Err(Failure::Signature)
    );
    // No key of that algorithm is trusted: nothing can be said of the signature.
    assert_eq!(with_detached(&rules(ECDSA), &[ecdsa(1)], &ed25519(1), 1), Ok(()));
    assert_eq!(with_detached(&rules(ECDSA), &[], &ed25519(1), 0), Err(Failure::NoSignature));
    // The embedded one is bad: its last byte, before the footer of the trailer.
    for (kind, behind) in [(Kind::Mcuboot, 1), (Kind::Trailer, 17)] {
        let mut file = build(kind, &good(), &[ed25519(1)]);
        let place = file.len() - behind;
        file[place] ^= 1;
        let verdict = verdict(kind, &rules(ED25519), &claim(&file), &file);
        assert_eq!(verdict, Err(Failure::Signature), "{kind:?}");
    }
}

#[test]
fn the_board_is_read_from_signed_bytes() {
    let other = About { board: Some("other-board"), ..good() };
    let longer = About { board: Some("thermostat-board-2"), ..good() };
    let none = About { board: None, ..good() };
    let optional = Rules { board_required: false, ..rules(ECDSA) };
    assert_eq!(of(&rules(ECDSA), other, &[ecdsa(1)]), Err(Failure::SignedOtherBoard));
    assert_eq!(of(&rules(ECDSA), longer, &[ecdsa(1)]), Err(Failure::SignedOtherBoard));
    assert_eq!(of(&rules(ECDSA), none, &[ecdsa(1)]), Err(Failure::NoBoard));
    assert_eq!(of(&optional, none, &[ecdsa(1)]), Ok(()));
    assert_eq!(of(&optional, other, &[ecdsa(1)]), Err(Failure::SignedOtherBoard));
}

#[test]
fn the_version_is_newer_unless_it_need_not_be() {
    let allowed = Rules { older_allowed: true, ..rules(ECDSA) };
    for (version, verdict) in [
        (Version::new(1, 0, 1), Ok(())),
        (Version { build: 1, ..Version::new(1, 0, 0) }, Ok(())),
        (Version::new(1, 0, 0), Err(Failure::SignedNotNewer)),
        (Version { build: u32::MAX, ..Version::new(0, 255, 65535) }, Err(Failure::SignedNotNewer)),
    ] {
        assert_eq!(of(&rules(ECDSA), About { version, ..good() }, &[ecdsa(1)]), verdict);
        assert_eq!(of(&allowed, About { version, ..good() }, &[ecdsa(1)]), Ok(()));
    }
}

#[test]
fn the_security_counter_never_falls() {
    for (counter, verdict) in [
        (Some(2), Ok(())),
        (Some(3), Ok(())),
        (Some(1), Err(Failure::Counter)),
        (None, Err(Failure::Counter)),
    ] {
        assert_eq!(of(&rules(ECDSA), About { counter, ..good() }, &[ecdsa(1)]), verdict);
    }
}

#[test]
fn damage_is_told_from_malice_where_the_job_has_a_digest() {
    for kind in FORMATS {
        let file = build(kind, &good(), &[ecdsa(1)]);
        let promised = Claim { sha256: Some(coreota::verify::Hash::of(&file)), ..claim(&file) };
        assert!(verdict(kind, &rules(ECDSA), &promised, &file).is_ok());
        for place in 0..file.len() {
            let mut changed = file.clone();
            changed[place] ^= 0x80;
            assert_eq!(verdict(kind, &rules(ECDSA), &promised, &changed), Err(Failure::Digest));
        }
        // Not the file of the job, although signed: an older one, replayed.
        let other = build(kind, &About { version: Version::new(9, 0, 0), ..good() }, &[ecdsa(1)]);
        let replayed = Claim { size: other.len() as u32, ..promised };
        assert_eq!(verdict(kind, &rules(ECDSA), &replayed, &other), Err(Failure::Digest));
    }
}

/// With everything wrong at once, and then one thing less each time, the reasons come in the order
/// of the module's doc.
#[test]
fn reasons_come_in_their_order() {
    for kind in FORMATS {
        let about =
            About { version: Version::new(0, 1, 0), board: Some("other"), counter: Some(0) };
        let file = build(kind, &about, &[ed25519(1)]);
        let none = Claim { sha256: Some([0; 32]), ..claim(&file) };
        let mut all = rules(BOTH);
        assert_eq!(verdict(kind, &all, &none, &file[..]), Err(Failure::Digest));
        let none = Claim { sha256: None, ..none };
        assert_eq!(verdict(kind, &all, &none, &file), Err(Failure::NoSignature));
        all.require = ED25519;
        assert_eq!(verdict(kind, &all, &none, &file), Err(Failure::SignedOtherBoard));
        all.board = "other";
        assert_eq!(verdict(kind, &all, &none, &file), Err(Failure::SignedNotNewer));
        all.older_allowed = true;
        assert_eq!(verdict(kind, &all, &none, &file), Err(Failure::Counter));
        all.counter = 0;
        assert_eq!(
            verdict(kind, &all, &none, &file).map(|proof| proof.version()),
            Ok(about.version)
        );
    }
}

#[test]
fn an_algorithm_that_is_not_linked_proves_nothing() {
    let file = build(Kind::Trailer, &good(), &[ecdsa(1), ed25519(1)]);
    let mut only = Native::<Trailer, (EcdsaP256,)>::new();
    assert!(check(&mut only, &rules(ECDSA), &claim(&file), &file).is_ok());
    let verdict = check(&mut only, &rules(BOTH), &claim(&file), &file);
    assert_eq!(verdict, Err(Failure::Misconfigured));
}
