//! Key files: there, readable, public, and of the algorithm they are declared with.

use crate::Document;
use crate::der::{self, Found};
use crate::diagnostic::{At, Errors};
use crate::keys::{Algorithm, Root, TrustedKey, Verify};
use crate::model::{Device, Key};

/// Keys that a verifier looks at.
const KEYS: usize = 32;

pub(super) fn keys(document: &Document, verify: &Verify, errors: &mut Errors) -> Option<Vec<Key>> {
    let (require, trusted) = (verify.require.0.as_ref()?, verify.key.0.as_ref()?);
    if let Some(one_too_many) = trusted.get(KEYS) {
        let right = format!("at most {KEYS}: a device looks at no more");
        errors.add(one_too_many.span.clone(), "there are too many keys", right);
    }
    for (index, required) in require.iter().enumerate() {
        let word = required.value.word();
        if require.iter().take(index).any(|before| before.value == required.value) {
            errors.add(
                required.span.clone(),
                format!("`{word}` is required twice"),
                "name it once",
            );
        } else if !trusted.iter().any(|key| key.algorithm.value == required.value) {
            let wrong = format!("`{word}` is required and no key is trusted for it");
            errors.add(required.span.clone(), wrong, "add a `[[verify.key]]` of that algorithm");
        }
    }
    for (index, key) in trusted.iter().enumerate() {
        if trusted.iter().take(index).any(|before| before.id.value == key.id.value) {
            let wrong = format!("there is a key `{}` already", key.id.0);
            errors.add(key.id.span.clone(), wrong, "give it another `id`");
        }
    }
    let keys: Vec<Option<Key>> = trusted.iter().map(|key| read(document, key, errors)).collect();
    let keys: Vec<Key> = keys.into_iter().collect::<Option<_>>()?;
    let required = |key: &Key| require.iter().any(|required| required.value == key.algorithm);
    Some(keys.into_iter().filter(required).collect())
}

/// Every key must be trusted by some board, or it only seems to be.
pub(super) fn keys_used(root: &Root, boards: &[Device], errors: &mut Errors) {
    let declared = root.verify.0.iter().flat_map(|verify| verify.key.0.iter().flatten());
    for key in declared {
        let trusts =
            |device: &Device| device.keys.iter().any(|trusted| trusted.id.span == key.span);
        if !boards.iter().any(trusts) {
            let right = format!("add \"{}\" to `require`, or remove the key", key.algorithm.word());
            errors.add(key.span.clone(), format!("the key `{}` is never used", key.id.0), right);
        }
    }
}

fn read(document: &Document, key: &At<TrustedKey>, errors: &mut Errors) -> Option<Key> {
    let mut refuse = |wrong: String, right: &str| {
        errors.add(key.file.span.clone(), wrong, right);
        None
    };
    let named = &key.file.0;
    let text = match (document.read)(&document.folder.join(named)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return refuse(
                format!("there is no file `{named}`"),
                "the path is from the folder of this file; `cargo ota keygen` makes keys",
            );
        }
        Err(error) => {
            return refuse(format!("`{named}` cannot be read: {error}"), "a file that may be read");
        }
    };
    let public = "the public key; `cargo ota keygen` and `openssl pkey -pubout` write it";
    let (found, bytes) = match der::public_key(&text) {
        Found::P256(point) => (Algorithm::EcdsaP256, point),
        Found::Ed25519(point) => (Algorithm::Ed25519, point),
        Found::Private => {
            return refuse(
                format!("`{named}` holds a private key: it must never be on a device"),
                public,
            );
        }
        Found::Other(what) => {
            let right = format!("a key for {}", key.algorithm.word());
            return refuse(format!("`{named}` holds {what}"), &right);
        }
        Found::Nothing(why) => {
            return refuse(format!("`{named}` holds no public key: {why}"), public);
        }
    };
    if found != key.algorithm.value {
        let wrong =
            format!("`{named}` holds a key for {}, not for {}", found.word(), key.algorithm.word());
        let right = format!("`algorithm = \"{}\"`, or another file", found.word());
        return refuse(wrong, &right);
    }
    let id = At::new(key.id.0.clone(), key.span.clone());
    Some(Key { id, algorithm: found, bytes, file: named.into() })
}
