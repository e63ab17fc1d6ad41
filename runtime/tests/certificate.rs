//! Chains of certificates that OpenSSL made, good ones and every kind of bad ones. Where it judges by the
//! same rules, it has to come to the same.

mod openssl;

use coreota::certificate::{CHAIN_MAX, Refusal, SIZE_MAX, issued, verify};
use openssl::{CA, Pki, SERVER};

const HOST: &str = "broker.example";
/// Long ago: nothing is over.
const EARLIEST: u64 = 1_700_000_000;

fn judge(pki: &Pki, root: &str, chain: &[&str], host: &str) -> Result<(), Refusal> {
    let chain: Vec<Vec<u8>> = chain.iter().map(|file| pki.der(file)).collect();
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    verify(&chain, &pki.der(root), &host.into(), EARLIEST).map(drop)
}

/// Our judgement and OpenSSL's.
fn both(pki: &Pki, root: &str, chain: &[&str], host: &str) -> (Result<(), Refusal>, bool) {
    let (server, between) = chain.split_first().expect("a chain");
    (judge(pki, root, chain, host), pki.judges(root, between, server, host))
}

const GOOD: (Result<(), Refusal>, bool) = (Ok(()), true);

const fn bad(why: Refusal) -> (Result<(), Refusal>, bool) {
    (Err(why), false)
}

/// What OpenSSL takes, and we do not.
const fn stricter(why: Refusal) -> (Result<(), Refusal>, bool) {
    (Err(why), true)
}

/// A root, two CAs below it, and a server below each of the three.
fn tree() -> Pki {
    let pki = Pki::new();
    let ca = [CA, &["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"]].concat();
    pki.issue("root", "root", &[CA, &["subjectKeyIdentifier=hash"]].concat());
    pki.issue("upper", "root", &ca);
    pki.issue("lower", "upper", &ca);
    let server = [SERVER, &["authorityKeyIdentifier=keyid"]].concat();
    for issuer in ["root", "upper", "lower"] {
        pki.issue(&format!("server-of-{issuer}"), issuer, &server);
    }
    pki
}

#[test]
fn a_chain_leads_to_the_root_in_whatever_order_it_comes() {
    let pki = tree();
    assert_eq!(both(&pki, "root", &["server-of-root"], HOST), GOOD);
    assert_eq!(both(&pki, "root", &["server-of-upper", "upper"], HOST), GOOD);
    assert_eq!(both(&pki, "root", &["server-of-lower", "lower", "upper"], HOST), GOOD);
    assert_eq!(both(&pki, "root", &["server-of-lower", "upper", "lower"], HOST), GOOD);
    // With the root, with what is of no use, with a certificate twice.
    let more = ["server-of-lower", "lower", "root", "server-of-root", "upper", "lower"];
    assert_eq!(both(&pki, "root", &more, HOST), GOOD);
    assert_eq!(more.len(), CHAIN_MAX);

    let missing = ["server-of-lower", "lower"];
    assert_eq!(both(&pki, "root", &missing, HOST), bad(Refusal::UnknownIssuer));
    assert_eq!(judge(&pki, "root", &[], HOST), Err(Refusal::TooMany));
    let many = ["server-of-root"; CHAIN_MAX + 1];
    assert_eq!(judge(&pki, "root", &many, HOST), Err(Refusal::TooMany));
    // The one in the middle may be pinned as well.
    assert_eq!(judge(&pki, "upper", &["server-of-lower", "lower"], HOST), Ok(()));
}

/// A device's certificate, before it is told: the CA itself signed it, whatever it is for.
#[test]
fn what_a_ca_issued_is_told_from_what_it_did_not() {
    let pki = tree();
    pki.issue("lamp", "root", &["extendedKeyUsage=clientAuth"]);
    pki.issue("other", "other", CA);
    let judge = |certificate: &str, root: &str, earliest| {
        issued(&pki.der(certificate), &pki.der(root), earliest)
    };
    let key = judge("lamp", "root", EARLIEST).expect("issued");
    assert!(pki.der("lamp").windows(key.len()).any(|bytes| bytes == key));
    assert_eq!(judge("lamp", "other", EARLIEST), Err(Refusal::UnknownIssuer));
    assert_eq!(judge("server-of-upper", "root", EARLIEST), Err(Refusal::UnknownIssuer));
    assert_eq!(judge("lamp", "lamp", EARLIEST), Err(Refusal::NotCa));
    assert_eq!(judge("lamp", "root", u64::MAX), Err(Refusal::Expired));
    // A CA of the same name, with another key.
    let impostor =
        pki.issue_with("impostor", "impostor", "impostor", CA, &["-subj", "/O=coreota/CN=root"]);
    assert_eq!(issued(&pki.der("lamp"), &impostor, EARLIEST), Err(Refusal::Signature));
}

/// As the services of AWS send it: the root that is trusted, but signed by an older one.
#[test]
fn a_root_that_another_root_signed_is_passed_over() {
    let pki = tree();
    pki.issue("older", "older", CA);
    pki.issue_with("root-by-older", "root", "older", CA, &["-sha256"]);
    let chain = ["server-of-upper", "upper", "root-by-older"];
    assert_eq!(both(&pki, "root", &chain, HOST), GOOD);
    assert_eq!(judge(&pki, "older", &chain, HOST), Ok(()), "the older one may be trusted too");
}

#[test]
fn the_key_is_that_of_the_server() {
    let pki = tree();
    let der = pki.der("server-of-root");
    let key = verify(&[&der], &pki.der("root"), &HOST.into(), EARLIEST).expect("it holds");
    let spki =
        pki.openssl(&["pkey", "-in", "server-of-root.key", "-pubout", "-outform", "DER"]).stdout;
    assert!(spki.ends_with(&key));
}

#[test]
fn a_certificate_is_for_the_hosts_among_its_alternative_names() {
    let pki = Pki::new();
    pki.issue("root", "root", CA);
    let names = |names: &str| {
        let own = SERVER.iter().filter(|line| !line.starts_with("subjectAltName"));
        let names = format!("subjectAltName={names}");
        own.copied().chain((names.len() > 15).then_some(&*names)).map(str::to_owned).collect()
    };
    let issue = |file: &str, list: &str| {
        let lines: Vec<String> = names(list);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        pki.issue(file, "root", &lines);
    };
    issue("many", "DNS:a.example,email:x@y.example,IP:10.0.2.2,URI:mqtts://c,DNS:*.b.example");
    for good in ["a.example", "A.Example", "x.b.example", "10.0.2.2"] {
        assert_eq!(both(&pki, "root", &["many"], good), GOOD, "{good}");
    }
    for wrong in ["b.example", "x.y.b.example", "10.0.2.3", "a.example.org", "c", "x@y.example"] {
        assert_eq!(both(&pki, "root", &["many"], wrong), bad(Refusal::Host), "{wrong}");
    }
    // The common name is the subject's, as everywhere here; it does not count.
    issue("only.common.name", "email:x@y.example");
    let (ours, _) = both(&pki, "root", &["only.common.name"], "only.common.name");
    assert_eq!(ours, Err(Refusal::Host));
    issue("no.names", "");
    assert_eq!(judge(&pki, "root", &["no.names"], "no.names"), Err(Refusal::Host));
    // A name that looks like an address is none.
    issue("address", "DNS:10.0.2.2");
    assert_eq!(both(&pki, "root", &["address"], "10.0.2.2"), bad(Refusal::Host));
}

#[test]
fn only_a_ca_signs_and_only_as_many_below_it_as_it_allows() {
    let pki = tree();
    // The forgery that a verifier takes which looks at signatures only.
    pki.issue("forged", "server-of-root", SERVER);
    assert_eq!(both(&pki, "root", &["forged", "server-of-root"], HOST), bad(Refusal::NotCa));
    pki.issue("silent", "root", &["keyUsage=critical,keyCertSign"]);
    pki.issue("server-of-silent", "silent", SERVER);
    assert_eq!(both(&pki, "root", &["server-of-silent", "silent"], HOST), bad(Refusal::NotCa));
    assert_eq!(judge(&pki, "server-of-root", &["forged"], HOST), Err(Refusal::NotCa));

    pki.issue("none-below", "root", &["basicConstraints=critical,CA:TRUE,pathlen:0", CA[1]]);
    pki.issue("server-of-none-below", "none-below", SERVER);
    let direct = ["server-of-none-below", "none-below"];
    assert_eq!(both(&pki, "root", &direct, HOST).0, Ok(()));
    pki.issue("below", "none-below", CA);
    pki.issue("server-of-below", "below", SERVER);
    let chain = ["server-of-below", "below", "none-below"];
    assert_eq!(both(&pki, "root", &chain, HOST), bad(Refusal::PathLength));
    assert_eq!(
        judge(&pki, "none-below", &["server-of-below", "below"], HOST),
        Err(Refusal::PathLength)
    );
}

#[test]
fn a_key_is_used_only_for_what_it_is_for() {
    let pki = tree();
    let with = |which: usize, line: &'static str| {
        let mut lines = SERVER.to_vec();
        lines[which] = line;
        lines
    };
    // OpenSSL thinks of TLS 1.2 as well, where such a key could agree on another.
    for (file, issuer, lines, judged) in [
        ("agrees", "root", with(1, "keyUsage=critical,keyAgreement"), stricter(Refusal::KeyUsage)),
        ("client", "root", with(2, "extendedKeyUsage=clientAuth"), bad(Refusal::NotServer)),
    ] {
        pki.issue(file, issuer, &lines);
        assert_eq!(both(&pki, "root", &[file], HOST), judged, "{file}");
    }
    // Where nothing is said, nothing is forbidden.
    pki.issue("free", "root", &[SERVER[0], SERVER[3]]);
    assert_eq!(judge(&pki, "root", &["free"], HOST), Ok(()));

    for (file, lines, why) in [
        ("no-signer", &[CA[0], "keyUsage=critical,cRLSign"][..], Refusal::KeyUsage),
        ("of-clients", &[CA[0], CA[1], "extendedKeyUsage=clientAuth"], Refusal::NotServer),
    ] {
        pki.issue(file, "root", lines);
        let server = format!("server-of-{file}");
        pki.issue(&server, file, SERVER);
        assert_eq!(both(&pki, "root", &[&server, file], HOST), bad(why), "{file}");
    }
}

#[test]
fn another_root_is_not_this_one() {
    let (pki, other) = (tree(), tree());
    // The same names, other keys.
    let (server, root) = (other.der("server-of-root"), pki.der("root"));
    let judged = verify(&[&server], &root, &HOST.into(), EARLIEST);
    assert_eq!(judged, Err(Refusal::Signature));
    let (server, upper) = (pki.der("server-of-upper"), other.der("upper"));
    let judged = verify(&[&server, &upper], &root, &HOST.into(), EARLIEST);
    assert_eq!(judged, Err(Refusal::Signature));
    pki.issue("else", "else", CA);
    assert_eq!(both(&pki, "else", &["server-of-root"], HOST), bad(Refusal::UnknownIssuer));
    // One that signed itself.
    pki.issue("self", "self", SERVER);
    assert_eq!(both(&pki, "root", &["self"], HOST), bad(Refusal::UnknownIssuer));
}

/// Many of one name, none of which is it: the work has an end.
#[test]
fn a_chain_of_look_alikes_is_not_followed_for_ever() {
    let pki = tree();
    let others: Vec<Vec<u8>> = (0..CHAIN_MAX - 1).map(|_| tree().der("upper")).collect();
    let server = pki.der("server-of-upper");
    let chain: Vec<&[u8]> = std::iter::once(&server).chain(&others).map(Vec::as_slice).collect();
    let judged = verify(&chain, &pki.der("root"), &HOST.into(), EARLIEST);
    assert_eq!(judged, Err(Refusal::Signature));
    // Two that sign each other.
    pki.issue_with("upper-by-lower", "upper", "lower", CA, &["-sha256"]);
    let circle = ["server-of-lower", "lower", "upper-by-lower"];
    assert_eq!(judge(&pki, "root", &circle, HOST), Err(Refusal::UnknownIssuer));
}

#[test]
fn other_algorithms_and_what_is_not_understood_are_refused() {
    let pki = tree();
    let sha384 = pki.issue_with("sha384", "sha384", "root", SERVER, &["-sha384"]);
    assert!(!sha384.is_empty());
    assert_eq!(both(&pki, "root", &["sha384"], HOST), stricter(Refusal::Algorithm));
    pki.key_of("p384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]);
    pki.issue("p384", "root", SERVER);
    assert_eq!(both(&pki, "root", &["p384"], HOST), stricter(Refusal::Algorithm));
    pki.key_of("rsa", &["-algorithm", "RSA"]);
    pki.issue("rsa", "root", SERVER);
    assert_eq!(both(&pki, "root", &["rsa"], HOST), stricter(Refusal::Algorithm));
    pki.issue_with("version-1", "version-1", "root", &[], &["-sha256"]);
    assert_eq!(judge(&pki, "root", &["version-1"], HOST), Err(Refusal::Malformed));

    let and = |line: &'static str| [SERVER, &[line]].concat();
    pki.issue("demanding", "root", &and("1.2.3.4=critical,DER:05:00"));
    assert_eq!(both(&pki, "root", &["demanding"], HOST), bad(Refusal::Extension));
    pki.issue("talkative", "root", &and("1.2.3.4=DER:05:00"));
    assert_eq!(judge(&pki, "root", &["talkative"], HOST), Ok(()));
    pki.issue(
        "constrained",
        "root",
        &[CA, &["nameConstraints=permitted;DNS:other.example"]].concat(),
    );
    pki.issue("server-of-constrained", "constrained", SERVER);
    let chain = ["server-of-constrained", "constrained"];
    assert_eq!(both(&pki, "root", &chain, HOST), bad(Refusal::Extension));
    let comment = format!("nsComment={}", "long ".repeat(SIZE_MAX / 5));
    pki.issue("long", "root", &[SERVER, &[&comment]].concat());
    assert_eq!(judge(&pki, "root", &["long"], HOST), Err(Refusal::TooLong));
    // In the middle of a chain they are those of others, which lead nowhere.
    assert_eq!(judge(&pki, "root", &["server-of-root", "rsa", "long"], HOST), Ok(()));
}

#[test]
fn what_was_over_at_a_moment_that_has_passed_is_refused() {
    let pki = tree();
    let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    let (server, root) = (pki.der("server-of-root"), pki.der("root"));
    let at = |earliest| verify(&[&server], &root, &HOST.into(), earliest).map(drop);
    let year = 365 * 24 * 3600;
    assert_eq!(at(now), Ok(()));
    assert_eq!(at(now + year - 60), Ok(()));
    assert_eq!(at(now + year + 60), Err(Refusal::Expired));
    // Before it is valid: nobody can tell.
    assert_eq!(at(0), Ok(()));
}

/// Whatever bit of a chain is another, it does not hold any more.
#[test]
fn every_bit_counts() {
    let pki = tree();
    let chain = ["server-of-upper", "upper"].map(|file| pki.der(file));
    let root = pki.der("root");
    let judge = |chain: &[Vec<u8>; 2]| {
        let [server, upper] = chain;
        verify(&[server, upper], &root, &HOST.into(), EARLIEST)
    };
    assert!(judge(&chain).is_ok());
    for which in 0..chain.len() {
        for bit in 0..chain[which].len() * 8 {
            let mut chain = chain.clone();
            chain[which][bit / 8] ^= 1 << (bit % 8);
            assert!(judge(&chain).is_err(), "bit {bit} of certificate {which}");
        }
        for len in 0..chain[which].len() {
            let mut chain = chain.clone();
            chain[which].truncate(len);
            assert!(judge(&chain).is_err(), "{len} bytes of certificate {which}");
        }
        let mut chain = chain.clone();
        chain[which].push(0);
        assert!(judge(&chain).is_err(), "a byte behind certificate {which}");
    }
    for len in 0..root.len() {
        let [server, upper] = &chain;
        let judged = verify(&[server, upper], &root[..len], &HOST.into(), EARLIEST);
        assert!(judged.is_err(), "{len} bytes of the root");
    }
}
