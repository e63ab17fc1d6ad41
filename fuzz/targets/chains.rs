//! Chains of certificates: none is taken that the owner of the root did not mean, and the key of nobody
//! else comes out. An input is certificates in DER, each behind its length, u16 big-endian.
#![no_main]

use coreota::certificate::verify;
use libfuzzer_sys::fuzz_target;

/// Its private key is gone, as is that of the CA below it.
const ROOT: &[u8] = include_bytes!("../seeds/chains/root.der");
/// What it signed, as in the seed: a CA, and a server below that.
const GOOD: &[u8] = include_bytes!("../seeds/chains/good");

fn chain(mut input: &[u8]) -> Vec<&[u8]> {
    let mut chain = Vec::new();
    while let Some((len, rest)) = input.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes(*len)).min(rest.len());
        let (certificate, behind) = rest.split_at(len);
        chain.push(certificate);
        input = behind;
    }
    chain
}

fuzz_target!(|input: &[u8]| {
    let server = chain(GOOD)[0];
    let shown = chain(input);
    let judged = verify(&shown, ROOT, &"broker.example".into(), 0);
    if let Ok(key) = judged {
        assert_eq!(shown[0], server);
        assert!(server.windows(key.len()).any(|part| part == key));
    }
    // Whatever is pinned, nothing panics.
    if let Some((root, shown)) = shown.split_last() {
        let _ = verify(shown, root, &"10.0.2.2".into(), 0);
    }
});
