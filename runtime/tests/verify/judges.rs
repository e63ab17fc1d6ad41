//! Third parties: OpenSSL makes keys and signatures, imgtool makes and verifies MCUboot images.
//! Both must be there; a test that skipped would prove nothing.

use super::*;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn run(program: &str, folder: &Path, words: &str) -> Vec<u8> {
    let hint = match program {
        "imgtool" => "install it with `pip install imgtool`",
        _ => "install it with the system's package manager",
    };
    let output = Command::new(program)
        .args(words.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program} does not start ({error}): {hint}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {words}: {said}");
    output.stdout
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verify").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Makes `key.pem` with OpenSSL; gives our signer of the same key.
fn openssl_key(folder: &Path, algorithm: Algorithm) -> Signer {
    let (kind, secret) = match algorithm {
        // SEC1: SEQUENCE { 1, OCTET STRING secret, .. }
        Algorithm::EcdsaP256 => ("EC -pkeyopt ec_paramgen_curve:P-256", 7..39),
        // PKCS#8: the seed is the end.
        Algorithm::Ed25519 => ("ED25519", 16..48),
    };
    run("openssl", folder, &format!("genpkey -algorithm {kind} -out key.pem"));
    run("openssl", folder, "pkey -in key.pem -pubout -out pub.pem");
    let der = run("openssl", folder, "pkey -in key.pem -outform DER -traditional");
    let signer = Signer::new(algorithm, der[secret].try_into().unwrap()).unwrap();
    let spki = run("openssl", folder, "pkey -in key.pem -pubout -outform DER");
    assert!(spki.ends_with(&signer.public()));
    assert_eq!(coreota::verify::Hash::of(&spki), signer.fingerprint());
    signer
}

fn trusting(signer: &Signer) -> Rules {
    let keys = vec![trusted(signer)].leak();
    Rules { require: vec![signer.algorithm()].leak(), keys, ..rules(&[]) }
}

#[test]
fn signatures_by_openssl() {
    for algorithm in ALGORITHMS {
        let folder = folder(&format!("openssl-{algorithm:?}"));
        let signer = openssl_key(&folder, algorithm);
        for kind in FORMATS {
            let file = build(kind, &good(), &[]);
            fs::write(folder.join("file"), &file).unwrap();
            fs::write(folder.join("digest"), coreota::verify::Hash::of(&file)).unwrap();
            let words = match algorithm {
                Algorithm::EcdsaP256 => "dgst -sha256 -sign key.pem file",
                Algorithm::Ed25519 => "pkeyutl -sign -inkey key.pem -rawin -in digest",
            };
            // ECDSA is random: s lies in either half.
            for _ in 0..16 {
                let value = run("openssl", &folder, words);
                let value = heapless::Vec::from_slice(&value).unwrap();
                let claim = Claim { signature: Some((algorithm, value)), ..claim(&file) };
                let verdict = verdict(kind, &trusting(&signer), &claim, &file);
                assert!(verdict.is_ok(), "{kind:?} {algorithm:?}: {verdict:?}");
            }
        }
    }
}

#[test]
fn openssl_takes_our_signatures() {
    for algorithm in ALGORITHMS {
        let folder = folder(&format!("ours-{algorithm:?}"));
        let signer = openssl_key(&folder, algorithm);
        fs::write(folder.join("file"), b"some file").unwrap();
        fs::write(folder.join("digest"), coreota::verify::Hash::of(b"some file")).unwrap();
        fs::write(folder.join("signature"), signer.detached(b"some file")).unwrap();
        let words = match algorithm {
            Algorithm::EcdsaP256 => "dgst -sha256 -verify pub.pem -signature signature file",
            Algorithm::Ed25519 => {
                "pkeyutl -verify -pubin -inkey pub.pem -rawin -in digest -sigfile signature"
            }
        };
        run("openssl", &folder, words);
    }
}

#[test]
fn images_by_imgtool() {
    for algorithm in ALGORITHMS {
        let folder = folder(&format!("imgtool-{algorithm:?}"));
        let signer = openssl_key(&folder, algorithm);
        let rules = trusting(&signer);
        for (payload, header) in [(100, 0x20), (1001, 0x200), (5000, 0x400)] {
            fs::write(folder.join("payload"), vec![0x5a; payload]).unwrap();
            let sign = |more: &str| {
                let words = format!(
                    "sign -k key.pem -H {header} --pad-header -S 65536 --align 4 {more} payload image"
                );
                run("imgtool", &folder, &words);
                let image = fs::read(folder.join("image")).unwrap();
                verdict(Kind::Mcuboot, &rules, &claim(&image), &image)
            };
            let board = format!("--custom-tlv 0x00a0 {BOARD}");
            let proof = sign(&format!("-v 1.2.3+456 -s 2 {board}")).expect("an image by imgtool");
            assert_eq!(proof.version(), Version { build: 456, ..Version::new(1, 2, 3) });
            if header != 0x20 {
                continue; // the rest once: imgtool is slow to start
            }
            let rich = "-d (1,1.2.0) --boot-record app --vid 00112233445566778899aabbccddeeff";
            assert!(sign(&format!("-v 2.0.0 -s 0x10 {rich} {board}")).is_ok());
            assert_eq!(sign(&format!("-v 1.2.3 -s 1 {board}")), Err(Failure::Counter));
            assert_eq!(sign(&format!("-v 1.0.0 -s 2 {board}")), Err(Failure::SignedNotNewer));
            assert_eq!(sign("-v 1.2.3 -s 2"), Err(Failure::NoBoard));
            assert_eq!(sign(&format!("-v 1.2.3 -s 2 {board} --pad")), Err(Failure::Format));
        }
    }
}

#[test]
fn imgtool_takes_our_images() {
    for algorithm in ALGORITHMS {
        let folder = folder(&format!("built-{algorithm:?}"));
        let signer = openssl_key(&folder, algorithm);
        let stranger = super::signer(algorithm, 9);
        for header in [0x20, 0x200, 0x400] {
            for about in [good(), About { board: None, counter: None, ..good() }] {
                for signers in [&[signer.clone()][..], &[stranger.clone(), signer.clone()]] {
                    let image = mcuboot(&[0x5a; 1001], &about, header, signers).unwrap();
                    fs::write(folder.join("image"), &image).unwrap();
                    run("imgtool", &folder, "verify -k pub.pem image");
                }
            }
        }
    }
}
